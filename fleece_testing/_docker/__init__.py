"""The parts of the Docker Engine stub (`fleece_testing.docker_engine`).

`paths`, `names` and `documents` are pure. `tree` and `toolchain` hold files, `process` and `output` run commands,
`images`, `containers` and `volumes` keep what there is, all of it in a `state`. The ``*_api`` modules say what each
endpoint answers, `application` finds the endpoint, and `server` is the socket.
"""
