"""A static site whose data is loaded in small files, however many games it has.

::

    <folder>/
      index.html, icon.svg             the page
      site.<digest>.css, app.<digest>.js, theme.<digest>.js
                                       named by their content: no browser shows an old one with a new page
      data/home.json                   what the first page shows: games that differ from each other
      data/unique.json                 the most unique games
      data/games/<n>/<m>.json          `SHARD` games, each with its nearest ones
      data/names/...json               where games are found by name; see `name_pages`
      banners/<aa>/<digits>.jpg        pictures, where they are not Steam's
      worker.<digest>.js, sw.js, data/search/
                                       where a picture of one's own is searched for; see `picture_search.site_files`

So the first page needs the page itself and one small file, and each step from match to match one more. No folder has
more than `FOLDER` files of data. The address of a game's page has its id, so it leads to the same game after the next
export. Games are read and written in blocks, and pictures of an earlier attempt, or of the
site that is replaced, are kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.neighbours_among import mask_of
from steamdino.analysis.progress_stages import Stage, unseen
from steamdino.analysis.unique import UniqueGames
from steamdino.errors import SteamDinoError
from steamdino.present.content_names import by_content
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.game_links import game_links
from steamdino.present.export.html_page import render, script_and_digest, with_digest
from steamdino.present.export.name_pages import FOLDER, NamePages
from steamdino.present.export.output_folders import PAGE, replacing_folder
from steamdino.present.export.picture_search import site_files
from steamdino.present.export.reviews import reviews
from steamdino.present.export.scaled_pictures import MARK, ScaledPictures, banner_place, earlier
from steamdino.present.style_sheets import SHARED, site_sheet
from steamdino.records import Filter, Game, Progress
from steamdino.search import Snapshot

KIND = "site"
SHARD = 32
"""Games in a file: with twelve matches each, up to 70 KB, a fifth of that compressed."""
NEAREST = 12
BLOCK = 64 * SHARD
"""Games that are read and compared at a time."""


def write_site(
    folder: Path,
    snapshot: Snapshot,
    *,
    home: Sequence[Game],
    lonely: UniqueGames,
    online: SteamPictures,
    title: str,
    only: Filter | None = None,
    runtime: Path | None = None,
    threads: int = 1,
    stage: Stage = unseen,
) -> int:
    """Write a site, replacing an older one only when the new one is whole.

    Args:
        folder: where.
        snapshot: whose games to show.
        home: games for the first page.
        lonely: the most unique games.
        online: pictures on Steam's servers; others are copied, scaled.
        title: the site's heading.
        only: which games to show; None for all that are not hidden.
        runtime: the folder of `picture_search.runtime_files`, to add search by one's own picture; None for none.
        threads: pictures scaled at the same time.
        stage: shows what is done.

    Returns:
        the number of games.

    Raises:
        UsageError: the folder has other content than a site, or browsers cannot compute the snapshot's recipe.
        SteamDinoError: something cannot be written, or another process is writing the site.
    """
    try:
        with replacing_folder(folder, KIND, f"site {MARK}") as (work, kept):
            site = _Site(work, snapshot, snapshot.rows(only))
            site.write(
                kept / "names.sqlite",
                ScaledPictures(work, earlier(folder), threads),
                online,
                (home, lonely),
                stage,
            )
            search = None
            if runtime is not None:
                search = site_files.write_search(work, snapshot, site.shown, runtime, stage)
            _page(work, title, online.hosts, search)
            return len(snapshot.rows(only))
    except OSError as error:
        raise SteamDinoError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}"
        ) from None


class _Site:
    """Writes the data of a site.

    It holds the id, the name and the address of the picture of each game, and nothing else of all games.
    """

    def __init__(self, work: Path, snapshot: Snapshot, rows: NDArray[np.intp]) -> None:
        self._work, self._snapshot, self._rows = work, snapshot, rows
        self._ids: list[str] = []
        self._names: list[str] = []
        self._pictures: list[str] = []

    @property
    def shown(self) -> site_files.Shown:
        """The games that were written."""
        return site_files.Shown(self._rows, self._ids, self._names, self._pictures)

    def write(
        self,
        database: Path,
        pictures: ScaledPictures,
        online: SteamPictures,
        lists: tuple[Sequence[Game], UniqueGames],
        stage: Stage,
    ) -> None:
        shutil.rmtree(
            self._work / "data", ignore_errors=True
        )  # of an earlier attempt, maybe with other games
        names = NamePages(database)
        with stage("Copying", "banners") as progress:
            for games in self._blocks():
                start = len(self._names)
                self._ids += [game.id for game in games]
                self._names += [game.name for game in games]
                self._pictures += self._copied(games, pictures, online, progress)
                names.add(
                    (place, game.name, game.id, reviews(game)) for place, game in enumerate(games, start)
                )
        pictures.tidy(frozenset(self._pictures))
        names.write(lambda place, content: _write(self._work / "data" / "names" / f"{place}.json", content))
        with stage("Writing", "games") as progress:
            self._matches(progress)
        home, lonely = lists
        shown = [self._card(place) for game in home if (place := self._place(game)) is not None]
        self._save("home", {"total": len(self._rows), "games": shown})
        unique = [
            [*self._card(place), one.similarity and round(one.similarity, 3)]
            for one in lonely
            if (place := self._place(one.game)) is not None
        ]
        self._save("unique", unique)

    def _copied(
        self, games: list[Game], pictures: ScaledPictures, online: SteamPictures, progress: Progress
    ) -> list[str]:
        """The addresses of the pictures of games, after copying those that are not online."""
        places = [online.of(game) or "" for game in games]
        missing = [number for number, place in enumerate(places) if not place]
        done = len(self._pictures) + len(games) - len(missing)

        def written() -> None:
            nonlocal done
            done += 1
            progress(done, len(self._rows))

        found = pictures.write([games[number] for number in missing], written)
        for number, has in zip(missing, found, strict=True):
            places[number] = banner_place(games[number].sha256) if has else ""
        return places

    def _matches(self, progress: Progress) -> None:
        among = mask_of(self._snapshot.index, self._rows)
        for start, games in zip(range(0, len(self._rows), BLOCK), self._blocks(), strict=True):
            found, cosines = self._snapshot.index.neighbours(
                NEAREST, rows=self._rows[start : start + BLOCK], among=among
            )
            places = np.searchsorted(self._rows, found)
            entries = [
                [
                    *self._card(place),
                    game_links(game),
                    [
                        [*self._card(int(near)), round(float(cosine), 3)]
                        for row, near, cosine in zip(found[own], places[own], cosines[own], strict=True)
                        if row >= 0
                    ],
                ]
                for own, (place, game) in enumerate(enumerate(games, start))
            ]
            for own in range(0, len(entries), SHARD):
                number = (start + own) // SHARD
                self._save(f"games/{number // FOLDER}/{number}", entries[own : own + SHARD])
            progress(start + len(games), len(self._rows))

    def _blocks(self) -> Iterator[list[Game]]:
        for start in range(0, len(self._rows), BLOCK):
            yield self._snapshot.games(self._rows[start : start + BLOCK])

    def _card(self, place: int) -> list[Any]:
        return [self._ids[place], self._names[place], self._pictures[place]]

    def _place(self, game: Game) -> int | None:
        row = self._snapshot.row(game.id)
        place = len(self._rows) if row is None else int(np.searchsorted(self._rows, row))
        return place if place < len(self._rows) and self._rows[place] == row else None

    def _save(self, place: str, content: Any) -> None:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        _write(self._work / "data" / f"{place}.json", text)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def _page(work: Path, title: str, hosts: Sequence[str], search: site_files.Written | None) -> None:
    scripts = ("site.js", "names.js", *(site_files.PAGE_SCRIPTS if search else ()))
    script, digest = script_and_digest(*scripts)
    if search:
        script, digest = with_digest(f"{script}\n{(SHARED / 'part.js').read_text('utf-8')}")
    files = {
        "style": ("site.css", site_sheet()),
        "theme": ("theme.js", (SHARED / "theme.js").read_text("utf-8")),
        "script": ("app.js", script),
    }
    if search:
        files["worker"] = ("worker.js", site_files.worker_script())
    names = {part: by_content(name, text.encode()) for part, (name, text) in files.items()}
    version = search and site_files.version_of(search, list(names.values()))
    page = render(
        "site.html.jinja",
        title=title,
        kind=KIND,
        hosts=" ".join(hosts),
        shard=SHARD,
        pictures=MARK,
        digest=digest,
        search=search,
        version=version,
        **names,
    )
    (work / PAGE).write_text(page, "utf-8")
    for part, (_, text) in files.items():
        (work / names[part]).write_text(text, "utf-8")
    (work / "icon.svg").write_text((SHARED / "icon.svg").read_text("utf-8"), "utf-8")
    if search and version:
        shell = ("./", *names.values(), "icon.svg", "data/home.json")
        service = site_files.service_script(search, version, shell)
        (work / site_files.SERVICE).write_text(service, "utf-8")
