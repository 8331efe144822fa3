"""The command line: ``fleece build``, ``fleece config`` and ``fleece run``.

Below the commands, nothing prints and nothing exits: modules raise `fleece.cli.errors.CommandError`, and tell what the
user should know through the logger ``fleece.cli`` (and its children), which `fleece.cli.main` shows on stderr.
"""
