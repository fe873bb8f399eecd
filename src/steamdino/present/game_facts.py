"""Facts about a game for people: when it was released, its tags, reviews and price, as far as its source knew them.

Untrusted: values of columns are any text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from steamdino.index import columns as read
from steamdino.index.literals import unpacked
from steamdino.present.display_text import shortened
from steamdino.present.release_text import release_text
from steamdino.records import Game

TAGS = 6
"""Tags that are shown of a game."""

LONGEST = 40
"""Characters of a tag or a price."""


def year(game: Game) -> str:
    """Return the year of release, or an empty text."""
    return (read.released(game.columns) or "")[:4]


def tags(game: Game) -> list[str]:
    """Return the first tags as they are written, each once."""
    each = dict.fromkeys(shortened(tag, LONGEST) for tag in islice(read.tags(game.columns), 50))
    return list(each)[:TAGS]


def reviews_text(game: Game) -> str:
    """Return the number of reviews and the share of positive ones, or an empty text if it is unknown or 0."""
    count = read.reviews(game.columns)
    if not count:
        return ""
    text = "1 review" if count == 1 else f"{count:,} reviews"
    share = _positive(game.columns, count)
    return text if share is None else f"{text}, {share} % positive"


def price_text(game: Game) -> str:
    """Return the price as far as it is known, or an empty text. The currency is the source's."""
    columns = game.columns
    if read.is_free(columns):
        return "Free"
    overview = unpacked(columns.get("price_overview"))
    if isinstance(overview, dict) and isinstance(overview.get("final_formatted"), str):
        return shortened(overview["final_formatted"].strip(), LONGEST)
    cents = columns.get("price_cents", columns.get("price") if read.STEAMSPY in columns else None)
    if cents is not None:
        return _amount(cents)
    price = columns.get("price")
    if isinstance(price, int | float) and not isinstance(price, bool):
        return f"{price:.2f}" if price >= 0 else ""
    return shortened(price.strip(), LONGEST) if isinstance(price, str) else ""


def facts(game: Game) -> list[tuple[str, str]]:
    """Return the label and the text of each fact that is known, besides the name and the id."""
    found = (
        ("Release", release_text(game.columns)),
        ("Tags", ", ".join(tags(game))),
        ("Reviews", reviews_text(game)),
        ("Price", price_text(game)),
    )
    return [(label, text) for label, text in found if text]


def namesakes(games: Iterable[Game]) -> frozenset[str]:
    """Return the names that several games of a page have, so that it also shows their ids."""
    counts = Counter(name for name in {game.id: game.name for game in games}.values())
    return frozenset(name for name, count in counts.items() if count > 1)


def _positive(columns: Mapping[str, Any], count: int) -> int | None:
    try:
        if "positive_percent" in columns:
            share = int(columns["positive_percent"])
        else:
            positive, negative = int(columns["positive"]), int(columns["negative"])
            share = 100 * positive // max(positive + negative, 1)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return share if 0 <= share <= 100 else None


def _amount(cents: Any) -> str:
    try:
        number = int(cents)
    except (TypeError, ValueError, OverflowError):
        return ""
    return "Free" if number == 0 else f"{number / 100:.2f}" if 0 < number < 10**9 else ""
