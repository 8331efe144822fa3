"""The laws of the two formats, for any configuration."""

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st

from fleece.cli.config import closed, document, output
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data
from fleece.cli.config.workspace import Workspace
from fleece.cli.errors import CommandError
from fleece_testing.strategies import open_configurations

# Whole lines of comments as the strategy writes them: any other that begins with # is a line of a block scalar.
LINE_OF_NO_SECRET = re.compile(r" *# (?:a comment: with|é:\t|secrets of|among brackets)|(?:stages|config): *(?:#|$)")

law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def data_of(opened):
    return as_data(opened.root, lambda leaf: leaf.value)


def close(configuration, service):
    return document.parse(
        closed.import_(document.parse(Source.decode("open.yml", configuration.content)), None, service)
    )


@law
@given(open_configurations())
def test_reading_gives_what_was_written(configuration):
    """Any open configuration is read as what its writer meant."""
    assert data_of(document.parse(Source.decode("open.yml", configuration.content))) == configuration.data


@law
@given(open_configurations())
def test_export_and_import_change_no_byte_and_encrypt_nothing(memory_keys, configuration):
    """What is exported and imported again unchanged is the same file, byte for byte, with no call to encrypt."""
    there = close(configuration, memory_keys())
    service = memory_keys()
    opened = closed.export(there, service)
    assert data_of(document.parse(opened)) == configuration.data
    assert closed.import_(document.parse(opened), there, service).encode() == there.source.encode()
    assert service.encrypted == []


@law
@given(open_configurations())
def test_the_closed_text_is_the_open_one_but_for_its_secrets(memory_keys, configuration):
    """Closing a configuration leaves no secret, and everything that is no secret, comments included."""
    there = close(configuration, memory_keys())
    assert ":encrypt:" not in there.source.text

    def without_secrets(text):
        return [line for line in text.splitlines() if LINE_OF_NO_SECRET.match(line)]

    assert without_secrets(there.source.text) == without_secrets(configuration.text)
    hidden = as_data(there.root, lambda leaf: "secret" if leaf.is_secret else leaf.value)
    meant = as_data(document.parse(Source.decode("open.yml", configuration.content)).root, lambda leaf: leaf.value)
    assert hidden == _hide(meant)


def _hide(data):
    if isinstance(data, dict):
        return {key: _hide(item) for key, item in data.items()}
    if isinstance(data, list):
        return [_hide(item) for item in data]
    return "secret" if isinstance(data, str) and data.startswith(":encrypt:") else data


@law
@given(open_configurations(has_secret=True), st.data())
def test_any_edits_change_the_ciphertexts_of_exactly_the_secrets_edited(memory_keys, configuration, data):
    """Whichever secrets are edited, those and no others are encrypted anew, and keep their places."""
    service = memory_keys()
    there = close(configuration, service)
    opened = closed.export(there, service)
    before = [leaf.ciphertext for leaf in there.secrets()]
    edited = data.draw(st.sets(st.integers(0, len(before) - 1)))
    pieces = opened.text.split(":encrypt:")
    text = pieces[0] + "".join(
        f":encrypt:{f'new{number}' if number in edited else ''}{piece}" for number, piece in enumerate(pieces[1:])
    )
    service.encrypted.clear()
    result = document.parse(closed.import_(document.parse(opened.with_text(text)), there, service))
    changed = [one != leaf.ciphertext for one, leaf in zip(before, result.secrets(), strict=True)]
    assert changed == [number in edited for number in range(len(before))]
    assert len(service.encrypted) == len(edited)


@law
@given(open_configurations(has_secret=True), st.data())
def test_one_edit_changes_one_ciphertext_and_one_line(memory_keys, configuration, data):
    """Editing one secret encrypts that one, and changes one line of the closed file."""
    service = memory_keys()
    there = close(configuration, service)
    before = [leaf.ciphertext for leaf in there.secrets()]
    at = data.draw(st.integers(0, len(before) - 1))
    service.encrypted.clear()
    pieces = configuration.text.split(":encrypt:")
    edited = ":encrypt:".join(pieces[: at + 1]) + ":encrypt:x" + ":encrypt:".join(pieces[at + 1 :])
    result = document.parse(closed.import_(document.parse(Source("open.yml", edited)), there, service))
    after = [leaf.ciphertext for leaf in result.secrets()]
    assert len(service.encrypted) == 1
    assert [one != other for one, other in zip(before, after, strict=True)] == [i == at for i in range(len(before))]
    lines = zip(there.source.text.splitlines(), result.source.text.splitlines(), strict=True)
    assert sum(one != other for one, other in lines) == 1


@law
@given(open_configurations())
def test_json_is_the_same_as_yaml(memory_keys, configuration):
    """The configuration as JSON, imported in place of the YAML, changes no byte either."""
    from fleece.cli.config import json_input

    there = close(configuration, memory_keys())
    service = memory_keys()
    opened = closed.export(there, service)
    given_json = Source("<stdin>", output.to_json(data_of(document.parse(opened))))
    in_place = json_input.in_place(given_json, json_input.load(given_json), there)
    assert closed.import_(document.parse(in_place), there, service).encode() == there.source.encode()
    assert service.encrypted == []


DAMAGE = [":encrypt:x", "# :encrypt:x\n", "+nobody: ", "[", "}", "\t", "\x07", "*a", "!!x ", "---\n", "+"]


@law
@given(open_configurations(has_secret=True), st.sampled_from(DAMAGE), st.floats(0, 1))
def test_what_is_refused_leaves_the_file_untouched(memory_keys, tmp_path_factory, configuration, damage, where):
    """Wherever an open text is damaged: it is refused and the file is the old one, or the file is whole and closed."""
    workspace = Workspace(tmp_path_factory.mktemp("law") / "config.yml", Path("no-environments.yml"), resolver=None)
    workspace.keys = memory_keys()
    before = close(configuration, workspace.keys).source.encode()
    workspace.path.write_bytes(before)
    at = int(where * len(configuration.text))
    damaged = configuration.text[:at] + damage + configuration.text[at:]
    try:
        workspace.import_(damaged.encode(), before)
    except CommandError:
        assert workspace.path.read_bytes() == before
    else:
        assert ":encrypt:" not in workspace.document().source.text
    assert list(workspace.path.parent.iterdir()) == [workspace.path]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("{}[]:-+/&*<|>'\"\n #a!", max_size=40))
def test_any_text_is_read_or_refused(text):
    """No text makes the reader fail in any other way than with a message."""
    try:
        document.parse(Source.decode("x.yml", text.encode()))
    except CommandError as error:
        message = str(error)
    else:
        message = "x.yml"
    assert message.startswith("x.yml")
