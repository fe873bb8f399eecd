"""Answers a shell's request for completions.

The first line of the answer says whether the shell adds names of ``files`` or ``folders`` of its own, or ``nothing``.
Each other line is a candidate for the whole last word; a tab and an explanation may follow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from steamdino.present.cli.completion.place import FILES, FOLDERS, Place, place

REQUEST = "__complete"
"""The first argument of a request. ``bash`` and the line up to the cursor follow, or another shell and the words."""

LONGEST_HELP = 100
"""Characters of an explanation."""


def answer(arguments: Sequence[str]) -> None:
    """Print the answer to a request.

    Args:
        arguments: those behind `REQUEST`.
    """
    shell, *rest = arguments or ("",)
    if shell == "bash":
        from steamdino.present.cli.completion.bash_words import split

        line = split(rest[0] if rest else "")
        _print(line.words[1:] or [""], line.quoted)
    else:
        _print(rest[1:] or [""], str)


def _print(words: list[str], quoted: object) -> None:
    program = json.loads((Path(__file__).parent / "commands.json").read_text("utf-8"))
    found = place(program, words)
    own = next((kind for kind in found.kinds if kind in (FILES, FOLDERS)), "nothing")
    lines = [own]
    for value, text in candidates(found):
        whole = quoted(f"{found.before}{value}") if callable(quoted) else value
        lines.append(f"{_line(whole)}\t{_line(text)[:LONGEST_HELP]}")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.stdout.write("\n".join(lines) + "\n")


def candidates(found: Place) -> Iterator[tuple[str, str]]:
    """Yield what the word may become, each with an explanation."""
    for word, text in found.words.items():
        if word.startswith(found.typed):
            yield word, text
    if found.kinds:
        from steamdino.present.cli.completion.values import values

        yield from values(found)


def _line(text: str) -> str:
    """A text without characters that would end the line, or that a terminal obeys."""
    return "".join(character if character.isprintable() else " " for character in text)
