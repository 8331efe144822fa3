"""Import and export: what is written where, and what is kept."""

import base64
import json
import textwrap

import pytest

from fleece.cli.config import closed, document, json_input, text as texts
from fleece.cli.config.keys import Item
from fleece.cli.config.source import ConfigError, Source
from fleece.cli.config.tree import as_data
from fleece.cli.errors import CommandError


def closed_text(opened, service, there=None):
    return closed.import_(opened, there, service).text


@pytest.fixture
def sealed(keys, read):
    """Encrypt a text for a stage of `read`, as it stands after ``:decrypt:``."""
    stages = read("a: 1").stages

    def seal(text, stage="prod"):
        (ciphertext,) = keys.encrypt([Item("x", stages[stage], text.encode())])
        return base64.b64encode(ciphertext).decode()

    return seal


def below_config(text):
    return textwrap.dedent(text.partition("config:\n")[2])


ROUND_TRIPS = {
    "plain": "a: {b}\npw:\n  +prod: :decrypt:CIPHER   # rotate in May\n",
    "quotes": "pw:\n  +prod: ':decrypt:CIPHER'\n  '+dev': \":decrypt:CIPHER2\"\n",
    "flow as 1.2.1 wrote it": "pw: {+prod: :decrypt:CIPHER, +/.*/: :decrypt:CIPHER2}\n",
    "list in flow as 1.2.1 wrote it": "pw: {+prod: [:decrypt:CIPHER, b?c, {?e: :decrypt:CIPHER}]}\n",
    "long value below its key, as 1.2.1 wrote it": "pw:\n  +prod: \n    :decrypt:CIPHER\n",
    "tabs around flow as 1.2.1 wrote it": (
        "pw: {+prod: :decrypt:CIPHER,\t+/.*/:\t:decrypt:CIPHER2\t}\t# c\nb: c\t\nd:\t'g'\t\n"
    ),
    "block scalar with a comment": "pw:\n  +prod: |-  # why\n    :decrypt:CIPHER\n\n  # more\n  +dev: x\n",
    "folded block scalar": "pw:\n  +prod: >-\n    :decrypt:CIPHER\n",
    "block scalar that keeps blank lines": "pw:\n  +prod: |+\n    :decrypt:CIPHER\n\n\n  +dev: x\n",
    "block scalar with its indentation given": "pw:\n  +prod: |4\n      :decrypt:CIPHER\n",
    "ciphertext over two lines": "pw:\n  +prod: >-\n    :decrypt:CIPHER\n    \n",
    "anchors": "pw: &x\n  +prod: &pw :decrypt:CIPHER\nother: *x\nthird: {+prod: *pw}\n",
    "anchor on a line of its own": "pw:\n  +prod: &pw # the password\n    :decrypt:CIPHER\n",
    "merge keys": "base: &b\n  +prod: {pw: :decrypt:CIPHER, a: 1}\nother:\n  <<: *b\n",
    "anchor of a dictionary left of it": "pw:\n &x\n    +prod: :decrypt:CIPHER\n",
    "sequence at the column of its key": "pw:\n  +prod:\n  - :decrypt:CIPHER\n  - - :decrypt:CIPHER\n",
    "comment as deep as a block would be": "pw:\n  +prod: :decrypt:CIPHER\n    # as deep\n  +dev: 1\n",
    "comment deeper than its key": "pw:\n  +prod: :decrypt:CIPHER\n       # deep\n  +dev: 1\n",
    "last line without its break": "pw:\n  +prod: :decrypt:CIPHER",
    "line breaks of YAML 1.1": (
        "pw:\n  +prod: |-  # why\n    :decrypt:CIPHER\n \u2028   # more\n  +dev: :decrypt:CIPHER2\x85  # c\n"
    ),
    "what is equal only to Python, or not even to itself": "a: [.nan, 1, true, 1.0]\npw:\n  +prod: :decrypt:CIPHER\n",
    "tabs and trailing spaces": "a: b  \t\npw:\n  +prod: :decrypt:CIPHER \t \n",
}
SECRETS = {
    "a word": "s3cret",
    "several lines": "-----BEGIN-----\nAAA\n\n  BBB=\n-----END-----\n",
    "lines with spaces at the end": "a  \nb",
    "what YAML would misread": "x: y # z",
    "blank lines at the end": "a\n\n\n",
    "controls and Unicode": "\x00\x7f\x85\u2028é☃😀\ufeff\r\n",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("form", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_round_trip(keys, memory_keys, read, sealed, form, line_break, secret):
    """However a closed file is formatted, export and import leave its bytes, and the secret is the same in between."""
    text = form.replace("CIPHER2", sealed(secret, "/.*/")).replace("CIPHER", sealed(secret))
    there = document.parse(Source("config.yml", read(text).source.text.replace("\n", line_break), marked=True))
    opened = closed.export(there, keys)
    assert ":decrypt:" not in opened.text
    assert {leaf.plaintext for leaf in document.parse(opened).secrets()} == {secret}
    nothing_encrypted = memory_keys()
    nothing_encrypted.decrypt = keys.decrypt
    again = closed.import_(document.parse(Source.decode("<stdin>", opened.encode())), there, nothing_encrypted)
    assert again.encode() == there.source.encode()
    assert nothing_encrypted.encrypted == []


def test_several_lines_are_a_block_to_edit(keys, read, sealed):
    """A secret of several lines is exported as a literal block, with the comment beside it."""
    there = read(f"pw:\n  +prod: ':decrypt:{sealed(SECRETS['several lines'])}' # the key\n")
    assert below_config(closed.export(there, keys).text) == (
        "pw:\n  +prod: | # the key\n    :encrypt:-----BEGIN-----\n    AAA\n\n      BBB=\n    -----END-----\n"
    )


def test_an_alias_has_no_say_in_how_a_secret_is_written(keys, read, sealed):
    """What stands in a block is written as a block, also when an alias between brackets means it."""
    there = read(f"pw:\n  +prod: &pw :decrypt:{sealed(SECRETS['several lines'])}\nother: {{+prod: *pw}}\n")
    opened = below_config(closed.export(there, keys).text)
    assert opened.startswith("pw:\n  +prod: &pw |\n    :encrypt:-----BEGIN-----\n")
    assert opened.endswith("other: {+prod: *pw}\n")


@pytest.mark.parametrize("written", [":decrypt:CIPHER", ">-\n      :decrypt:CIPHER"], ids=["plain", "block"])
@pytest.mark.parametrize("spaces", [6, 10])
@pytest.mark.parametrize("end", ["\n    +dev: x\n", "\n", ""], ids=["more", "break", "nothing"])
def test_spaces_on_the_line_after_stay_there(keys, read, sealed, written, spaces, end):
    """A blank line below a secret of several lines is no part of it, however many spaces there are in it."""
    source = read("a: 1\n").source
    value = written.replace("CIPHER", sealed(SECRETS["several lines"])) + f"\n{' ' * spaces}{end}"
    if ">" in written and spaces > 6:
        value = value.replace("      :decrypt", "          :decrypt")  # fewer would make them a part of it
    there = document.parse(source.with_text(f"{source.text}  pw:\n    +prod: {value}"))
    opened = closed.export(there, keys)
    assert closed.import_(document.parse(opened), there, keys).text == there.source.text


def test_a_gap_of_any_length_is_read_in_a_moment(read):
    """Of a block scalar with a hundred thousand blank lines in it, the end is found without going through each."""
    assert not json_input.has_comments(read("a: |\n  x" + "\n" * 100_000 + "  # y\n"))


@pytest.mark.parametrize("secret", ["a\nb\x07", "a\x1b\nb", "a\nb\ufeff", "a\nb "])
def test_lines_that_no_block_can_have_are_quoted(keys, read, secret):
    """A text with a control character, also at a line's end, or with white space there, is opened in quotes."""
    written = json.dumps(f":encrypt:{secret}")
    there = closed.import_(read(f"a: {{+prod: {written}}}\nb:\n  +prod: {written}"), None, keys)
    opened = document.parse(closed.export(document.parse(there), keys))
    assert {leaf.plaintext for leaf in opened.secrets()} == {secret}


def test_new_secrets_follow_their_surroundings(keys, read):
    """A new secret is written plain or as a block where it was, and in quotes between brackets."""
    opened = read("a: {+prod: :encrypt:x}\nb:\n  +prod: :encrypt:x\n  +dev: |  # c\n     :encrypt:x\n     y\n")
    lines = below_config(closed_text(opened, keys)).splitlines()
    assert lines[0].startswith('a: {+prod: ":decrypt:')
    assert lines[0].endswith('"}')
    assert lines[2].startswith("  +prod: :decrypt:")
    assert lines[3] == "  +dev: |  # c"
    assert lines[4].startswith("     :decrypt:")
    assert len(lines) == 5


def test_block_scalars_keep_their_trailing_line_breaks(keys, read):
    """The plaintext has the line breaks at its end that the block scalar has."""
    opened = read("a:\n  +prod: |+\n    :encrypt:x\n\n  +dev: |\n    :encrypt:y\n  +qa: |-\n    :encrypt:z\n")
    there = document.parse(closed.import_(opened, None, keys))
    plaintexts = closed.decrypted(there, list(there.secrets()), keys)
    assert plaintexts == ["x\n\n", "y\n", "z"]


def test_an_item_added_to_a_list_leaves_the_ciphertexts_of_the_others(memory_keys, read):
    """Secrets that moved because a list grew are found by their plaintext."""
    service = memory_keys()
    there = document.parse(
        closed.import_(read("l:\n- {+prod: ':encrypt:a'}\n- {+prod: ':encrypt:b'}\n"), None, service)
    )
    longer = read("l:\n- {+prod: ':encrypt:new'}\n- {+prod: ':encrypt:a'}\n- {+prod: ':encrypt:b'}\n")
    result = document.parse(closed.import_(longer, there, service))
    before, after = ([leaf.ciphertext for leaf in d.secrets()] for d in (there, result))
    assert after[1:] == before
    assert len(service.encrypted) == 3


def test_equal_secrets_keep_to_their_keys(memory_keys, read):
    """Of two secrets with one text, each keeps its own ciphertext, also when their order changes."""
    service = memory_keys()
    there = document.parse(closed.import_(read("a: {+prod: ':encrypt:x'}\nb: {+prod: ':encrypt:x'}\n"), None, service))
    turned = read("b: {+prod: ':encrypt:x'}\na: {+prod: ':encrypt:x'}\n")
    result = document.parse(closed.import_(turned, there, service))
    before, after = ({leaf.path: leaf.ciphertext for leaf in d.secrets()} for d in (there, result))
    assert before == after


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ("pw: {+prod: ':encrypt:x'}\n", "pw: {+prod: ':decrypt:CIPHER'}\n"),
        ("pw:\n  +prod: :encrypt:x\n      # deep\n", "pw:\n  +prod: :decrypt:CIPHER\n      # deep\n"),
        ("pw:\n        +prod: :encrypt:x\n", "pw:\n        +prod: :decrypt:CIPHER\n"),
    ],
    ids=["between brackets", "before a deep comment", "deeper"],
)
def test_a_block_that_no_longer_fits_is_written_as_its_place_asks(keys, read, sealed, moved, expected):
    """A secret that was a block and is moved to where that block cannot be keeps its ciphertext."""
    cipher = sealed("x")
    there = read(f"pw:\n  +prod: |-\n    :decrypt:{cipher}\n")
    assert below_config(closed_text(read(moved), keys, there)) == expected.replace("CIPHER", cipher)


def test_a_secret_that_is_moved_between_brackets_is_quoted(keys, read, sealed):
    """A ciphertext that stood plain on its line has quotes in flow style, where many parsers want them."""
    cipher = sealed("x")
    there = read(f"pw:\n  +prod: :decrypt:{cipher}\n")
    moved = read('pw: {+prod: ":encrypt:x"}\n')
    assert below_config(closed_text(moved, keys, there)) == f'pw: {{+prod: ":decrypt:{cipher}"}}\n'


def test_each_ciphertext_is_used_once(memory_keys, read):
    """A secret that is copied is encrypted for its new place."""
    service = memory_keys()
    there = document.parse(closed.import_(read("a: {+prod: ':encrypt:x'}"), None, service))
    copied = read("a: {+prod: ':encrypt:x'}\nb: {+prod: ':encrypt:x'}")
    ciphertexts = [leaf.ciphertext for leaf in document.parse(closed.import_(copied, there, service)).secrets()]
    assert len(set(ciphertexts)) == 2


@pytest.mark.parametrize(
    ("old", "new"), [("alias/p", "alias/q"), ("environment: production", "environment: development")]
)
def test_another_key_or_environment_encrypts_anew(memory_keys, read, old, new):
    """The secrets of a stage whose key or environment changes are encrypted again, and those of others are not."""
    service = memory_keys()
    opened = read("a: {+prod: ':encrypt:x', +dev: ':encrypt:x'}")
    there = document.parse(closed.import_(opened, None, service))
    changed = document.parse(Source("x", opened.source.text.replace(old, new, 1)))
    result = document.parse(closed.import_(changed, there, service))
    before, after = ([leaf.ciphertext for leaf in d.secrets()] for d in (there, result))
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_an_alias_with_its_prefix_is_the_same_key(memory_keys, read):
    """A key written with and without ``alias/`` is one key."""
    service = memory_keys()
    opened = read("a: {+prod: ':encrypt:x'}")
    there = document.parse(closed.import_(opened, None, service))
    service._key = lambda item: item.stage.environment
    there = document.parse(closed.import_(opened, None, service))
    renamed = document.parse(Source("x", opened.source.text.replace("alias/p", "p")))
    service.encrypted.clear()
    closed.import_(renamed, there, service)
    assert service.encrypted == []


def test_reencrypt_rotates_the_stages_named(memory_keys, read):
    """With stages to re-encrypt, their secrets get new ciphertexts, and their lines change in nothing else."""
    service = memory_keys()
    opened = read("a:\n  +prod: ':encrypt:x' # c\n  +dev: :encrypt:y\n")
    there = document.parse(closed.import_(opened, None, service))
    result = document.parse(closed.import_(opened, there, service, reencrypt=["prod"]))
    before, after = ([leaf.ciphertext for leaf in d.secrets()] for d in (there, result))
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert there.source.text.replace(before[0], after[0]) == result.source.text


def test_what_cannot_be_decrypted_is_encrypted_again(memory_keys, read):
    """An old value that these credentials cannot open does not stand in the way of a new one."""
    opened = read("a: {+prod: ':encrypt:x'}")
    there = document.parse(closed.import_(opened, None, memory_keys()))
    other = memory_keys()
    other._key = lambda item: "another account"
    closed.import_(opened, there, other)
    assert [item.content for item in other.encrypted] == [b"x"]


def test_secrets_of_other_stages_stay_closed_and_survive(memory_keys, read):
    """Exporting one stage needs the key of that stage only; the others come back as they were."""
    service = memory_keys()
    there = document.parse(closed.import_(read("a:\n  +prod: :encrypt:x\n  +dev: :encrypt:y\n"), None, service))
    opened = closed.export(there, service, there.stages["/.*/"])
    assert [item.content[-1:] for item in service.decrypted] == [b"y"]
    assert ":encrypt:x" not in opened.text
    assert closed_text(document.parse(opened), service, there) == there.source.text


def test_what_cannot_be_exported_is_named_with_its_stage(memory_keys, read):
    """Each value that cannot be decrypted is named with its key and stage, and the first with its line."""
    there = document.parse(
        closed.import_(read("a:\n  +prod: :encrypt:x\nb:\n  +dev: :encrypt:y\n"), None, memory_keys())
    )
    other = memory_keys()
    other._key = lambda item: "another"
    with pytest.raises(ConfigError) as caught:
        closed.export(there, other)
    assert str(caught.value) == (
        "config.yml:6: config.a.+prod (stage prod): cannot be decrypted: AccessDenied: wrong key; "
        "nor can config.b.+dev (stage /.*/)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1 # was :encrypt:hunter2\n", "open.yml:5: ':encrypt:' is outside of a value and would be written"),
        ("a:\n  +prod: |- # :encrypt:hunter2\n    :encrypt:x\n", "open.yml:6: ':encrypt:' is outside"),
        ("a:\n  +prod: ':encrypt:'\n", "open.yml:6: config.a.+prod (stage prod): an empty secret cannot be encrypted"),
        (f"a:\n  +prod: :encrypt:{'é' * 2049}\n", "config.a.+prod (stage prod): a secret of 4098 bytes is too long"),
    ],
    ids=["comment", "header comment", "empty", "too long"],
)
def test_refused_before_anything_is_encrypted(memory_keys, read, text, message):
    """What cannot be closed is refused with its line, before a call is made, and without telling the secret."""
    service = memory_keys()
    with pytest.raises(CommandError) as caught:
        closed.import_(read(text, "open.yml"), None, service)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert service.encrypted == []


@pytest.mark.parametrize(
    ("line", "text"),
    [(8, "c:\n  +prod:\n  |-\n    SECRET\n"), (6, "c: {+prod: &xSECRET}\n")],
    ids=["a header at the column of its key", "a secret glued to its anchor"],
)
def test_what_cannot_be_replaced_is_named(keys, read, sealed, line, text):
    """A secret in a form that its new text cannot have is refused with its line, and with what to write instead."""
    others = f"a: {{+prod: ':decrypt:{sealed('x')}'}}\n", f"z: {{+prod: ':decrypt:{sealed('x')}'}}\n"
    there = read(text.replace("SECRET", f":decrypt:{sealed(chr(7))}").join(others))
    with pytest.raises(ConfigError) as caught:
        closed.export(there, keys)
    assert str(caught.value).startswith(f"config.yml:{line}: config.c.+prod (stage prod): cannot be replaced")
    assert str(caught.value).endswith("write it in quotes, after a space, beside its key")


def test_nothing_but_the_secrets_may_change(keys, read, sealed, monkeypatch):
    """However a secret is written: a text that then says something else than was meant is seen by nobody."""
    there = read(f"a: 1\nc: {{+prod: ':decrypt:{sealed('x')}'}}\n")
    monkeypatch.setattr(texts, "spell", lambda _value, _spot: texts.Spelling('":encrypt:y"'))
    with pytest.raises(ConfigError, match=r"^config\.yml:6: config\.c\.\+prod \(stage prod\): cannot be replaced"):
        closed.export(there, keys)


def test_a_secret_can_be_as_long_as_kms_takes(keys, read):
    """4,096 bytes are encrypted."""
    there = document.parse(closed.import_(read(f"a: {{+prod: ':encrypt:{'é' * 2048}'}}"), None, keys))
    assert closed.decrypted(there, list(there.secrets()), keys) == ["é" * 2048]


def test_json_of_another_shape_is_new_yaml(keys, memory_keys, read):
    """JSON that adds a key is written as new YAML, and unchanged secrets keep their ciphertexts."""
    service = memory_keys()
    there = document.parse(closed.import_(read("# why\na: {+prod: ':encrypt:x'}"), None, service))
    source = Source(
        "<stdin>",
        '{"stages": {"prod": {"environment": "production", "key": "alias/p"}},'
        ' "config": {"a": {"+prod": ":encrypt:x"}, "new": "yes"}}',
    )
    data = json_input.load(source)
    assert json_input.in_place(source, data, there) is None
    assert json_input.has_comments(there)
    service.encrypted.clear()
    text = closed_text(document.parse(json_input.as_yaml(source, data)), service, there)
    assert service.encrypted == []
    assert text == (
        "stages:\n  prod:\n    environment: production\n    key: alias/p\n"
        f"config:\n  a:\n    +prod: ':decrypt:{next(there.secrets()).ciphertext}'\n  new: 'yes'\n"
    )


def test_json_of_the_same_shape_changes_only_what_differs(memory_keys, read):
    """Values that JSON changes are replaced in the text that is there, comments and order kept."""
    service = memory_keys()
    there = document.parse(
        closed.import_(read("b: 1   # one\na: [x, null, ~]\nc:\nd: {+prod: ':encrypt:x'}\n"), None, service)
    )
    stages = '"stages": {"/.*/": {"key": "d", "environment": "development"},'
    source = Source(
        "<stdin>",
        f'{{{stages} "prod": {{"environment": "production", "key": "alias/p"}}}},'
        ' "config": {"a": ["yes: no", null, 3], "b": true, "c": "é", "d": {"+prod": ":encrypt:x"}}}',
    )
    opened = json_input.in_place(source, json_input.load(source), there)
    text = closed_text(document.parse(opened), service, there)
    cipher = next(there.secrets()).ciphertext
    expected = f"b: true   # one\na: [\"yes: no\", null, 3]\nc: é\nd: {{+prod: ':decrypt:{cipher}'}}\n"
    assert below_config(text) == expected


@pytest.mark.parametrize("text", ["c: {a, b: 1}", "c:\n  ? a\n  ? b\n  : 1\n"])
def test_json_gives_no_value_to_a_key_without_a_place_for_one(read, text):
    """A key that stands alone, with not even a colon, makes new YAML of JSON that has a value for it."""
    there = read(text)
    data = as_data(there.root, lambda leaf: leaf.value)
    data["config"]["c"]["a"] = "x"
    source = Source("<stdin>", json.dumps(data))
    assert json_input.in_place(source, data, there) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": {"x": 1, "x": 2}}', "the key 'x' is there twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "collections are nested too deep"),
    ],
    ids=["duplicate", "constant", "surrogate", "nested"],
)
def test_json_that_no_configuration_can_have(text, message):
    """JSON with what YAML or KMS could not take is refused by name."""
    with pytest.raises(ConfigError, match=message):
        json_input.load(Source("<stdin>", text))
