"""The laws of rendering, for any configuration."""

import contextlib
import io
import json
import re

import pytest
import yaml
from hypothesis import HealthCheck, example, given, note, settings, strategies as st
from ruamel.yaml import YAML

from fleece.cli.config import closed, document, forms, output, render
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data
from fleece.cli.errors import CommandError
from fleece_testing.strategies import open_configurations

law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

STAGES = ("dev", "prod", "feature-1", "qa7", "other")


def close(configuration, service):
    return document.parse(closed.import_(document.parse(Source("open.yml", configuration.text)), None, service))


def as_1_1(text):
    """Read YAML as version 1.1 has it."""
    return yaml.safe_load(text)


def as_1_2(text):
    """Read YAML as version 1.2 has it."""
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


def reference(data, stage):
    """Render in the plainest way: the stage's own value, else that of the first expression that matches."""
    if isinstance(data, list):
        return [reference(item, stage) for item in data]
    if not isinstance(data, dict):
        return data.removeprefix(":encrypt:") if isinstance(data, str) else data
    if not any(key.startswith("+") for key in data):
        return {key: reference(item, stage) for key, item in data.items()}
    for key, item in data.items():
        if key == f"+{stage}":
            return reference(item, stage)
    for key, item in data.items():
        if key.startswith("+/") and re.fullmatch(key[2:-1], stage):
            return reference(item, stage)
    raise LookupError(stage)


def expected(configuration, stage):
    """Return the values of a stage by the reference; None where there is no such stage or no value for it."""
    known = configuration.data["stages"]
    if stage not in known and not any(re.fullmatch(name[1:-1], stage) for name in known if name.startswith("/")):
        return None
    try:
        return reference(configuration.data["config"], stage)
    except LookupError:
        return None


@law
@given(open_configurations())
def test_rendering_equals_a_plain_reference(memory_keys, configuration):
    """Each stage has what the simplest reading of the rules gives, in all forms, and fails where that has no answer."""
    service = memory_keys()
    there = close(configuration, service)
    for stage in STAGES:
        meant = expected(configuration, stage)
        try:
            rendered = render.render(there, stage, service)
        except CommandError:
            assert meant is None
            continue
        text = output.to_yaml(rendered.data())
        note(text)
        assert rendered.data() == as_1_1(text) == as_1_2(text) == meant
        assert json.loads(output.to_json(rendered.data())) == meant


@law
@given(open_configurations(), st.sampled_from(["dev", "prod"]))
def test_rendering_decrypts_only_what_the_stage_needs(memory_keys, configuration, stage):
    """No secret of another stage is decrypted for rendering one, and none twice."""
    there = close(configuration, memory_keys())
    service = memory_keys()
    try:
        render.render(there, stage, service)
    except CommandError:
        return
    titles = [item.title for item in service.decrypted]
    assert len(titles) == len(set(titles))
    assert not any(f".+{other}" in title for title in titles for other in {"dev", "prod"} - {stage})


@law
@given(open_configurations(), st.sampled_from(STAGES))
def test_another_environment_decrypts_everything(memory_keys, configuration, stage):
    """With another environment, every call is for the account of that, and for none of the stages' own."""
    service = memory_keys()
    there = close(configuration, service)
    with contextlib.suppress(CommandError):  # the key service of the tests has other keys elsewhere
        render.render(there, stage, service, environment="elsewhere")
    assert {item.stage.environment for item in service.decrypted} <= {"elsewhere"}


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
@example({"a": ["yes", "12:30:45", "0o17", "1e3", "=", "<<"]})
@example({"a": [" x\ny", "\n\n x\n"], "b": {"c": [[" \nx"]]}})
def test_yaml_output_is_the_same_to_readers_of_both_versions(data):
    """Rendered YAML is read back the same by readers of YAML 1.1 and 1.2, and as a configuration."""
    written = output.to_yaml(data)
    note(written)
    assert as_1_1(written) == data
    assert as_1_2(written) == data
    stages = "stages: {a: {environment: b, key: c}}\nconfig:\n"
    indented = "".join(f" {line}" if line.strip("\r\n") else line for line in written.splitlines(keepends=True))
    if all(isinstance(key, str) and not key.startswith("+") and key != "<<" for key in _keys(data)):
        assert as_data(document.parse(Source("x", stages + indented)).config, lambda leaf: leaf.value) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (["y", "N", "yes", "o"], "- 'y'\n- 'N'\n- 'yes'\n- o\n"),
        (1, "1\n"),
        ("a: b", "'a: b'\n"),
        ({"blank": "\n"}, 'blank: "\\n"\n'),
        ({"pem": "-----BEGIN\nMII\n"}, "pem: |\n  -----BEGIN\n  MII\n"),
    ],
)
def test_yaml_is_as_people_write_it(data, text):
    """One letter can be a boolean to YAML 1.1; a value alone has no mark of its end; several lines are a block."""
    assert output.to_yaml(data) == text


def _keys(data):
    if isinstance(data, dict):
        for key, item in data.items():
            yield key
            yield from _keys(item)
    elif isinstance(data, list):
        for item in data:
            yield from _keys(item)


@law
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("é😀"), max_size=20), st.integers(1, 800)
)
@example("x", 4086)
@example("x", 4087)
def test_encrypted_pieces_join_to_the_json(memory_keys, text, repeated):
    """Each piece is text of 4,096 bytes at most, and together they are the values, whatever is in these."""
    data = {"a": text * repeated}
    stages = "stages: {prod: {environment: e, key: k}}\n"
    there = document.parse(Source("config.yml", stages + output.to_yaml({"config": data})))
    service = memory_keys()
    ciphertexts = forms.encrypted(render.render(there, "prod", service), service)
    pieces = [item.content for item in service.encrypted]
    assert len(pieces) == len(ciphertexts) == -(-len(json.dumps(data)) // 4096)
    assert all(piece.decode("ascii") for piece in pieces)
    assert json.loads(b"".join(pieces)) == data
