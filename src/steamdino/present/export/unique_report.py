"""Unique games and diverse sets as JSON, CSV, a page and a sheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from steamdino.analysis.unique import UniqueGame
from steamdino.present.display_text import inert
from steamdino.present.export.html_page import write_page
from steamdino.present.export.markup import LinkedPicture, PictureLinks, grid, section
from steamdino.present.export.mosaic import Tile, mosaic, write_png

ACROSS = 10


def as_json(found: Sequence[UniqueGame], recipe: str, kind: str) -> str:
    """A list as one JSON object; `kind` is "unique" or "diverse"."""
    return json.dumps(
        {"kind": kind, "recipe": recipe, "games": [_record(one) for one in found]},
        ensure_ascii=False,
        indent=2,
    )


def as_csv(found: Sequence[UniqueGame]) -> str:
    """A list as CSV with a header."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["rank", "id", "name", "similarity", "closest id", "closest name", "closest similarity"])
    for one in found:
        other = one.closest
        texts = [inert(text) for text in (one.game.id, one.game.name)]
        others = [inert(other.id), inert(other.name)] if other else ["", ""]
        rows.writerow([one.rank, *texts, _six(one.similarity), *others, _six(one.closest_similarity)])
    return file.getvalue().removesuffix("\r\n")


def as_ids(found: Sequence[UniqueGame]) -> str:
    """One id on each line."""
    return "\n".join(one.game.id for one in found)


def as_wiki(found: Sequence[UniqueGame], to: PictureLinks, link: LinkedPicture) -> str:
    """Each game with its closest one, then all of them in a grid, in the markup that `link` writes."""
    pairs = [
        section(one.game, to.of(one.game), [one.closest] if one.closest else [], to, link) for one in found
    ]
    return "\n\n".join([*pairs, grid([one.game for one in found], to, link)])


def write_list(path: Path, found: Sequence[UniqueGame], *, title: str, note: str) -> None:
    """Write the games, each beside its closest one, as one page."""
    write_page(path, "unique_games.html.jinja", option="--html", title=title, note=note, found=found)


def write_grid(path: Path, found: Sequence[UniqueGame], *, title: str) -> None:
    """Write the games' banners as one PNG."""
    tiles = [
        Tile(one.game.location, one.game.name, "" if one.similarity is None else f"{one.similarity:.3f}")
        for one in found
    ]
    write_png(path, mosaic(tiles, title, across=ACROSS), "--sheet")


def _record(one: UniqueGame) -> dict[str, Any]:
    other = one.closest
    return {
        "rank": one.rank,
        "id": one.game.id,
        "name": one.game.name,
        "similarity": None if one.similarity is None else round(one.similarity, 6),
        "closest": other and {"id": other.id, "name": other.name, "similarity": _round(one)},
        "url": one.game.url,
        "picture": str(one.game.picture) if one.game.picture else None,
    }


def _round(one: UniqueGame) -> float | None:
    return None if one.closest_similarity is None else round(one.closest_similarity, 6)


def _six(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
