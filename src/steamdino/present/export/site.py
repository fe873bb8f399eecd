"""A static site whose data is loaded in shards.

::

    <folder>/
      index.html, icon.svg             the page
      site.<digest>.css, app.<digest>.js    named by their content: no browser shows an old one with a new page
      data/home.json                   what the first page shows: games that differ from each other
      data/unique.json                 the most unique games
      data/games/<n>.json              `SHARD` games, each with its nearest ones
      data/names/<xx>.json             games whose names have a word that begins with two letters (code points in hex)
      banners/<aa>/<digits>.jpg        pictures, where they are not Steam's

So the first page needs the page itself and one small file, and each step from match to match one more.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.analysis.picture_loading import each
from steamdino.analysis.unique import UniqueGames
from steamdino.errors import SteamDinoError
from steamdino.index.name_folding import fold
from steamdino.present.content_names import by_content
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.game_links import game_links
from steamdino.present.export.html_page import render, script_and_digest
from steamdino.present.export.mosaic import thumbnail
from steamdino.present.export.output_folders import PAGE, replacing_folder
from steamdino.records import Game, Progress
from steamdino.wellformed import content_path

KIND = "site"
SHARD = 64
"""Games in a file: with twelve matches each, about 60 KB, a fifth of that compressed."""
NEAREST = 12
SIZE = (300, 450)
QUALITY = 82
DIGITS = 20
"""Of a picture's sha256 in its file's name, which stands in each place that shows it."""
PREFIX = 2
"""Letters by which names are sorted into files."""
EVERYWHERE = frozenset(("the", "of", "and", "a"))
"""Words in so many names that they are indexed only as the first word."""


def write_site(
    folder: Path,
    table: Neighbourhood,
    *,
    home: Sequence[Game],
    lonely: UniqueGames,
    online: SteamPictures,
    title: str,
    threads: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write a site, replacing an older one only when the new one is whole.

    Args:
        folder: where.
        table: the games of the site as queries, with their matches.
        home: games for the first page.
        lonely: the most unique games.
        online: pictures on Steam's servers; others are copied, scaled.
        title: the site's heading.
        threads: pictures scaled at the same time.
        progress: called with (pictures, total).

    Raises:
        UsageError: the folder has other content than a site.
        SteamDinoError: something cannot be written.
    """
    snapshot = table.snapshot
    rows = table.queries.tolist()
    games = dict(zip(rows, snapshot.games(rows), strict=True))
    number = {row: place for place, row in enumerate(rows)}
    place_of = {games[row].id: number[row] for row in rows}
    try:
        with replacing_folder(folder, KIND) as work:
            copied = _copy(
                [game for game in games.values() if online.of(game) is None], work, threads, progress
            )

            def card(game: Game) -> list[Any]:
                picture = online.of(game) or copied.get(game.sha256, "")
                return [place_of[game.id], game.name, picture]

            shards: dict[int, list[Any]] = defaultdict(list)
            for query, found, cosines in table:
                near = [
                    [*card(games[row]), round(cosine, 3)]
                    for row, cosine in zip(found, cosines, strict=True)
                    if row in games
                ]
                game = games[query]
                shards[number[query] // SHARD].append([*card(game), game.id, game_links(game), near])
            for shard, content in shards.items():
                _write(work / "data" / "games" / f"{shard}.json", content)
            for key, names in _names(list(games.values()), card).items():
                _write(work / "data" / "names" / f"{key}.json", names)
            shown = [game for game in home if game.id in place_of]
            _write(work / "data" / "home.json", {"total": len(rows), "games": [card(game) for game in shown]})
            unique = [
                [*card(one.game), one.similarity and round(one.similarity, 3)]
                for one in lonely
                if one.game.id in place_of
            ]
            _write(work / "data" / "unique.json", unique)
            _page(work, title, online.hosts)
    except OSError as error:
        raise SteamDinoError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}"
        ) from None


def _copy(games: Sequence[Game], work: Path, threads: int, progress: Progress | None) -> dict[str, str]:
    """Write scaled pictures, each once; returns their places by sha256."""
    by_content = {game.sha256: game for game in games if game.picture}
    made: dict[str, str] = {}

    def draw(game: Game) -> tuple[str, str]:
        image = thumbnail(game.picture, SIZE)
        if image is None:
            return game.sha256, ""
        place = f"banners/{content_path(game.sha256, '.jpg', DIGITS)}"
        (work / place).parent.mkdir(parents=True, exist_ok=True)
        image.save(work / place, "JPEG", quality=QUALITY)
        return game.sha256, place

    for done, (content, place) in enumerate(each(draw, list(by_content.values()), threads), 1):
        made[content] = place
        if progress:
            progress(done, len(by_content))
    return made


def _names(games: Sequence[Game], card: Callable[[Game], list[Any]]) -> dict[str, list[list[Any]]]:
    """Cards with folded names, by the letters that a word of the name begins with; the most reviewed first."""
    found: dict[str, list[tuple[int, list[Any]]]] = defaultdict(list)
    for game in games:
        folded = fold(game.name)
        words = folded.split()
        keys = {_key(word) for place, word in enumerate(words) if not place or word not in EVERYWHERE}
        for key in keys | {_key(game.id.lower())}:
            found[key].append((_reviews(game), [*card(game), folded, game.id]))
    return {
        key: [entry for _, entry in sorted(entries, key=lambda e: -e[0])] for key, entries in found.items()
    }


def _key(word: str) -> str:
    return "-".join(f"{ord(letter):x}" for letter in word[:PREFIX]) or "0"


def _reviews(game: Game) -> int:
    try:
        return int(game.columns.get("reviews") or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _page(work: Path, title: str, hosts: Sequence[str]) -> None:
    script, digest = script_and_digest("site.js")
    shared = resources.files("steamdino.present.web") / "static"  # what `serve` shows looks the same
    style = (shared / "site.css").read_text("utf-8")
    names = {"style": by_content("site.css", style.encode()), "script": by_content("app.js", script.encode())}
    page = render(
        "site.html.jinja",
        title=title,
        kind=KIND,
        hosts=" ".join(hosts),
        shard=SHARD,
        prefix=PREFIX,
        digest=digest,
        **names,
    )
    (work / PAGE).write_text(page, "utf-8")
    for name, text in (
        (names["script"], script),
        (names["style"], style),
        ("icon.svg", (shared / "icon.svg").read_text("utf-8")),
    ):
        (work / name).write_text(text, "utf-8")
