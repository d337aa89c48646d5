import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from natya.cli.app import app

BIN = Path(sys.executable).parent
COMPLETE = """
COMP_WORDS=(natya {words}) COMP_CWORD={place}
_natya_completion
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def script(shell):
    printed = CliRunner().invoke(app, ["completion", shell])
    assert printed.exit_code == 0, printed.output
    return printed.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
class TestBash:
    @pytest.mark.parametrize(
        ("words", "place", "found"),
        [("comp", 1, ["completion"]), ("service ins", 2, ["install"]), ("run --prof", 2, ["--profile"])],
    )
    def test_completes_commands_and_options(self, words, place, found):
        program = script("bash") + COMPLETE.format(words=words, place=place)
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(
            [shutil.which("bash"), "--norc", "-c", program], capture_output=True, text=True, check=True, env=environment
        )

        assert done.stdout.split() == found


@pytest.mark.parametrize(("shell", "word"), [("zsh", "#compdef natya"), ("fish", "complete --command natya")])
def test_another_shell_has_a_script_that_asks_natya(shell, word):
    text = script(shell)

    assert text.startswith(word)
    assert f"_NATYA_COMPLETE=complete_{shell}" in text


def test_a_shell_that_is_not_known_is_a_wrong_use():
    assert CliRunner().invoke(app, ["completion", "csh"]).exit_code == 2
