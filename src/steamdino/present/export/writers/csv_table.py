"""Matches as one CSV table with a row for each (RFC 4180)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.display_text import inert
from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer
    from steamdino.records import Game

COLUMNS = (
    "query_id",
    "query_name",
    "rank",
    "id",
    "name",
    "similarity",
    "percentile",
    "identical",
    "source",
    "url",
)


class CsvTable(Writer):
    """Writes CSV with a header.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, as spreadsheets themselves write it.
    """

    name = "csv"
    suffix = ".csv"
    help = """Write all matches as one CSV table, a line for each.

    The columns are query_id, query_name, rank, id, name, similarity, percentile, identical, source and url.

    **Example**

        steam-dino export csv --all -k 20 -o matches.csv
    """

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the header, then the matches of one query after the other."""
        import csv

        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        texts: dict[str, tuple[str, str, str, str]] = {}

        def of(game: Game) -> tuple[str, str, str, str]:
            if game.id not in texts:
                texts[game.id] = _texts(game)
            return texts[game.id]

        for answer in answers:
            game = answer.query.game
            query = of(game)[:2] if game else ("", inert(answer.query.text))
            facts = zip(answer.games, answer.similarities, answer.percentiles, answer.identical, strict=True)
            rows.writerows(
                (
                    *query,
                    rank,
                    *(known := of(match))[:2],
                    f"{similarity:.6f}",
                    "" if percentile is None else f"{percentile:.5f}",
                    "true" if identical else "false",
                    *known[2:],
                )
                for rank, (match, similarity, percentile, identical) in enumerate(facts, 1)
            )


def _texts(game: Game) -> tuple[str, str, str, str]:
    return inert(game.id), inert(game.name), inert(game.source), inert(game.url or "")
