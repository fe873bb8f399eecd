"""Describes the commands for completion: the contents of ``commands.json``. A test fails when that file is stale."""

from __future__ import annotations

import re
from typing import Any

import typer

from steamdino.present.cli.completion.place import (
    CHOICES,
    FILES,
    FOLDERS,
    GAME_LIST,
    GAMES,
    MODELS,
    RECIPES,
    TAGS,
    WEIGHTED_GAMES,
)
from steamdino.present.cli.completion.place import STORED_RECIPES as STORED

ANY_RECIPE = ("build", "evaluate", "train", "show")
"""Commands that take a recipe that the gallery need not have."""

KINDS = {
    "APPID": [GAMES],
    "GAME": [GAMES],
    "ID": [GAMES],
    "ID,": [GAME_LIST],
    "QUERY": [GAMES, FILES],
    "A": [GAMES, FILES],
    "B": [GAMES, FILES],
    "[N*]X": [WEIGHTED_GAMES, FILES],
    "TAG": [TAGS],
    "MODEL": [MODELS],
    "RECIPE": [RECIPES],
    "PICTURE": [FILES],
    "FILE": [FILES],
    "PATH": [FILES],
    "DIR": [FOLDERS],
    "FOLDER": [FOLDERS],
    "FILE|DIR": [FILES],
    "DIR|FILE": [FILES],
}
"""What can be completed, by how the help pages call a value."""


def describe(app: typer.Typer) -> dict[str, Any]:
    """Describe an app's commands.

    Returns:
        For each command ``help``; ``commands`` or ``arguments`` (kinds of each, and whether the last may be repeated);
        and ``options``, each with its ``help``, its ``value`` (kinds, or null for a flag) and whether it may be
        ``repeated``.
    """
    return _command(typer.main.get_command(app), "")


def _command(command: Any, name: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    arguments: list[list[str]] = []
    repeated = False
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            arguments.append(_kinds(parameter.metavar or "", name))
            repeated = parameter.nargs == -1
            continue
        text = _summary(parameter.help or "")
        value = None if parameter.is_flag else _kinds(parameter.metavar or "", name, parameter.opts)
        names = (*parameter.opts, *parameter.secondary_opts)
        options |= {one: {"help": text, "value": value, "repeated": parameter.multiple} for one in names}
    options["--help"] = {"help": "Show the help page.", "value": None, "repeated": False}
    described: dict[str, Any] = {"help": _summary(command.help or ""), "options": options}
    if commands := getattr(command, "commands", None):
        described["commands"] = {one: _command(inner, one) for one, inner in commands.items()}
    else:
        described |= {"arguments": arguments, "repeated": repeated}
    return described


def _kinds(metavar: str, command: str, names: list[str] | None = None) -> list[str]:
    if names and "--recipe" in names:
        return [RECIPES if command in ANY_RECIPE else STORED]
    if metavar == "[N*]X":
        return KINDS[metavar]
    plain = metavar.replace("...", "").strip("[]")
    if re.fullmatch(r"[a-z0-9-]+(\|[a-z0-9-]+)+", plain):
        return [f"{CHOICES}{plain}"]
    return KINDS.get(plain, [])


def _summary(text: str) -> str:
    """The first sentence, without Markdown."""
    first = re.split(r"(?<=[.])\s", " ".join(text.split()), maxsplit=1)[0]
    return first.replace("`", "").replace("**", "").rstrip(".")
