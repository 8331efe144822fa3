"""What a shell offers behind ``fleece config``."""

import pytest


@pytest.fixture
def offered(fleece_cli, fleece_environments):
    """Return what bash is offered for what is typed, the last word being incomplete."""
    fleece_environments(production={"account": "123456789012"}, development={})
    text = "stages: {prod: {environment: e, key: k}, pre: {environment: e, key: k}, /.*/: {environment: e, key: k}}\n"
    (fleece_cli.folder / "config.yml").write_text(f"{text}config: {{}}\n")
    (fleece_cli.folder / "other.yml").write_text(f"{text.replace('pre', 'previous')}config: {{}}\n")
    (fleece_cli.folder / "broken.yml").write_text("stages: [")

    def complete(typed):
        words = f"fleece config {typed}"
        variables = {
            "_FLEECE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        result = fleece_cli(env=variables, in_process=True)
        assert result.stderr == ""
        return result.stdout.split()

    return complete


@pytest.mark.parametrize("command", ["render", "diff", "exec"])
def test_stages_and_environments(offered, command):
    """Stages come from the configuration, but for expressions, and environments from their file."""
    assert offered(f"{command} p") == ["plain,prod", "plain,pre"]
    assert offered(f"{command} ") == ["plain,prod", "plain,pre"]
    assert offered(f"-c other.yml {command} pr") == ["plain,prod", "plain,previous"]
    assert offered(f"{command} -e d") == ["plain,development"]
    assert offered(f"-e nowhere.yml {command} -e d") == []
    assert offered(f"-c broken.yml {command} p") == []


@pytest.mark.parametrize("command", ["export", "edit", "import --reencrypt"])
def test_the_stage_to_open(offered, command):
    """Stages are offered as what --stage says, too."""
    assert offered(f"{command} --stage p") == ["plain,prod", "plain,pre"]
    assert "plain,--stage" in offered(f"{command} --s")
