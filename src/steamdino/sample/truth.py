"""The ground truth: every game of the store, with the order for its banner and its defect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from random import Random
from zlib import crc32

from steamdino.sample.game import FictionalGame
from steamdino.sample.oddities import HOSTILE, ODD, Odd
from steamdino.sample.painting import PaintOrder
from steamdino.sample.themes import THEMES
from steamdino.sample.titles import entries, slug
from steamdino.sample.words import STUDIOS

_SINGLES = 15  # per theme, next to its four franchises


@dataclass(frozen=True, slots=True)
class Job:
    """A game, the order for its banner, and which variant of a defect it gets ("" for none)."""

    game: FictionalGame
    order: PaintOrder
    variant: str = ""


@cache
def jobs() -> tuple[Job, ...]:
    """Return all games in the catalogue's order: theme by theme, then the odd ones."""
    found: list[Job] = []
    for theme in THEMES:
        found += _ordinary(theme)
    by_name = {job.game.name: job for job in found}
    for odd in ODD:
        found.append(_odd(odd, by_name))
    for index, (name, identity, lettering) in enumerate(HOSTILE):
        theme = sorted(THEMES)[index * 5 % len(THEMES)]
        found.append(_job(theme, name, "", 0, 40 + index, identity, "hostile-name", lettering))
    return tuple(found)


def _ordinary(theme: str) -> list[Job]:
    found = []
    series = ""
    place = -1
    for entry in entries(theme, _SINGLES):
        if not entry.franchise or entry.franchise != series:
            place += 1
        series = entry.franchise
        found.append(_job(theme, entry.name, entry.franchise, entry.number, place))
    return found


def _job(
    theme: str,
    name: str,
    franchise: str,
    number: int,
    place: int,
    identity: str = "",
    defect: str = "",
    lettering: str | None = None,
) -> Job:
    key = identity or slug(name)
    dice, series = Random(crc32(f"facts/{key}".encode())), slug(franchise) or key
    order = PaintOrder(
        theme, series, key, number, place, place * 3 + place // 4, name if lettering is None else lettering
    )
    tags = THEMES[theme].tags
    year = Random(crc32(f"year/{series}".encode())).randint(2006, 2021) + number * 2
    developer = STUDIOS[crc32(f"studio/{series}".encode()) % len(STUDIOS)]
    game = FictionalGame(
        key,
        name,
        theme,
        franchise,
        developer,
        min(2025, year),
        (tags[0], *sorted(dice.sample(tags[1:], 2))),
        "",
        defect,
        f"banners/{theme}/{key}.jpg",
    )
    return Job(game, order)


def _odd(odd: Odd, by_name: dict[str, Job]) -> Job:
    source = by_name[odd.source] if odd.source else None
    theme = source.game.theme if source else odd.theme
    job = _job(theme, odd.name, "", 0, crc32(odd.name.encode()) % 24, "", odd.defect)
    if source:
        order = source.order
        if odd.defect == "reskin":
            # Another palette and title style over the very same composition.
            order = replace(order, palette=order.palette + 2, style=order.style, title=odd.name)
        job = replace(job, order=order, game=replace(job.game, duplicate_of=source.game.id))
    file = job.game.file.removesuffix(".jpg") + odd.suffix
    if odd.defect == "missing":
        file = ""
    return replace(job, game=replace(job.game, file=file), variant=odd.variant)
