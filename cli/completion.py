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
    assert kind is not None  # Click has all that the choice offers
    click.echo(kind(whole, {}, "dlzoo", "_DLZOO_COMPLETE").source())
    hint(SHELLS[shell])
