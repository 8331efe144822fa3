"""Container paths in text, and back. Pure."""

import pytest
from hypothesis import given, strategies as st

from fleece_testing._docker.paths import PathMap, moved_script

PATHS = PathMap("/private/tree")

names = st.text("abcXYZ019._-", min_size=1, max_size=8).filter(lambda name: name[0] not in ".-_")
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("text", "led"),
    [
        ("/", "/private/tree"),
        ("/a/b", "/private/tree/a/b"),
        ("--target=/out", "--target=/private/tree/out"),
        ("-r/in/requirements.txt", "-r/private/tree/in/requirements.txt"),
        ("/a:/b", "/private/tree/a:/private/tree/b"),
        ("file:///wheels", "file:///private/tree/wheels"),
        ("print(open('/a').read(), 6 / 3)", "print(open('/private/tree/a').read(), 6 / 3)"),
        ("${X:-/a}", "${X:-/private/tree/a}"),
    ],
)
def test_paths_lead_into_the_tree(text, led):
    """A path at the beginning of a word is led into the tree."""
    assert PATHS.to_host(text) == led


@pytest.mark.parametrize(
    "text", ["https://user:word@example/simple/", "a/b", "./a", "$HOME/a", "~/a", "s/a/b/", "/dev/null", "2>/dev/null"]
)
def test_what_is_no_path_stays(text):
    """URLs, relative paths and this machine's own stay as they are."""
    assert PATHS.to_host(text) == text


def test_a_shells_script_may_name_the_root():
    """A lone slash is a path in what follows a shell's ``-c``, and nowhere else."""
    assert PATHS.arguments(["sh", "-c", "cd / && ls", "/"]) == ["sh", "-c", "cd /private/tree && ls", "/private/tree"]
    assert PATHS.arguments(["python", "-c", "6 / 3"]) == ["python", "-c", "6 / 3"]


@given(
    st.lists(paths, min_size=1, max_size=4).filter(
        lambda all_: not any(p.startswith(("/dev", "/proc", "/sys")) for p in all_)
    )
)
def test_output_is_led_back(given_paths):
    """What a program prints of its arguments is what it was given."""
    text = ":".join(given_paths)
    assert PATHS.to_container(PATHS.to_host(text).encode()) == text.encode()


@given(paths)
def test_links_are_led_back(path):
    """A link's target is the same after it went in and came out."""
    assert PATHS.link_to_container(PATHS.link_to_host(path)) == path


def test_links_of_similar_trees_stay():
    """A folder whose name only begins like the tree's is another one."""
    assert PATHS.link_to_container("/private/tree-2/a") == "/private/tree-2/a"


def test_scripts_name_their_interpreter_in_the_new_tree():
    """The first lines of a script move with it; its text and other files stay."""
    script = b"#!/old/bin/python\nprint('/old')\n"
    assert moved_script(script, "/old", "/new") == b"#!/new/bin/python\nprint('/old')\n"
    assert moved_script(b"/old/bin", "/old", "/new") == b"/old/bin"
