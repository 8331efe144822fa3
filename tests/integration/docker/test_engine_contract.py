"""What a Docker engine does for the ``docker`` package: one file for the stub and for a real engine.

In the main suite it holds for ``fleece_docker``; ``tox run -e docker`` runs it against a real engine (``engine.sh``).
"""

import contextlib
import io
import re
import tarfile
import zipfile

import pytest
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound
from docker.types import Mount


def status_of(error):
    """Return the HTTP status of what pytest caught."""
    return error.value.response.status_code


@contextlib.contextmanager
def closing(stream):
    """Close a stream of the docker package at the end, and its connection, which the package leaves open."""
    try:
        yield stream
    finally:
        stream.close()
        stream._response.close()


def first_line(container):
    """Wait for the first line of a container's log."""
    with closing(container.logs(stream=True, follow=True)) as lines:
        return next(lines)


class TestRunning:
    """Create, start, wait, and how it ends."""

    def test_the_engine_says_what_it_is(self, client):
        """Ping, version and info answer, and agree on the kind of containers."""
        assert client.ping() is True
        assert client.version()["Os"] == client.info()["OSType"] == "linux"

    def test_run_gives_what_the_command_wrote(self, client, image):
        """Client.containers.run returns stdout and removes the container."""
        written = client.containers.run(image, ["sh", "-c", "echo out; echo err >&2"], remove=True)
        assert written == b"out\n"

    def test_run_raises_for_an_exit_code(self, client, image):
        """A command that fails is a ContainerError with its exit code and what it wrote to stderr."""
        with pytest.raises(ContainerError) as error:
            client.containers.run(image, ["sh", "-c", "echo why >&2; exit 3"], remove=True)
        assert (error.value.exit_status, error.value.stderr) == (3, b"why\n")

    def test_states_of_a_container(self, create):
        """A container is created, and after its command exited, with the code; it can be started again."""
        container = create(["sh", "-c", "exit 4"])
        assert container.status == "created"
        for _ in range(2):
            container.start()
            assert container.wait()["StatusCode"] == 4
            container.reload()
            assert (container.status, container.attrs["State"]["ExitCode"]) == ("exited", 4)

    def test_command_sees_its_environment_and_folder(self, run):
        """Variables, their paths included, and the working folder, which is made, are the container's."""
        command = ["sh", "-c", 'echo "$COLOUR $PLACE $HOME"; pwd']
        container = run(command, environment={"COLOUR": "blue", "PLACE": "/a/b:/c"}, working_dir="/shop/floor")
        assert container.logs() == b"blue /a/b:/c /root\n/shop/floor\n"

    def test_entrypoint_comes_before_the_command(self, run):
        """The command is the entrypoint's arguments."""
        assert run(["two"], entrypoint=["echo", "one"]).logs() == b"one two\n"

    def test_paths_are_the_containers(self, run):
        """What a shell writes to an absolute path is there for the next command, and not on this machine."""
        script = "mkdir -p /new/folder && echo hello >/new/folder/file && cd /new && cat /new/folder/file folder/file"
        assert run(["sh", "-c", script]).logs() == b"hello\nhello\n"

    def test_root_is_the_containers(self, run):
        """The root folder is the container's own."""
        assert b"tmp\n" in run(["ls", "/"]).logs()
        assert run(["sh", "-c", "touch /mark; cd / && ls mark"]).logs() == b"mark\n"

    def test_python_runs(self, run):
        """Python runs code with paths in it."""
        code = "import pathlib; p = pathlib.Path('/tmp/x'); p.write_text('y'); print(p, p.read_text(), 6 / 3)"
        assert run(["python3", "-c", code]).logs() == b"/tmp/x y 2.0\n"

    def test_missing_program_fails_the_start(self, create):
        """A program that is not there is told at the start, and is exit code 127."""
        container = create(["no-such-program"])
        with pytest.raises(APIError, match=r'exec: "no-such-program": executable file not found in \$PATH') as error:
            container.start()
        assert status_of(error) == 400
        container.reload()
        assert (container.status, container.attrs["State"]["ExitCode"]) == ("created", 127)

    def test_stop_lets_the_command_end(self, create):
        """Stop sends SIGTERM, which the command may answer as it likes."""
        container = create(["sh", "-c", 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'])
        container.start()
        assert first_line(container) == b"ready\n"
        container.stop(timeout=20)
        assert container.wait()["StatusCode"] == 5

    @pytest.mark.parametrize("end", [lambda one: one.kill(), lambda one: one.stop(timeout=0)])
    def test_killed_command_is_137(self, create, end):
        """Kill, and stop without patience, end a command that listens to nothing."""
        container = create(["sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.05; done'])
        container.start()
        assert first_line(container) == b"ready\n"
        end(container)
        assert container.wait()["StatusCode"] == 137

    def test_kill_needs_a_running_container(self, run):
        """What has ended cannot be killed, and stopping it does nothing."""
        container = run(["true"])
        container.stop()
        with pytest.raises(APIError, match="is not running") as error:
            container.kill()
        assert status_of(error) == 409

    def test_what_was_left_running_ends(self, run):
        """A container ends with its first process, whatever that has left in the background."""
        assert run(["sh", "-c", "sleep 300 & echo started"]).logs() == b"started\n"

    def test_auto_remove(self, client, create):
        """A container that removes itself is gone when its command has ended."""
        container = create(["cat"], auto_remove=True, stdin_open=True)
        container.start()
        gone = client.api._post(client.api._url(f"/containers/{container.id}/wait?condition=removed"), stream=True)
        container.kill()
        assert gone.json()["StatusCode"] == 137
        with pytest.raises(NotFound):
            client.containers.get(container.id)


class TestOutput:
    """Logs, attach and exec."""

    def test_logs_of_each_stream(self, run):
        """Stdout and stderr can be had apart."""
        container = run(["sh", "-c", "echo out; echo err >&2"])
        assert container.logs(stdout=True, stderr=False) == b"out\n"
        assert container.logs(stdout=False, stderr=True) == b"err\n"

    def test_logs_stream_while_the_command_runs(self, create):
        """With follow, a line comes before the next one is written, and the end with the command's."""
        container = create(["sh", "-c", "echo one; read line; echo $line"], stdin_open=True)
        stdin = container.attach_socket(params={"stdin": 1, "stream": 1})
        container.start()
        with closing(container.logs(stream=True, follow=True)) as lines:
            assert next(lines) == b"one\n"
            stdin._sock.sendall(b"two\n")
            assert list(lines) == [b"two\n"]
        stdin._response.close()

    def test_tail_and_timestamps(self, run):
        """The last lines only, each with the time it was written at."""
        logs = run(["sh", "-c", "echo one; echo two; echo three"]).logs(tail=2, timestamps=True)
        assert re.fullmatch(rb"\d{4}-\d\d-\d\dT[\d:.]+Z two\n\d{4}-\d\d-\d\dT[\d:.]+Z three\n", logs)

    def test_much_output_comes_whole(self, run):
        """A line longer than a pipe holds comes as it was written; what is no text is replaced in the log."""
        code = "import sys; sys.stdout.buffer.write(b'\\xff\\n' + b'\\x00x' * 100_000)"
        assert run(["python3", "-c", code]).logs() == "\ufffd\n".encode() + b"\x00x" * 100_000

    def test_attach_streams_what_comes(self, create):
        """Attached before the start, a client gets all output, both streams apart."""
        container = create(["sh", "-c", "echo out; echo err >&2"])
        with closing(container.attach(stream=True, demux=True, stdout=True, stderr=True)) as output:
            container.start()
            assert sorted(output, key=str) == [(None, b"err\n"), (b"out\n", None)]

    def test_exec_in_a_running_container(self, create):
        """A further command has the container's files, its own variables, streams and exit code."""
        container = create(["sh", "-c", "echo here >/file; cat"], stdin_open=True)
        container.start()
        script = "while [ ! -s /file ]; do sleep 0.05; done; cat /file; echo $WORD >&2; exit 6"
        done = container.exec_run(["sh", "-c", script], environment={"WORD": "err"}, demux=True)
        assert (done.exit_code, done.output) == (6, (b"here\n", b"err\n"))

    def test_exec_of_a_missing_program(self, create):
        """A program that is not there is told in the output."""
        container = create(["cat"], stdin_open=True)
        container.start()
        done = container.exec_run(["no-such-program"])
        assert done.exit_code in {126, 127}
        assert b"executable file not found in $PATH" in done.output

    def test_exec_needs_a_running_container(self, run):
        """There is no exec in a container that has ended."""
        with pytest.raises(APIError, match="is not running") as error:
            run(["true"]).exec_run(["true"])
        assert status_of(error) == 409


class TestArchives:
    """Files into a container and out of it."""

    def test_files_go_in_and_come_out(self, create, run, pack, unpack):
        """What is put before the start is there for the command, and what it makes can be got after its end."""
        container = create(["sh", "-c", "tr a-z A-Z <in/text.txt >/srv/out.txt"], working_dir="/srv")
        assert container.put_archive("/srv", pack({"in/text.txt": b"shout"}))
        container.start()
        container.wait()
        assert unpack(container.get_archive("/srv")) == {"srv/in/text.txt": b"shout", "srv/out.txt": b"SHOUT"}

    def test_archive_describes_what_was_asked_for(self, create, pack):
        """The name, size and mode of a file come along; owners are root."""
        container = create(["true"], working_dir="/srv")
        container.put_archive("/srv", pack({"tool": b"#!/bin/sh\n"}, mode=0o755))
        chunks, told = container.get_archive("/srv/tool")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            (member,) = tar.getmembers()
        assert (told["name"], told["size"], told["mode"] & 0o777) == ("tool", 10, 0o755)
        assert (member.name, member.mode & 0o777, member.uid, member.uname) == ("tool", 0o755, 0, "root")

    @pytest.mark.parametrize(("path", "names"), [("/d", ["d", "d/f"]), ("/d/", ["d", "d/f"]), ("/d/.", [".", "./f"])])
    def test_names_in_an_archive(self, run, path, names):
        """The folder's own name, or a dot where the path ends with one, is in front of each."""
        chunks, _ = run(["sh", "-c", "mkdir /d; echo >/d/f"]).get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            assert tar.getnames() == names

    def test_links_keep_their_targets(self, run):
        """Links are links, with the container's paths."""
        chunks, _ = run(["sh", "-c", "mkdir /d; ln -s /srv/x /d/far; ln -s near /d/close"]).get_archive("/d")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            links = {one.name: one.linkname for one in tar if one.issym()}
        assert links == {"d/far": "/srv/x", "d/close": "near"}

    def test_missing_paths_are_not_found(self, create, pack):
        """What is not there can neither be got nor put into."""
        container = create(["true"])
        for act in (lambda: container.get_archive("/no/such"), lambda: container.put_archive("/no/such", pack({}))):
            with pytest.raises(NotFound, match="Could not find the file /no/such in container"):
                act()

    def test_what_is_no_archive_is_refused(self, create):
        """Bytes that are no tar archive are an error."""
        with pytest.raises(APIError, match="tar"):
            create(["true"]).put_archive("/etc", b"no archive" * 1000)

    def test_pip_installs_a_wheel(self, create, run, pack, unpack):
        """The way of a build: requirements and wheels go in, pip installs, and the packages come out, and run."""
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as packed:
            packed.writestr("greeting.py", "def main():\n    print('hello')\n")
            folder = "greeting-1.0.dist-info"
            packed.writestr(f"{folder}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
            packed.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            packed.writestr(f"{folder}/entry_points.txt", "[console_scripts]\ngreet = greeting:main\n")
            packed.writestr(f"{folder}/RECORD", "")
        files = {"greeting-1.0-py3-none-any.whl": wheel.getvalue(), "requirements.txt": b"greeting==1.0\n"}
        command = ["python3", "-m", "pip", "install", "--no-compile", "--target", "/out", "-r/in/requirements.txt"]
        environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/in", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        container = create(command, working_dir="/in", environment=environment)
        container.put_archive("/in", pack(files))
        container.start()
        assert container.wait()["StatusCode"] == 0, container.logs()
        assert b"Successfully installed greeting-1.0" in container.logs()
        installed = unpack(container.get_archive("/out"))
        assert installed["out/greeting.py"] == b"def main():\n    print('hello')\n"
        assert re.match(rb"#!/(usr|var/lang)/bin/python3\n", installed["out/bin/greet"])
        container.commit("fleece-test/greeting")
        container.remove()
        greeted = run(["/out/bin/greet"], of="fleece-test/greeting", environment={"PYTHONPATH": "/out"})
        assert greeted.logs() == b"hello\n"


class TestContainers:
    """Names, lists and removal."""

    def test_names_are_unique(self, create):
        """A name that is taken is a conflict."""
        create(["true"], name="fleece-test-one")
        with pytest.raises(APIError, match='name "/fleece-test-one" is already in use') as error:
            create(["true"], name="fleece-test-one")
        assert status_of(error) == 409

    @pytest.mark.parametrize("options", [{"name": "no/name"}, {"command": None}])
    def test_what_cannot_be_created(self, client, image, options):
        """A name of another form is refused, and so is an empty command of an image without one."""
        with pytest.raises(APIError) as error:
            client.containers.create(image, **{"command": ["true"], "entrypoint": [], **options})
        assert status_of(error) == 400

    def test_lists_are_filtered(self, client, create):
        """By label, name and status; and those that do not run are only in the full list."""
        wanted = create(["true"], labels={"colour": "blue"}, name="fleece-test-blue")
        create(["true"], labels={"colour": "red"})
        assert client.containers.list(filters={"label": "colour=blue"}) == []
        for filters in ({"label": "colour=blue"}, {"name": "test-blue"}, {"id": wanted.id}):
            assert client.containers.list(all=True, filters=filters) == [wanted]
        both = client.containers.list(filters={"label": ["colour", "fleece-test"], "status": "created"})
        assert len(both) == 2
        assert client.containers.list(filters={"exited": 0, "label": "fleece-test"}) == []

    def test_running_containers_are_removed_by_force_alone(self, client, create):
        """Removing a running container is a conflict, unless it is forced."""
        container = create(["cat"], stdin_open=True)
        container.start()
        with pytest.raises(APIError, match="running container") as error:
            container.remove()
        assert status_of(error) == 409
        container.remove(force=True)
        with pytest.raises(NotFound, match="No such container"):
            client.containers.get(container.id)

    def test_containers_are_found_by_short_id_and_name(self, client, create):
        """The beginning of an id does, and so does the name."""
        container = create(["true"], name="fleece-test-two")
        assert client.containers.get(container.short_id) == client.containers.get("fleece-test-two") == container


class TestImages:
    """Images made of containers, their names and their end."""

    def test_commit_keeps_files_and_configuration(self, client, create, run, pack):
        """An image of a container has its files, and is run as that was, with the changes."""
        first = create(["cat", "/note"], environment={"A": "1"}, labels={"colour": "blue"})
        first.put_archive("/", pack({"note": b"kept\n"}))
        made = first.commit("fleece-test/kept", "1", message="with a note", changes=["ENV B=2"])
        assert made.tags == ["fleece-test/kept:1"]
        assert {"A=1", "B=2"} <= set(made.attrs["Config"]["Env"])
        assert not any(one.startswith("HOME=") for one in made.attrs["Config"]["Env"])
        assert made.labels["colour"] == "blue"
        assert made.history()[0]["Comment"] == "with a note"
        assert run(None, of="fleece-test/kept:1").logs() == b"kept\n"

    def test_tags_come_and_go(self, client, image):
        """An image has as many names as it is given, and stays while it has one."""
        one = client.images.get(image)
        assert one.tag("fleece-test/other", "2")
        assert client.images.get("fleece-test/other:2") == one
        assert one in client.images.list("fleece-test/other")
        client.images.remove("fleece-test/other:2")
        with pytest.raises(ImageNotFound):
            client.images.get("fleece-test/other:2")
        assert client.images.get(one.id) == one

    def test_missing_image(self, client):
        """An image that is not there cannot be run."""
        with pytest.raises(ImageNotFound, match="No such image: fleece-test/nothing:latest"):
            client.containers.create("fleece-test/nothing", ["true"])

    def test_images_in_use_are_kept(self, client, create):
        """An image that a container is of is only removed by force."""
        create(["true"]).commit("fleece-test/used")
        create(["true"], of="fleece-test/used")
        with pytest.raises(APIError, match="container") as error:
            client.images.remove("fleece-test/used")
        assert status_of(error) == 409


class TestMounts:
    """Volumes and folders of this machine."""

    def test_volumes_outlive_containers(self, client, run):
        """What one container writes to a volume, the next one reads."""
        client.volumes.create("fleece-test-v", labels={"fleece-test": ""})
        mounted = {"volumes": {"fleece-test-v": {"bind": "/data", "mode": "rw"}}}
        run(["sh", "-c", "echo kept >/data/file"], **mounted).remove()
        last = run(["sh", "-c", "cat /data/file; cd /data && pwd"], **mounted)
        assert last.logs() == b"kept\n/data\n"
        with pytest.raises(APIError, match="volume is in use") as error:
            client.volumes.get("fleece-test-v").remove()
        assert status_of(error) == 409

    def test_missing_volume(self, client):
        """A volume that is not there is not found."""
        with pytest.raises(NotFound, match="no such volume"):
            client.volumes.get("fleece-test-nothing")

    def test_folders_of_this_machine(self, run, tmp_path):
        """A folder is mounted with what it has, and written to unless it is read-only."""
        (tmp_path / "in").mkdir()
        (tmp_path / "in/file").write_text("given\n")
        mounts = [
            Mount("/in", str(tmp_path / "in"), type="bind", read_only=True),
            Mount("/out", str(tmp_path), type="bind"),
        ]
        run(["sh", "-c", "cp /in/file /out/copy; rm -f /in/file"], mounts=mounts)
        assert (tmp_path / "copy").read_text() == (tmp_path / "in/file").read_text() == "given\n"

    def test_missing_folder(self, create):
        """A mount of a folder that is not there is refused."""
        with pytest.raises(APIError, match="bind source path does not exist: /no/such") as error:
            create(["true"], mounts=[Mount("/in", "/no/such", type="bind")])
        assert status_of(error) == 400
