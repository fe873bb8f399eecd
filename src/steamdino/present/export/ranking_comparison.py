"""The matches of several descriptors for the same games, side by side in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from steamdino.analysis.evaluation.collection import Collection
from steamdino.errors import QueryError
from steamdino.present.export.markup import SAFE, plain
from steamdino.records import Game

MATCHES = 10


def lists(collection: Collection, games: Sequence[str], labels: Sequence[str] = ()) -> list[str]:
    """Write a section for each game, with a column for each descriptor that lists its matches, best first.

    Args:
        collection: the descriptors and their games.
        games: ids.
        labels: columns. Matches that share a label with the game in one of them are bold.

    Returns:
        the lines.

    Raises:
        QueryError: the collection has no such game.
    """
    columns = [collection.labels(column) for column in labels]
    lines = []
    for row in rows_of(collection, games):
        game = collection.games[row]
        found = []
        for descriptor in collection.descriptors:
            index = descriptor.index
            near, cosines = index.nearest(index.vectors[row], MATCHES, exclude=[row])
            found.append(list(zip(near.tolist(), cosines.tolist(), strict=True)))
        lines += [
            f"## {plain(game.name)} ({plain(game.id)})",
            "",
            "| # | " + " | ".join(plain(descriptor.name) for descriptor in collection.descriptors) + " |",
            "|--:|" + "---|" * len(found),
        ]
        for rank in range(len(found[0])):
            texts = []
            for matches in found:
                other, cosine = matches[rank]
                shared = any(own[row] & own[other] for own in columns)
                texts.append(_match(collection.games[other], cosine, bold=shared))
            lines.append(f"| {rank + 1} | " + " | ".join(texts) + " |")
        lines.append("")
    return lines


def rows_of(collection: Collection, games: Sequence[str]) -> list[int]:
    """Find the rows of ids.

    Raises:
        QueryError: the collection has no such game.
    """
    rows = {game.id: row for row, game in enumerate(collection.games)}
    missing = [key for key in games if key not in rows]
    if missing:
        raise QueryError(f"no game {missing[0]!r} is among those compared; name ids with --games")
    return [rows[key] for key in games]


def _match(game: Game, cosine: float, *, bold: bool) -> str:
    name = plain(game.name)
    if game.url:
        name = f"[{name}]({quote(game.url, safe=SAFE)})"
    return f"{'**' + name + '**' if bold else name} {cosine:.3f}"
