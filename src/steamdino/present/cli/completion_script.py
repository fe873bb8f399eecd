"""`steam-dino completion`: the script that a shell loads to complete what is typed."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import say

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell that you use.")],
) -> None:
    """Print the script that makes a shell complete commands, options, games, recipes, models and tags.

    **Examples**

    In `~/.bashrc`:

        eval "$(steam-dino completion bash)"

    In `~/.zshrc`, after `compinit`:

        eval "$(steam-dino completion zsh)"

    In `~/.config/fish/config.fish`:

        steam-dino completion fish | source
    """
    if shell not in SHELLS:
        raise UsageError(f"there is no completion for {shell!r}; the shells are: {', '.join(SHELLS)}")
    script = resources.files("steamdino.present.cli.completion") / "scripts" / f"steam-dino.{shell}"
    say(script.read_text("utf-8").rstrip("\n"))
