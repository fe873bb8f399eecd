"""The page of a map, and the data that it loads when it needs it.

::

    <folder>/
      index.html                          the page: drag, zoom, search; works from a disk, without a network
      data/cells/<row>/<column>.js        the games of `SIDE` times `SIDE` cells
      data/names/...js                    where games are found by name and by id; see `name_pages`
      banners/<aa>/<digits>.jpg           pictures, shown where the tiles would be blurred

The data are scripts, since browsers let no page read other files of the disk.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from steamdino.present.export.atlas import CELL, TILE, Atlas
from steamdino.present.export.html_page import render, script_and_digest
from steamdino.present.export.map_tiles import BANNER
from steamdino.present.export.name_pages import NamePages
from steamdino.present.export.output_folders import PAGE
from steamdino.present.export.reviews import reviews
from steamdino.present.export.scaled_pictures import MARK, ScaledPictures, banner_place
from steamdino.records import Progress

KIND = "map"
"""What the folder's page says of itself, so that only a folder that was made here is replaced."""

SIDE = 20
"""Cells of a block, in both directions: about 50 KB of names and addresses."""


def write_map_page(
    atlas: Atlas,
    folder: Path,
    database: Path,
    title: str,
    *,
    pictures: ScaledPictures | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the page of a map and its data into the folder of the tiles.

    Args:
        atlas: what it shows.
        folder: where.
        database: a temporary file.
        title: the page's heading.
        pictures: writes those that the page shows at full zoom; None to do without them.
        progress: called with (games, total).

    Raises:
        OSError: something cannot be written.
    """
    names = NamePages(database)
    done = 0
    places: set[str] = set()
    for top in range(0, atlas.shape[0], SIDE):
        for left in range(0, atlas.shape[1], SIDE):
            games = atlas.games(top, left, SIDE, SIDE)
            block: list[Any] = [0] * (SIDE * SIDE)
            shown = pictures.write(list(games.values()), lambda: None) if pictures else [False] * len(games)
            for ((row, column), game), has in zip(games.items(), shown, strict=True):
                place = banner_place(game.sha256) if has else ""
                places.add(place)
                block[(row - top) * SIDE + column - left] = [game.name, game.id, game.url or "", place]
            _write(folder, f"cells/{top // SIDE}/{left // SIDE}", _compact(block))
            names.add(
                (row * atlas.shape[1] + column, game.name, game.id, reviews(game))
                for (row, column), game in games.items()
            )
            done += len(games)
            if progress:
                progress(done, len(atlas.rows))
    if pictures:
        pictures.tidy(places)
    names.write(lambda place, content: _write(folder, f"names/{place}", content))
    (folder / PAGE).write_text(_page(atlas, title), "utf-8")


def _write(folder: Path, place: str, content: str) -> None:
    path = folder / "data" / f"{place}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"loaded({_compact(place)},{content});\n", "utf-8")


def _page(atlas: Atlas, title: str) -> str:
    script, digest = script_and_digest("atlas.js", "names.js")
    facts = {
        "tile": TILE,
        "cell": CELL,
        "banner": BANNER,
        "size": atlas.size,
        "levels": atlas.levels,
        "columns": atlas.shape[1],
        "side": SIDE,
    }
    return render(
        "atlas.html.jinja",
        title=title,
        marker=KIND,
        script=script,
        digest=digest,
        data=_compact(facts),
        count=len(atlas.rows),
        pictures=MARK,
    )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
