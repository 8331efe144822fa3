"""``fleece config edit`` with real editors: scripts, ``ed``, ``vi``, on pipes and on a terminal."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fleece.cli.config import editing, editor as editors
from fleece.cli.config.private_folder import private_folder
from fleece.cli.config.workspace import Workspace
from fleece.cli.errors import CommandError, UsageError

REPLACE = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace({!r}, {!r}))"


def python(code):
    """Return an editor that runs this code, with the file as its argument."""
    return shlex.join([sys.executable, "-c", code])


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """The folder in which the open file's folder is made."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def edit(imported, runtime, monkeypatch):
    """Run ``fleece config edit`` in this process, with an editor in a line of Python."""
    for name in ("FLEECE_EDITOR", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)

    def run(code, *arguments, **options):
        return imported("edit", "--editor", python(code), *arguments, **options)

    return run


def test_one_secret_is_changed(imported, edit, runtime, tmp_path):
    """An edit of one secret changes its line; the open file was private, has the secrets in clear, and is gone."""
    before = imported.path.read_text().splitlines()
    code = f"""
import os, pathlib, sys
path = pathlib.Path(sys.argv[1])
text = path.read_text()
pathlib.Path({str(tmp_path / "seen")!r}).write_text(text)
modes = [str(one.stat().st_mode) for one in (path, path.parent)]
pathlib.Path({str(tmp_path / "modes")!r}).write_text(" ".join([str(path), *modes]))
path.write_text(text.replace("prod-secret", "other"))
"""
    result = edit(code)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    after = imported.path.read_text().splitlines()
    changed = [one.strip()[:6] for one, other in zip(before, after, strict=True) if one != other]
    assert changed == ["+prod:"]
    assert imported("render", "prod", "--json").json["password"] == "other"
    assert ":encrypt:prod-secret" in (tmp_path / "seen").read_text()
    path, mode, folder_mode = (tmp_path / "modes").read_text().split()
    assert path.startswith(str(runtime))
    assert [stat.S_IMODE(int(one)) for one in (mode, folder_mode)] == [0o600, 0o700]
    assert list(runtime.iterdir()) == []


def test_json(imported, edit):
    """--json lets one edit JSON; the file stays YAML, comments and all."""
    assert edit(REPLACE.format('"foo": "bar"', '"foo": "baz"'), "--json").exit_code == 0
    assert "foo: baz            # the same for all" in imported.path.read_text()


def test_one_stage(imported, edit, fleece_aws, tmp_path):
    """--stage opens the secrets of that stage; those of others stay encrypted and survive, without any rights."""
    before = imported.path.read_text().splitlines()
    fleece_aws.deny("kms:*", when=lambda call: "alias/p" in str(call.parameters))
    assert edit(REPLACE.format(":encrypt:dev-secret", ":encrypt:dév"), "--stage", "dev").exit_code == 0
    after = imported.path.read_text().splitlines()
    assert [one.strip()[:5] for one, other in zip(before, after, strict=True) if one != other] == ["+/.*/"]
    assert imported("render", "x", "--json").json["password"] == "dév"


@pytest.mark.parametrize(
    ("code", "exit_code", "told"),
    [
        ("pass", 0, "nothing was changed\n"),
        (REPLACE.format("prod-secret", "x") + "; sys.exit(3)", 1, "ended with 3: nothing was changed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 1, "was ended by signal 9: nothing was changed"),
        ("import os, sys; os.unlink(sys.argv[1])", 1, "the editor has removed the file"),
        (
            (
                "import pathlib, sys; p = pathlib.Path(sys.argv[1]); text = p.read_text()\n"
                "p.unlink() if 'foo: [' in text else p.write_text(text.replace('foo: bar', 'foo: ['))"
            ),
            1,
            "the editor has removed the file",
        ),
    ],
    ids=["unchanged", "fails", "killed", "removed", "removed when opened again"],
)
def test_nothing_is_changed(imported, edit, runtime, code, exit_code, told):
    """An editor that changes nothing or fails changes nothing, and leaves nothing in clear."""
    before = imported.path.read_bytes()
    os.utime(imported.path, (1, 1))
    result = edit(code)
    assert result.exit_code == exit_code
    assert told in result.stderr
    assert (imported.path.read_bytes(), imported.path.stat().st_mtime) == (before, 1)
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize(("at_once", "hints"), [(3600, True), (0, False)])
def test_a_quick_return_hints_at_wait(edit, monkeypatch, at_once, hints):
    """An editor that is back at once gets a hint about --wait, one that took its time does not."""
    monkeypatch.setattr(editing, "_AT_ONCE", at_once)
    told = edit("pass").stderr
    assert told.startswith("nothing was changed\n")
    assert ("--editor 'code --wait'" in told) == hints


def test_a_changed_file_is_refused_and_the_text_kept(imported, edit, runtime):
    """When config.yml changed while the editor was open, it stays as it is then, and what was written is kept.

    Nobody else can read that, though the editor may have made a file that they could.
    """
    change = f"open({str(imported.path)!r}, 'a').write('# meanwhile\\n')"
    result = edit(f"{change}; {REPLACE.format('prod-secret', 'mine')}; p.chmod(0o644)")
    assert result.exit_code == 1
    assert "config.yml has changed meanwhile" in result.stderr
    assert imported.path.read_text().endswith("# meanwhile\n")
    (kept,) = runtime.rglob("*.yml")
    assert str(kept) in result.stderr
    assert ":encrypt:mine" in kept.read_text()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)] == [0o600, 0o700]
    assert "mine" not in result.stderr


def test_the_text_is_kept_when_kms_fails(imported, edit, fleece_aws, runtime):
    """When a new secret cannot be encrypted, config.yml is the old one and the text is kept."""
    before = imported.path.read_bytes()
    fleece_aws.fail("kms", "Encrypt", times=100, code="DisabledException", status=400)
    result = edit(REPLACE.format("prod-secret", "mine"))
    assert result.exit_code == 1
    assert "config.yml as edited:8: config.password.+prod (stage prod): cannot be encrypted with the key 'p'" in (
        result.stderr
    )
    assert imported.path.read_bytes() == before
    (kept,) = runtime.rglob("*.yml")
    assert ":encrypt:mine" in kept.read_text()


def test_what_cannot_be_read_opens_again(imported, edit, tmp_path):
    """A file that is no configuration is opened again as it was written, after its error, until it is right."""
    count = tmp_path / "count"
    code = f"""
import pathlib, sys
count, path = pathlib.Path({str(count)!r}), pathlib.Path(sys.argv[1])
text = path.read_text()
if count.exists():
    path.write_text(text.replace("foo: [", "foo: baz"))
else:
    count.touch()
    path.write_text(text.replace("foo: bar", "foo: ["))
"""
    result = edit(code)
    assert result.exit_code == 0
    assert "Error: config.yml as edited:" in result.stderr
    assert "this is not YAML" in result.stderr
    assert imported("render", "prod", "--json").json["foo"] == "baz"


@pytest.mark.parametrize(
    ("more", "times"), [("", 1), ("open(sys.argv[1], 'a').write(']')", 50)], ids=["unchanged", "wrong in another way"]
)
def test_what_stays_unreadable_is_kept(imported, edit, runtime, more, times):
    """When what was opened again comes back unchanged, or wrong for ever, the edit fails, and the text is not lost."""
    before = imported.path.read_bytes()
    result = edit(REPLACE.format("foo: bar", "foo: [") + f"\nimport sys; {more}")
    assert result.exit_code == 1
    assert "what was written cannot be read, and nothing was changed" in result.stderr
    assert result.stderr.count("this is not YAML") == times
    assert imported.path.read_bytes() == before
    (kept,) = runtime.rglob("*.yml")
    assert "foo: [" in kept.read_text()


def test_on_a_terminal_the_error_can_be_read_before_the_editor_is_back(imported, runtime):
    """On a terminal, Enter opens the file again; Ctrl-C drops it, and nothing in clear is left."""
    command = ("config", "edit", "-e", python(REPLACE.format("foo: bar", "foo: [")))
    with imported.cli.terminal(*command) as terminal:
        terminal.expect("this is not YAML")
        terminal.expect("Press Enter to edit it again")
        terminal.send(terminal.CTRL_C)
        assert terminal.wait().exit_code == 130
    assert list(runtime.iterdir()) == []


def test_an_interruption_is_the_editors_business(imported, runtime):
    """Ctrl-C, which reaches both programs, changes nothing for an editor that goes on and ends well."""
    interrupt = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"
    command = ("config", "edit", "-e", python(f"{interrupt}; {REPLACE.format('prod-secret', 'other')}"))
    assert imported.cli(*command).exit_code == 0
    assert imported("render", "prod", "--json").json["password"] == "other"


def test_vi_on_a_terminal(imported, runtime, tmp_path):
    """vi, with a vimrc that wants swap, undo, backup and viminfo, leaves no trace outside of the private folder."""
    home = tmp_path / "home"
    home.mkdir()
    wishes = "set nocompatible swapfile undofile backup writebackup viminfo='100,n~/traces dir=~ undodir=~ backupdir=~"
    (home / ".vimrc").write_text(wishes + "\n")
    with imported.cli.terminal("config", "edit", env={"HOME": str(home), "EDITOR": "vi", "VISUAL": None}) as terminal:
        terminal.expect("prod-secret")
        terminal.send(":%s/prod-secret/from-vi/\rga")
        terminal.expect("Hex 2b")  # what ga tells of the "+" that the cursor is at then
        terminal.send(terminal.CTRL_C)  # vi's own business, and the end of what was typed ahead
        terminal.expect(":qa!")
        terminal.send(":wq\r")
        assert terminal.wait().exit_code == 0
    assert imported("render", "prod", "--json").json["password"] == "from-vi"
    assert [path.name for path in home.iterdir()] == [".vimrc"]
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "name", "version", "told"),
    [
        ("nvim", "nvim", "NVIM v0.10.4", True),
        ("vim.basic", "editor", "VIM - Vi IMproved 9.1", True),
        ("mvim", "mvim", "VIM - Vi IMproved 9.1", True),
        ("busybox", "vi", "BusyBox v1.36.1", False),
        ("nano", "editor", "GNU nano, version 8.3", False),
    ],
)
def test_the_descendants_of_vi(tmp_path, program, name, version, told):
    """Neovim, and vim under other names or behind a link, are told to leave no traces; others are told nothing."""
    script = tmp_path / program
    script.write_text(f'#!/bin/sh\n[ "$*" = --version ] && echo "{version}" || echo "$*" > {tmp_path}/arguments\n')
    script.chmod(0o755)
    if name != program:
        (tmp_path / name).symlink_to(script)
    editors.Editor((str(tmp_path / name), "-x")).run(tmp_path / "open.yml")
    options = " -n -i NONE -c set noundofile nobackup nowritebackup noswapfile" if told else ""
    assert (tmp_path / "arguments").read_text() == f"-x{options} {tmp_path}/open.yml\n"


@pytest.mark.parametrize(
    ("editor", "keys"),
    [("ed -s", ",s/prod-secret/scripted/\nw\nq\n"), ("vi -es", "%s/prod-secret/scripted/\nwq\n")],
)
def test_editors_that_read_stdin(imported, runtime, editor, keys):
    """Line editors take their commands from stdin."""
    result = imported.cli("config", "edit", stdin=keys, env={"EDITOR": editor, "VISUAL": None})
    assert result.exit_code == 0, result
    assert imported("render", "prod", "--json").json["password"] == "scripted"


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        ("nano -w", {"FLEECE_EDITOR": "a", "VISUAL": "b", "EDITOR": "c"}, ("nano", "-w")),
        (None, {"FLEECE_EDITOR": "a", "VISUAL": "b", "EDITOR": "c"}, ("a",)),
        (None, {"FLEECE_EDITOR": "", "VISUAL": "b 'c d'", "EDITOR": "c"}, ("b", "c d")),
        (None, {"EDITOR": "c"}, ("c",)),
        (None, {}, ("vi",)),
    ],
)
def test_which_editor(given, environ, expected, monkeypatch):
    """The option, then FLEECE_EDITOR, VISUAL and EDITOR, then vi; arguments are split as a shell would."""
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert editors.find(given, environ).arguments == expected


@pytest.mark.parametrize("editor", ["no-such-editor", "'unclosed"])
def test_no_such_editor(imported, editor):
    """An editor that is not there is wrong usage, told before anything is decrypted."""
    result = imported("edit", "--editor", editor)
    assert result.exit_code == 2
    assert editor in result.stderr
    with pytest.raises(UsageError):
        editors.find(editor, {})


def start(imported, editor, **options):
    """Start an edit as a child in a session of its own, and wait until its editor has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fleece", "config", "edit", "-e", editor],
        cwd=imported.path.parent,
        env=imported.cli.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    return process


WAIT = python("import time; print('ready', flush=True); time.sleep(60)")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_signals_leave_nothing_in_clear(imported, runtime, number, code):
    """A signal to the terminal's programs ends both, with the file removed; twice makes no difference."""
    before = imported.path.read_bytes()
    process = start(imported, WAIT)
    assert len(list(runtime.rglob("*.yml"))) == 1
    os.killpg(process.pid, number)
    os.killpg(process.pid, number)
    process.communicate()
    assert process.returncode in {code, -number}  # a shell shows both alike: the second may come at the very end
    assert imported.path.read_bytes() == before
    assert list(runtime.iterdir()) == []


def test_a_signal_to_fleece_alone_ends_the_editor(imported, runtime):
    """SIGTERM to fleece ends the editor too, before the file goes away."""
    process = start(imported, python("import os, time; print('ready', flush=True); time.sleep(60)"))
    process.terminate()
    process.communicate()  # the editor has the other end of stdout
    assert process.returncode == 143
    assert list(runtime.iterdir()) == []


def test_leftovers_of_the_dead_are_removed_at_the_next_start(imported, edit, runtime):
    """What a killed edit leaves is readable by nobody else, and removed by the next; that of a living one is not."""
    dead, alive = start(imported, WAIT), start(imported, WAIT)
    first, second = sorted(runtime.iterdir(), key=lambda path: path.stat().st_ctime_ns)
    os.killpg(dead.pid, signal.SIGKILL)
    dead.communicate()
    for path in (first, *first.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert edit("pass").exit_code == 0
    assert list(runtime.iterdir()) == [second]
    os.killpg(alive.pid, signal.SIGTERM)
    alive.communicate()
    assert list(runtime.iterdir()) == []


def test_the_folder_is_not_somebody_elses(tmp_path, monkeypatch):
    """Without a runtime directory it is in memory, or where temporary files are; links in the way are left alone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    target = tmp_path / "target"
    target.mkdir()
    with private_folder() as folder:
        assert folder.parent in {Path("/dev/shm"), Path(tempfile.gettempdir())}  # noqa: S108 (a folder of the system)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "fleece-edit-link").symlink_to(target)
    with private_folder() as folder:
        assert folder.parent == tmp_path
    assert target.is_dir()


def test_a_change_while_secrets_are_encrypted_is_not_lost(tmp_path, memory_keys, open_text):
    """What somebody writes between the first look at the file and the last is left there, and the import refuses."""
    workspace = Workspace(tmp_path / "config.yml", tmp_path / "environments.yml", resolver=None)
    service = workspace.keys = memory_keys()
    encrypt = service.encrypt
    service.encrypt = lambda items: workspace.path.write_text("# meanwhile\n") and encrypt(items)
    with pytest.raises(CommandError, match="has changed meanwhile"):
        workspace.import_(open_text.encode(), None)
    assert workspace.path.read_text() == "# meanwhile\n"


def test_two_imports_at_once(imported):
    """Of two imports of different text at once, one wins and the other refuses or comes after; the file is whole."""
    opened = imported("export").stdout
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "fleece", "config", "import"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=imported.path.parent,
            env=imported.cli.environment(),
        )
        for _ in range(2)
    ]
    outputs = [
        child.communicate(opened.replace("bar", f"bar{number}").encode()) for number, child in enumerate(children)
    ]
    foo = imported("render", "prod", "--json").json["foo"]
    winners = [f"bar{number}" for number, child in enumerate(children) if child.returncode == 0]
    assert foo in winners
    assert all(
        b"changed meanwhile" in error for child, (_, error) in zip(children, outputs, strict=True) if child.returncode
    )
