"""`guide completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from guide.cli import cli
from guide.errors import UsageError

_WHERE = {
    "bash": "echo 'eval \"$(guide completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(guide completion zsh)\"' >> ~/.zshrc",
    "fish": "guide completion fish > ~/.config/fish/completions/guide.fish",
}


@click.command("completion", epilog="To have it always, for instance in bash: " + _WHERE["bash"])
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
def completion(shell: str) -> None:
    """Print the completion script for SHELL."""
    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"no completion for {shell}")
    click.echo(found(cli, {}, "guide", "_GUIDE_COMPLETE").source())
    click.echo(f"# To have it always: {_WHERE[shell]}")
