"""What the pages say of ``fleece run``."""

import configparser
import re
import shlex
from pathlib import Path

import pytest

from fleece.cli.environments import parse

ROOT = Path(__file__).parents[4]
GUIDE = ROOT / "docs" / "how-to" / "run-with-credentials.md"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", [GUIDE, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_files_are_right(page, caplog):
    """Each ``environments.yml`` shown is read, without a warning."""
    texts = [text for text in blocks(page, "yaml") if "environments:" in text]
    assert texts
    for text in texts:
        assert parse(text).environments
    assert caplog.messages == []


def test_the_profile_is_right(fleece_cli, fleece_environments):
    """The line for ``~/.aws/config`` prints what AWS's tools want."""
    fleece_environments(staging={})
    (text,) = blocks(GUIDE, "ini")
    config = configparser.ConfigParser()
    config.read_string(text)
    line = config["profile staging"]["credential_process"]
    line = line.replace("/home/me/service/environments.yml", str(fleece_cli.folder / "environments.yml"))
    fleece, *arguments = shlex.split(line)
    assert fleece == "fleece"
    assert fleece_cli(*arguments).json["Version"] == 1


def test_every_option_shown_is_there(fleece_cli):
    """Options that the page names are options of the command."""
    named = set(re.findall(r"`(--[a-z-]+)", GUIDE.read_text(encoding="utf-8"))) - {"--"}
    known = fleece_cli("run", "--help", in_process=True).stdout
    assert named
    assert not [option for option in named if f"{option} " not in known]
