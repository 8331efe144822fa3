"""Reading: every rule of the format, with file, line and key."""

import pytest

from fleece.cli.config import document, loader
from fleece.cli.config.source import ConfigError, Source
from fleece.cli.config.tree import as_data

STAGES = "stages: {prod: {environment: e, key: k}}\n"
REFUSED = {
    "no YAML": ("a: [1\nb: 2", "x.yml:2: this is not YAML: while parsing a flow sequence"),
    "two documents": ("a: 1\n---\nb: 1", "x.yml:2: this is not YAML: expected a single document"),
    "a tab": (
        f"{STAGES}config:\n\ta: 1",
        "x.yml:3: this is not YAML: while scanning for the next token, found character",
    ),
    "a tab, and what to do": (f"{STAGES}config:\n  a: 1\n\tb: 1", "; YAML is indented with spaces, not with tabs"),
    "a control character": (f"{STAGES}config: {{a: \x07}}", "x.yml:2: the character U+0007 is not allowed"),
    "nothing but a comment": ("# a\n", "x.yml: there is nothing in it"),
    "no dictionary": ("- a", "x.yml:1: the configuration: must be a dictionary"),
    "no config": (STAGES, "x.yml: 'config' is missing"),
    "no stages": ("config: {}", "x.yml: 'stages' is missing"),
    "config is null": (f"{STAGES}config:\n", "x.yml:2: config: must be a dictionary"),
    "no key": ("stages:\n  prod: {environment: e}\nconfig: {}", "x.yml:2: stages.prod: 'key' is missing"),
    "no environment": ("stages: {prod: {key: e}}\nconfig: {}", "stages.prod: 'environment' is missing"),
    "a key that is a number": (
        "stages: {prod: {key: 12, environment: e}}\nconfig: {}",
        "stages.prod.key: must be a string",
    ),
    "stages are a list": ("stages: [prod]\nconfig: {}", "x.yml:1: stages: must be a dictionary"),
    "a stage is a word": ("stages: {prod: x}\nconfig: {}", "stages.prod: must be a dictionary"),
    "a bad expression": ("stages:\n  /(/: {environment: e, key: k}\nconfig: {}", "x.yml:2: stages./(/: the stage"),
    "a hanging expression": ("stages:\n  /(a+)+/: {environment: e, key: k}\nconfig: {}", "can take for ever to match"),
    "a long expression": (f"stages:\n  /{'a' * 201}/: {{environment: e, key: k}}\nconfig: {{}}", "201 characters"),
    "a long name": (f"stages:\n  {'a' * 65}: {{environment: e, key: k}}\nconfig: {{}}", "65 characters"),
    "mixed keys": (f"{STAGES}config:\n  a:\n    +prod: 1\n    b: 2", "x.yml:5: config.a: 'b' and '+prod' are mixed"),
    "an unknown stage": (f"{STAGES}config:\n  a: {{+dev: 1}}", "x.yml:3: config.a.+dev: there is no stage 'dev'"),
    "a long expression of no stage": (
        f"{STAGES}config: {{a: {{+/{'a' * 65}/: 1}}}}",
        f"x.yml:2: config.a.+/{'a' * 65}/: there is no stage",
    ),
    "a hanging expression below": (f"{STAGES}config: {{a: {{+/(a*)*/: 1}}}}", "config.a.+/(a*)*/: the stage"),
    "a key twice": (f"{STAGES}config:\n  a: 1\n  b: 1\n  a: 2", "x.yml:5: config: the key 'a' is there twice"),
    "a numeric key": (f"{STAGES}config: {{80: a}}", "x.yml:2: config: the key 80 is not a string"),
    "a collection as a key": (f"{STAGES}config: {{? [a] : b}}", "config: a key is a collection"),
    "a tag": (f"{STAGES}config: {{a: !!binary x}}", "config.a: has the YAML tag 'tag:yaml.org,2002:binary'"),
    "a tagged key": (f"{STAGES}config: {{!x a: 1}}", "config: a key has the YAML tag '!x'"),
    "a tagged list": (f"{STAGES}config: {{a: !!set [1]}}", "config.a: has the YAML tag"),
    "a secret for all stages": (f"{STAGES}config:\n  a:\n  - :encrypt:x", "x.yml:4: config.a[0]: a secret must be a"),
    "a ciphertext for all stages": (f"{STAGES}config:\n  a: :decrypt:AA==", "x.yml:3: config.a: a secret must be a"),
    "a secret among the stages": ("stages: {prod: {environment: e, key: ':encrypt:x'}}\nconfig: {}", "stages.prod.key"),
    "a secret beside config": (f"{STAGES}other: {{a: ':encrypt:x'}}\nconfig: {{}}", "other.a: a secret must be below"),
    "a secret inside of a text": (f"{STAGES}config: {{a: {{+prod: 'x :encrypt:y'}}}}", "has ':encrypt:' inside"),
    "a secret as a key": (f"{STAGES}config: {{':encrypt:y': 1}}", "config: a key has ':encrypt:' in it"),
    "a ciphertext that is not ASCII": (
        f"{STAGES}config: {{a: {{+prod: ':decrypt:AQé='}}}}",
        "config.a.+prod: the ciphertext",
    ),
    "no base64": (f"{STAGES}config: {{a: {{+prod: ':decrypt:?'}}}}", "config.a.+prod: the ciphertext"),
    "a secret of two stages": (
        "stages: {prod: &s {environment: e, key: k}, dev: *s}\nconfig: {a: {+prod: &x ':encrypt:y', +dev: *x}}",
        "config.a.+dev: shares its secret with config.a.+prod (stage prod)",
    ),
    "half a character in a key": (f'{STAGES}config: {{"\\udc00": 1}}', "config: half of a surrogate pair"),
    "a pair the wrong way round": (f'{STAGES}config: {{a: "\\ude00\\ud83d"}}', "config.a: half of a surrogate pair"),
    "half a character": (f'{STAGES}config: {{a: "\\ud800", b: :x}}', "config.a: half of a surrogate pair"),
    "thousands of digits": (f"{STAGES}config: {{a: {'1' * 5000}}}", "config.a: the number has too many digits"),
    "unbounded depth": ("[" * 200_000, "x.yml:1: collections are nested more than 100 deep"),
    "an alias in itself": (f"{STAGES}config: {{a: &a [*a]}}", "aliases make too many values"),
    "a merge of itself": (f"{STAGES}config: {{a: &a {{<<: *a}}}}", "aliases make too many values"),
    "an alias bomb": (
        f"{STAGES}config:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
        "aliases make too many values",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text, message):
    """What breaks a rule of the format is refused with its file, line and key."""
    with pytest.raises(ConfigError) as caught:
        document.parse(Source("x.yml", text))
    assert str(caught.value).startswith("x.yml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_errors_do_not_quote_the_lines_around_them():
    """A file that is no YAML is refused without showing the secrets near the mistake."""
    with pytest.raises(ConfigError) as caught:
        document.parse(Source("x.yml", "a: :encrypt:hunter2\nb: [\n"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "x is empty"), (b" \n\n", "x is empty"), (b"a: 1\nb: \xff\n", "x:2: this is not UTF-8")],
)
def test_bytes_that_are_no_text(content, message):
    """Empty input and other encodings are refused."""
    with pytest.raises(ConfigError, match=message):
        Source.decode("x", content)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("1_000", "1_000"),
        ("True", True),
        ("FALSE", False),
        ("nUll", "nUll"),
        ("~", None),
        ("", None),
        ("+", "+"),
        (".", "."),
    ],
)
def test_plain_scalars_by_the_core_schema(text, value):
    """A plain scalar is what the core schema of YAML 1.2 says."""
    found = loader.plain_value(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("stage", "belongs_to"),
    [("prod", "prod"), ("/.*/", "/.*/"), ("anything", "/.*/"), ("/p.*/", "/.*/")],
)
def test_the_stage_of_a_key(read, stage, belongs_to):
    """A ``+`` key means the stage that equals it, else the first expression that matches its text."""
    (secret,) = read(f"a: {{+{stage}: ':encrypt:x'}}").secrets()
    assert secret.stage.name == belongs_to


def test_expressions_match_in_the_order_of_the_file(read):
    """Of several expressions that match, the first of the file is meant."""
    stages = (
        "stages: {/b.*/: {environment: e, key: 1st}, /.*/: {environment: e, key: k}, /a.*/: {environment: e, key: k}}\n"
    )
    leaves = read("a: {+a: ':encrypt:x', +b: ':encrypt:x'}", stages=stages).secrets()
    assert [leaf.stage.name for leaf in leaves] == ["/.*/", "/b.*/"]


def test_an_inner_slash_is_part_of_the_expression(read):
    """``/a/b/`` is the expression ``a/b``."""
    stages = "stages: {/a/b/: {environment: e, key: k}}\n"
    (leaf,) = read("a: {+a/b: ':encrypt:x'}", stages=stages).secrets()
    assert leaf.stage.name == "/a/b/"


def test_values_of_a_stage_can_be_anything(read):
    """Falsy values, lists and dictionaries are values of a stage, and the secrets in them are that stage's."""
    config = read("a: {+prod: '', +q: 0, +r: false, +s: ~, +t: [], +u: {b: [{c: ':encrypt:x'}]}}")
    data = as_data(config.config, lambda leaf: leaf.value)
    assert data["a"] == {"+prod": "", "+q": 0, "+r": False, "+s": None, "+t": [], "+u": {"b": [{"c": ":encrypt:x"}]}}
    (secret,) = config.secrets()
    assert secret.title == "config.a.+u.b[0].c (stage /.*/)"


def test_merge_keys(read):
    """``<<`` brings the entries that a dictionary does not have itself, the first of several winning."""
    config = read("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\nd: {'<<': 1}\n")
    data = as_data(config.config, lambda leaf: leaf.value)
    assert data["c"] == {"x": 1, "z": 2, "y": 3}
    assert data["d"] == {"<<": 1}


def test_a_secret_beside_config_for_aliases_in_it():
    """Secrets may be collected outside of ``config``, if an alias there says which stage's they are."""
    parsed = document.parse(Source("x.yml", f"common: {{pw: &pw ':encrypt:x'}}\n{STAGES}config: {{a: {{+prod: *pw}}}}"))
    assert [leaf.title for leaf in parsed.secrets()] == ["config.a.+prod (stage prod)"]


@pytest.mark.parametrize("fast", [True, False])
def test_surrogate_pairs_are_joined(monkeypatch, fast):
    """A character that JSON escapes as a pair is that character, in values and in keys: JSON is YAML as well."""
    if not fast:
        monkeypatch.setattr(loader, "CParser", None)
    parsed = document.parse(Source("x.yml", STAGES + r'config: {"\ud83d\ude00": "a\ud83d\ude00"}'))
    assert as_data(parsed.config, lambda leaf: leaf.value) == {"😀": "a😀"}


def test_both_parsers_agree(monkeypatch):
    """Without libyaml the other parser reads the same."""
    text = 'stages: {a: {environment: e, key: k}}\nconfig: {"x":1, é: [a, "b", \'c\']}\n'
    fast = document.parse(Source("x", text))
    monkeypatch.setattr(loader, "CParser", None)
    assert as_data(document.parse(Source("x", text)).root, lambda leaf: leaf.value) == as_data(
        fast.root, lambda leaf: leaf.value
    )
