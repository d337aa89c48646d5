import os
import re
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


ZSH = """
fpath=({folder} $fpath)
_arguments() {{ print -r -- ${{(j: :)${{(f)1}}}} }}
compdef() {{ print -r -- compdef "$@" }}
autoload -U _natya
words=(natya {words}) CURRENT=2
_natya
source {folder}/_natya
"""


class TestZsh:
    @pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
    def test_completes_at_the_first_key_too_and_registers_itself_where_it_is_sourced(self, tmp_path):
        """zsh loads the file as the body of `_natya` when that is called for the first time."""
        (tmp_path / "_natya").write_text(script("zsh"))
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        program = ZSH.format(folder=tmp_path, words="comp")
        done = subprocess.run(
            [shutil.which("zsh"), "-f", "-c", program], capture_output=True, text=True, check=True, env=environment
        )

        first, second = done.stdout.splitlines()
        assert '"completion":"Print a script that completes' in first
        assert second == "compdef _natya natya"


@pytest.mark.parametrize("words", ["natya ", "natya run --", "natya completion "])
def test_fish_is_told_one_candidate_a_line_however_long_its_help(words):
    given = dict(re.findall(r"([A-Z_]+)=([\w-]+)", script("fish").partition(" --condition")[0]))
    environment = {**os.environ, **given, "_TYPER_COMPLETE_ARGS": words}
    done = subprocess.run([BIN / "natya"], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.splitlines()
    for line in done.stdout.splitlines():
        assert re.fullmatch(r"[a-z-]+(\t.+)?", line)


@pytest.mark.parametrize(("shell", "word"), [("zsh", "#compdef natya"), ("fish", "complete --command natya")])
def test_another_shell_has_a_script_that_asks_natya(shell, word):
    text = script(shell)

    assert text.startswith(word)
    assert f"_NATYA_COMPLETE=complete_{shell}" in text


def test_a_shell_that_is_not_known_is_a_wrong_use():
    assert CliRunner().invoke(app, ["completion", "csh"]).exit_code == 2
