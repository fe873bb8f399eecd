"""The results of `check` and `duplicates` as pages, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from steamdino.analysis.duplicate_detection import TIERS
from steamdino.analysis.flaws import FLAWS, Flaw
from steamdino.gallery.layout import absolute, location
from steamdino.pipeline.duplicate_groups import Duplicates, Member
from steamdino.pipeline.scored_pairs import ScoredPair
from steamdino.present.display_text import inert
from steamdino.present.export.html_page import write_page
from steamdino.present.export.json_lists import json_list

SHOWN = 40
"""Banners of each flaw on the page."""


def by_flaw(found: Sequence[Flaw]) -> dict[str, list[Flaw]]:
    """Group flaws by kind, worst first."""
    sorted_: dict[str, list[Flaw]] = defaultdict(list)
    for one in sorted(found, key=lambda one: (FLAWS.index(one.flaw), one.score, one.game_id)):
        sorted_[one.flaw].append(one)
    return dict(sorted_)


def write_flaws(path: Path, found: Sequence[Flaw], root: Path) -> None:
    """Write the findings as one page; `root` is the gallery's folder."""
    write_page(
        path,
        "flaws.html.jinja",
        option="--html",
        title="Flawed banners",
        flaws=by_flaw(found),
        most=SHOWN,
        place=lambda written: location(written, str(absolute(root))),
    )


def write_groups(path: Path, groups: Sequence[Duplicates]) -> None:
    """Write groups of duplicates as one page, with the line under each pair that decides it."""
    write_page(
        path,
        "groups.html.jinja",
        option="--html",
        title="Banners that show the same",
        groups=groups,
        counts=tier_counts(groups),
        seen=[],
        line=decision_line,
        page_of=lambda tier: "",
        pages=1,
    )


def tier_counts(groups: Sequence[Duplicates]) -> dict[str, int]:
    """Count the groups of each tier that there is, the strictest first."""
    counts = Counter(group.tier for group in groups)
    return {tier: counts[tier] for tier in TIERS if counts[tier]}


def decision_line(one: Member, other: Member) -> str:
    """Return the line of a decisions file that says that two banners differ."""
    between = "\t" if " " in one.game_id + other.game_id else " "
    return between.join((one.game_id, "different", other.game_id))


def findings_json(found: Sequence[Flaw]) -> Iterator[str]:
    """Yield flaws as one JSON list, in parts that end where a line does: there may be one for each game."""
    return json_list(map(asdict, found))


def findings_csv(found: Sequence[Flaw]) -> Iterator[str]:
    """Yield flaws as lines of CSV, the first of which is a header."""
    yield _csv_line(("id", "name", "flaw", "score", "detail", "path"))
    for one in found:
        yield _csv_line(
            (inert(one.game_id), inert(one.name), one.flaw, one.score, inert(one.detail), inert(one.path))
        )


def groups_json(groups: Sequence[Duplicates]) -> Iterator[str]:
    """Yield groups as one JSON list, in parts that end where a line does."""
    return json_list(map(asdict, groups))


def pairs_csv(pairs: Iterable[ScoredPair], game: str | None = None) -> Iterator[str]:
    """Yield pairs as lines of CSV, all or those of one game. The first is a header."""
    yield _csv_line(("tier", "first", "second", "similarity", "hash_bits"))
    for one in pairs:
        if game in (None, one.first, one.second):
            similarity = f"{one.similarity:.6f}"
            yield _csv_line((one.tier, inert(one.first), inert(one.second), similarity, one.hash_bits))


def groups_csv(groups: Sequence[Duplicates]) -> Iterator[str]:
    """Yield groups as lines of CSV: one for each game, with the number of its group. The first is a header."""
    yield _csv_line(("group", "tier", "id", "name", "similarity", "keep", "removable", "reason", "path"))
    for number, group in enumerate(groups, 1):
        for member in group.members:
            similarity = "" if member.similarity is None else f"{member.similarity:.6f}"
            first = member is group.representative
            yield _csv_line(
                (
                    number,
                    group.tier,
                    inert(member.game_id),
                    inert(member.name),
                    similarity,
                    str(first).lower(),
                    str(member.removable).lower(),
                    inert(group.reason) if first else "",
                    inert(member.path),
                )
            )


def _csv_line(values: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().removesuffix("\n")
