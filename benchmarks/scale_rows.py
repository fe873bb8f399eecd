"""All figures that `scale.py` measures, with their targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import scale_commands
import scale_serving
from scale_made import Made
from scale_program import SkippedError
from scale_row import Row, Target

MILLION = 1_000_000
HOSTILE, ASKED = 30_000, 200
"""Rows of each hostile set, and queries whose recall is measured."""


@dataclass
class Measured:
    """Figures that several rows share, each measured once for a program.

    Attributes:
        covers: a gallery of real covers; None if there is none.
        hostile_rows: rows of each hostile set.
        details: what was measured besides, for the JSON file.
    """

    covers: Path | None
    hostile_rows: int = HOSTILE
    details: dict[str, Any] = field(default_factory=dict)
    _known: dict[tuple[str, str], Any] = field(default_factory=dict)

    def once(self, what: str, made: Made, work: Callable[[], Any]) -> Any:
        """Return a measurement, made the first time that it is asked for."""
        key = (what, made.program.name)
        if key not in self._known:
            self._known[key] = work()
            self.details.setdefault(made.program.name, {})[what] = self._known[key]
        return self._known[key]

    def neighbours(self, made: Made) -> float:
        """Seconds in which 100 neighbours of all games are exported."""
        found: float = self.once("neighbours", made, lambda: scale_commands.export_neighbours(made).seconds)
        return found

    def query(self, key: str, made: Made) -> float:
        """Return one of the figures of `scale_search.query`."""
        found: float = self.once("query", made, lambda: scale_commands.searched(made, ASKED))[key]
        return found

    def index(self, made: Made) -> float:
        """Seconds in which the search index is built."""
        found: float = self.once("index", made, lambda: scale_commands.indexed(made))["seconds"]
        return found

    def hostile(self, wanted: Callable[[str], bool], made: Made) -> float:
        """Return the lowest recall@10 on sets of data."""
        found = self.once(
            "recall", made, lambda: scale_commands.hostile(made, self.covers, self.hostile_rows, ASKED)
        )
        sets = [figures for name, figures in found.items() if wanted(name)]
        if not sets:
            raise SkippedError("name a gallery of real covers that was built with --covers")
        lowest: float = min(min(one["nearest"], one["neighbours"]) for one in sets)
        return lowest


def rows(measured: Measured, seconds: float, loop: float) -> list[Row]:
    """Return all rows.

    Args:
        measured: what they share.
        seconds: how long a server is flooded.
        loop: seconds of the open loop.
    """
    serving = [
        Row(
            "similar",
            "similar by id, two workers",
            "requests/s",
            partial(scale_serving.similar, seconds=seconds),
            Target(times=7),
            more=True,
            rounds=2,
        ),
        Row(
            "names",
            "names typed, half with typos",
            "requests/s",
            partial(scale_serving.names, seconds=seconds),
            Target(times=3),
            more=True,
            rounds=2,
        ),
        Row(
            "loop",
            f"{scale_serving.RATE} requests/s of both kinds, p99",
            "ms",
            partial(scale_serving.open_loop, seconds=loop),
            Target(limit=25),
        ),
        Row(
            "first-unique",
            "/api/v1/unique, first answer after start",
            "ms",
            scale_serving.first_unique,
            Target(limit=100),
            rounds=2,
        ),
        Row(
            "worker",
            "a worker's own memory after all routes",
            "MB",
            scale_serving.worker_memory,
            Target(limit=300),
        ),
    ]
    commands = [
        Row("unique", "unique", "s", scale_commands.unique, Target(times=6)),
        Row("neighbours", "export npy -k 100", "s", measured.neighbours, Target(times=6)),
        Row(
            "recall-100",
            "its recall@100 against exact",
            "",
            scale_commands.recall_of_neighbours,
            Target(limit=0.995),
            more=True,
        ),
        Row(
            "cold",
            "cold steam-dino similar 730",
            "s",
            scale_commands.cold_similar,
            Target(times=0.95),
            rounds=12,
        ),
        Row(
            "recall-covers",
            "recall@10 against exact, real covers",
            "",
            partial(measured.hostile, lambda name: name in ("covers", "pixels")),
            Target(limit=0.999),
            more=True,
            compared=False,
        ),
        Row(
            "recall-hostile",
            "recall@10 against exact, hostile data",
            "",
            partial(measured.hostile, lambda name: name not in ("covers", "pixels")),
            Target(limit=0.999),
            more=True,
            compared=False,
        ),
    ]
    return [*serving, *commands, *_memory(), *_million(measured)]


def _memory() -> list[Row]:
    """Return the rows of the commands that read the whole gallery."""

    def figure(made: Made, name: str, kind: str) -> float:
        return scale_commands.step(made, name)[kind]

    found = []
    for name in ("add", "build", "check", "duplicates"):
        target = Target(times=2) if name == "check" else None
        found += [
            Row(
                f"memory-{name}",
                f"{name}, own memory",
                "MB",
                partial(figure, name=name, kind="megabytes"),
                Target(limit=400),
            ),
            Row(f"memory-{name}-seconds", f"{name}", "s", partial(figure, name=name, kind="seconds"), target),
        ]
    return found


def _million(measured: Measured) -> list[Row]:
    """Return the rows of a million games."""
    found = []
    for key, title in (("id", "by id"), ("picture", "by a picture's vector")):
        found += [
            Row(
                f"query-{key}",
                f"one query {title}",
                "ms",
                partial(measured.query, f"{key} ms"),
                Target(limit=5),
                million=True,
            ),
            Row(
                f"query-{key}-recall",
                "its recall@10",
                "",
                partial(measured.query, f"{key} recall"),
                Target(limit=0.99),
                more=True,
                million=True,
            ),
        ]
    return [
        *found,
        Row("index", "index built and saved", "s", measured.index, Target(limit=60), million=True),
        Row(
            "incremental",
            "build of 1,000 new games, without encoding",
            "s",
            lambda made: made.incremental()["seconds"],
            Target(limit=60),
            million=True,
        ),
    ]


def chosen(all_rows: list[Row], only: list[str], games: int) -> list[Row]:
    """Return the rows that `--only` names, by their names or what these begin with; else those of the number of games.

    Raises:
        SystemExit: there is no such row.
    """
    for name in only:
        if not any(_is(row, name) for row in all_rows):
            raise SystemExit(
                f"there is no row {name!r}; choose of: {', '.join(row.name for row in all_rows)}"
            )
    if only:
        return [row for row in all_rows if any(_is(row, name) for name in only)]
    return [row for row in all_rows if row.million == (games >= MILLION)]


def _is(row: Row, name: str) -> bool:
    return row.name == name or row.name.startswith(f"{name}-")
