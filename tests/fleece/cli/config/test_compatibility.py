"""Files that fleece 1.2.1 has closed; the layout of each is what it wrote, run for this purpose."""

import base64
import re

import pytest

from fleece.cli.config import closed, document, render
from fleece.cli.config.keys import Item
from fleece.cli.config.source import Source
from fleece.cli.config.tree import Stage

WRITTEN = """\
# head comment
stages:
  prod:                                 # stage definitions
    environment: prod
    key: prod-key-here
  /foo.*/:
    environment: dev
    key: k2
  /.*/:
    environment: dev
    key: alias/dev-key-here
config:
  foo: bar
  yes: off
  t: 12:30:45
  oct: 0777
  oct2: 0o777
  n:
  q: yes
  f: 1e3
  password:
    +foobar: :decrypt:<my-dev-password for k2>
    +/foo-x/: :decrypt:<fx for alias/dev-key-here>
    +prod: :decrypt:<my-prod-password for prod-key-here>
    +/.*/: :decrypt:<my custom: password for alias/dev-key-here>
  empty: {+prod: '', +/.*/: x?}
  multi:
    +prod: |-
      :decrypt:<line1
line2
 for prod-key-here>
    +/.*/: >-
      :decrypt:<folded text for alias/dev-key-here>
  nested:
    inner_var: value
    a_list:
    - username1: {+prod: bob-prod, +/.*/: bob-dev}
      password1: {+prod: :decrypt:<bob-prod-pw for prod-key-here>, +/.*/: :decrypt:<bob-dev-pw for alias/dev-key-here>}
  deep:
    +prod: {a: :decrypt:<x for prod-key-here>, l: [:decrypt:<y for prod-key-here>, 1]}
    +/.*/:
      a: :decrypt:<xx for alias/dev-key-here>
      l:
      - :decrypt:<yy for alias/dev-key-here>
      - 2
  long:
    +/.*/: aaa
    +prod:\x20
      :decrypt:<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa for prod-key-here>
"""


@pytest.fixture
def there(keys):
    """Fill in ciphertexts, and read the file."""

    def ciphertext(match):
        environment = "prod" if match[2].startswith("prod") else "dev"
        (made,) = keys.encrypt([Item("x", Stage("x", environment, match[2]), match[1].encode())])
        return base64.b64encode(made).decode()

    return document.parse(Source("config.yml", re.sub(r"<([^<>]*) for ([^>]*)>", ciphertext, WRITTEN)))


def test_it_is_rendered_as_1_2_1_did(there, keys):
    """Every value is what 1.2.1 rendered."""
    data = render.render(there, "prod", keys).data()
    assert data.pop("long").strip("a") == ""
    assert data == {
        "foo": "bar",
        "yes": "off",
        "t": "12:30:45",
        "oct": 777,
        "oct2": 511,
        "n": None,
        "q": "yes",
        "f": 1000.0,
        "password": "my-prod-password",
        "empty": "",
        "multi": "line1\nline2\n",
        "nested": {"inner_var": "value", "a_list": [{"username1": "bob-prod", "password1": "bob-prod-pw"}]},
        "deep": {"a": "x", "l": ["y", 1]},
    }
    assert render.render(there, "foobar", keys).data()["password"] == "my-dev-password"
    assert render.render(there, "foo-x", keys).data()["password"] == "fx"
    assert render.render(there, "else", keys).data()["deep"] == {"a": "xx", "l": ["yy", 2]}


def test_it_survives_a_round_trip(there, keys):
    """Exported and imported again it is the same, byte for byte."""
    assert closed.import_(document.parse(closed.export(there, keys)), there, keys).encode() == there.source.encode()


def test_what_1_2_1_exported_is_imported(there, keys):
    """Open secrets without quotes between brackets, which 1.2.1 wrote too, are read."""
    text = re.sub(r":decrypt:<([^<>\n]*) for [^>]*>", r":encrypt:\1", WRITTEN.replace("my custom: ", ""))
    text = re.sub(
        r":decrypt:<([^<>]*)\n for [^>]*>", lambda match: ":encrypt:" + match[1].replace("\n", "\n      "), text
    )
    assert ":decrypt:" not in text
    assert "{a: :encrypt:x, l: [:encrypt:y, 1]}" in text
    plain = document.parse(closed.import_(document.parse(Source("<stdin>", text)), there, keys))
    assert render.render(plain, "prod", keys).data()["deep"] == {"a": "x", "l": ["y", 1]}
