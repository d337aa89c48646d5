"""`natya completion`: completion of the shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from ..options import JsonOption
from ..session import tell_answer


class Shell(StrEnum):
    """A shell that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPTS: Final = {
    Shell.BASH: """\
_natya_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _NATYA_COMPLETE=complete_bash natya ) )
}
complete -o default -F _natya_completion natya""",
    Shell.ZSH: """\
#compdef natya
_natya() {
    eval $(env COLUMNS=9999 _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _NATYA_COMPLETE=complete_zsh natya)
}
if [ "$funcstack[1]" = _natya ]; then
    _natya "$@"
else
    compdef _natya natya
fi""",
    Shell.FISH: (
        "complete --command natya --no-files"
        ' --arguments "(env COLUMNS=9999 _NATYA_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args'
        ' _TYPER_COMPLETE_ARGS=(commandline -cp) natya)"'
        ' --condition "env _NATYA_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=is-args'
        ' _TYPER_COMPLETE_ARGS=(commandline -cp) natya"'
    ),
}
"""What asks natya itself, each time, so that it never lags behind the commands there are.

Help is one line, however wide the terminal: fish takes each line for a candidate. zsh loads the file as the body of
`_natya` at the first key, which has to be answered, too; read by `source` it has to register itself.
"""


def command(
    shell: Annotated[Shell, typer.Argument(help="Which shell.", show_default=False)], *, json: JsonOption = False
) -> None:
    """Print a script that completes natya's commands and options.

    bash: natya completion bash > ~/.local/share/bash-completion/completions/natya

    zsh: natya completion zsh > a file _natya in a folder of $fpath

    fish: natya completion fish > ~/.config/fish/completions/natya.fish
    """
    tell_answer({"shell": shell.value, "script": SCRIPTS[shell]}, SCRIPTS[shell], json=json)
