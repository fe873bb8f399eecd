"""A person's decisions about duplicates: read from a file, stored in the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import DIFFERENT, KEEP, SAME, Decision
from steamdino.gallery.layout import VERTICAL
from steamdino.storage.text_lines import read_lines


def decide(gallery: str | Path, decisions: Sequence[Decision]) -> None:
    """Store a person's decisions.

    Raises:
        UsageError: a game is not in the gallery.
    """
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        named = {game for one in decisions for game in (one.game, one.other)}
        known = {one.game_id for one in opened.curation.shown_by(named, VERTICAL)}
        for one in decisions:
            for game in (one.game, one.other):
                if game and game not in known:
                    raise UsageError(f"there is no game {game!r} with a banner; no decision was stored")
        opened.curation.decide(decisions)


def take_back(gallery: str | Path, game: str, other: str = "") -> bool:
    """Delete the decision about two games, or about one; return whether there was one."""
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        return opened.curation.forget(game, other)


def read_decisions(path: Path) -> list[Decision]:
    """Read a file of decisions: "A same B", "A different B" or "keep A" on each line, tabs between ids with spaces.

    Raises:
        UsageError: there is no such file, or a line cannot be read; the text names it.
    """
    made = []
    for number, line in enumerate(read_lines(path, "name a file of decisions"), 1):
        text = line.partition("#")[0].strip() if line.lstrip().startswith("#") else line.strip()
        if not text:
            continue
        parts = text.split("\t") if "\t" in text else text.split()
        if len(parts) == 2 and parts[0] == KEEP:
            made.append(Decision(parts[1], "", KEEP))
        elif len(parts) == 3 and parts[1] in (SAME, DIFFERENT) and parts[0] != parts[2]:
            made.append(Decision(parts[0], parts[2], parts[1]))
        else:
            raise UsageError(
                f"{path}, line {number}: {line[:80]!r} is not a decision; write: A same B, A different B, or keep A"
            )
    return made
