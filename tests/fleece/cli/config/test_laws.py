"""The laws of the two formats, for any configuration."""

import json
import re

import yaml
from hypothesis import HealthCheck, example, given, note, settings, strategies as st

from fleece.cli.config import closed, document, output, render
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data
from fleece.cli.errors import CommandError
from fleece_testing.strategies import open_configurations

law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def data_of(opened):
    return as_data(opened.root, lambda leaf: leaf.value)


def close(configuration, service):
    return document.parse(closed.import_(document.parse(Source("open.yml", configuration.text)), None, service))


@law
@given(open_configurations())
def test_reading_gives_what_was_written(configuration):
    """Any open configuration is read as what its writer meant."""
    assert data_of(document.parse(Source("open.yml", configuration.text))) == configuration.data


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
        return [line for line in text.splitlines() if re.match(r" *#|(stages|config): *(#|$)", line)]

    assert without_secrets(there.source.text) == without_secrets(configuration.text)
    hidden = as_data(there.root, lambda leaf: "secret" if leaf.is_secret else leaf.value)
    meant = as_data(document.parse(Source("open.yml", configuration.text)).root, lambda leaf: leaf.value)
    assert hidden == _hide(meant)


def _hide(data):
    if isinstance(data, dict):
        return {key: _hide(item) for key, item in data.items()}
    if isinstance(data, list):
        return [_hide(item) for item in data]
    return "secret" if isinstance(data, str) and data.startswith(":encrypt:") else data


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


def reference(data, stage, stages):
    """Render in the plainest way: the stage's own value, else that of the first expression that matches."""
    if isinstance(data, list):
        return [reference(item, stage, stages) for item in data]
    if not isinstance(data, dict):
        return data.removeprefix(":encrypt:") if isinstance(data, str) else data
    if not any(key.startswith("+") for key in data):
        return {key: reference(item, stage, stages) for key, item in data.items()}
    for key, item in data.items():
        if key == f"+{stage}":
            return reference(item, stage, stages)
    for key, item in data.items():
        if key.startswith("+/") and re.fullmatch(key[2:-1], stage):
            return reference(item, stage, stages)
    raise LookupError(stage)


@law
@given(open_configurations(), st.sampled_from(["dev", "prod", "feature-1", "qa7", "other"]))
def test_rendering_equals_a_plain_reference(memory_keys, configuration, stage):
    """Rendering a stage gives what the simplest reading of the rules gives, and fails where that has no answer."""
    service = memory_keys()
    there = close(configuration, service)
    known = configuration.data["stages"]
    has_stage = stage in known or any(re.fullmatch(name[1:-1], stage) for name in known if name.startswith("/"))
    try:
        expected = reference(configuration.data["config"], stage, known) if has_stage else None
    except LookupError:
        expected = None
    try:
        assert render.render(there, stage, service).data() == expected
    except CommandError:
        assert expected is None


@law
@given(open_configurations(), st.sampled_from(["dev", "prod"]))
def test_rendering_decrypts_only_what_the_stage_needs(memory_keys, configuration, stage):
    """No secret of another stage is decrypted for rendering one."""
    service = memory_keys()
    there = close(configuration, service)
    try:
        render.render(there, stage, service)
    except CommandError:
        return
    titles = {item.title for item in service.decrypted}
    assert not any(f".+{other}" in title for title in titles for other in {"dev", "prod"} - {stage})


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["yes", "n", "Y", "12:30:45", "0777", "0o17", "1e3", "1_000", "~", "<<", "=", "2026-11-22", ".inf", "a\nb\n", "\n"]
)
values = st.recursive(
    texts | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(texts, values, max_size=3))
@example({"0o0": None})
def test_yaml_output_is_the_same_to_readers_of_both_versions(data):
    """Rendered YAML is read back the same by a reader of YAML 1.1 and by one of YAML 1.2."""
    written = output.to_yaml(data)
    note(written)
    assert yaml.safe_load(written) == data
    stages = "stages: {a: {environment: b, key: c}}\nconfig:\n"
    indented = "".join(f" {line}" if line.strip("\r\n") else line for line in written.splitlines(keepends=True))
    if all(isinstance(key, str) and not key.startswith("+") and key != "<<" for key in _keys(data)):
        assert as_data(document.parse(Source("x", stages + indented)).config, lambda leaf: leaf.value) == data


def _keys(data):
    if isinstance(data, dict):
        for key, item in data.items():
            yield key
            yield from _keys(item)
    elif isinstance(data, list):
        for item in data:
            yield from _keys(item)


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


def test_json_of_a_configuration_is_json(read):
    """The JSON form is one JSON document."""
    assert json.loads(output.to_json(data_of(read("a: é"))))["config"] == {"a": "é"}
