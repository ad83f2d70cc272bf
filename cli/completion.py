"""`dlzoo completion`: the script that completes dlzoo's words in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cli.options import Choice
from cli.output import hint

SHELLS = {
    "bash": "dlzoo completion bash > ~/.local/share/bash-completion/completions/dlzoo",
    "zsh": "dlzoo completion zsh > ~/.zfunc/_dlzoo",
    "fish": "dlzoo completion fish > ~/.config/fish/completions/dlzoo.fish",
}


@click.command("completion")
@click.argument("shell", type=Choice(list(SHELLS)), metavar="SHELL")
def command(shell: str) -> None:
    """Print the completion script of a SHELL: bash, zsh or fish."""
    from cli.main import command as whole

    kind = get_completion_class(shell)
    assert kind is not None  # Click has a class for each of the choices
    script = kind(whole, {}, "dlzoo", "_DLZOO_COMPLETE").source()
    click.echo(_without_space(script) if shell == "bash" else script)
    hint(SHELLS[shell])


def _without_space(script: str) -> str:
    """Return Click's script for bash, changed so that no space follows a completed ``KEY=``."""
    taken = "COMPREPLY+=($value)\n"
    return script.replace(taken, f"{taken}            [[ $value == *= ]] && compopt -o nospace\n")
