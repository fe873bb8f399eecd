"""Finds out what the last word of a command line is: a command, an option, or a value of some kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GAMES, GAME_LIST, WEIGHTED_GAMES = "games", "game-list", "weighted-games"
TAGS, RECIPES, STORED_RECIPES, MODELS = "tags", "recipes", "stored-recipes", "models"
FILES, FOLDERS = "files", "folders"
CHOICES = "="
"""Kinds of values. A kind that begins with the last one lists them: ``=table|json``."""

GALLERY, SNAPSHOT = ("--gallery", "-g"), "--snapshot"


@dataclass(frozen=True, slots=True)
class Place:
    """What the last word of a line may be.

    Attributes:
        typed: the part of the word that is completed.
        before: the part in front of it, which stays: ``--tag=`` of ``--tag=puz``.
        words: commands or options, each with its help.
        kinds: of values.
        gallery: what the line names with ``--gallery``; None if it names none.
        searches_elsewhere: whether the line names a packed snapshot, so that no gallery has the games.
    """

    typed: str
    before: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    kinds: Sequence[str] = ()
    gallery: str | None = None
    searches_elsewhere: bool = False


def place(program: Mapping[str, Any], words: Sequence[str]) -> Place:
    """Find the place of the last word.

    Args:
        program: what ``commands.json`` holds.
        words: of the line, without quotes, from behind the program's name to the one that is being typed, which may be
            empty.
    """
    *earlier, typed = words
    command, given, arguments, pending, ended = program, dict[str, str](), 0, "", False
    for word in earlier:
        if pending:
            given[pending], pending = word, ""
        elif word == "--" and not ended:
            ended = True
        elif word.startswith("-") and len(word) > 1 and not ended:
            name, attached = _split(command["options"], word)
            if attached is not None:
                given[name] = attached
            elif command["options"].get(name, {}).get("value") is not None:
                pending = name
            else:
                given[name] = ""
        elif "commands" in command:
            command = command["commands"].get(word, {"options": {}, "arguments": [], "repeated": False})
        else:
            arguments += 1
    gallery = next((given[name] for name in GALLERY if name in given), None)
    options = command["options"]

    def value(kinds: Sequence[str], text: str, before: str = "") -> Place:
        return Place(text, before, {}, kinds, gallery, SNAPSHOT in given)

    if pending:
        return value(options[pending]["value"], typed)
    if typed.startswith("-") and not ended:
        name, text = _split(options, typed)
        if text is not None and (kinds := options.get(name, {}).get("value")) is not None:
            return value(kinds, text, typed[: len(typed) - len(text)])
        used = {name for name in given if not options.get(name, {}).get("repeated")}
        return Place(typed, "", {name: one["help"] for name, one in options.items() if name not in used})
    if "commands" in command:
        return Place(typed, "", {name: one["help"] for name, one in command["commands"].items()})
    kinds = command["arguments"]
    if arguments < len(kinds):
        return value(kinds[arguments], typed)
    return value(kinds[-1] if command["repeated"] else (), typed)


def _split(options: Mapping[str, Any], word: str) -> tuple[str, str | None]:
    """An option's name and its value, if the word has one: ``--tag=x``, ``-gx``."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    short = word[:2]
    takes = options.get(short, {}).get("value") is not None
    return (short, word[2:]) if takes and len(word) > 2 else (word, None)
