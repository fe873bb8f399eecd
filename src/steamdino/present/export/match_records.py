"""Matches as records for JSON. Their shape is documented (`docs/reference/json.md`) and stable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steamdino.records import Game, Matches, Query


def as_record(matches: Matches) -> dict[str, Any]:
    """Return matches as a JSON-ready dict."""
    query = matches.query
    return {
        "query": {
            **_asked(query),
            "mirror": query.mirror,
            "flip": query.flip,
            "crop": str(query.crop) if query.crop else None,
            "parts": [{"weight": part.weight, **_asked(part.query)} for part in query.parts],
        },
        "recipe": matches.recipe,
        "undated": matches.undated,
        "matches": match_records(matches, file_of),
    }


def match_records(matches: Matches, picture_of: Callable[[Game], str | None]) -> list[dict[str, Any]]:
    """Return only the matches, as JSON-ready dicts.

    Args:
        matches: the matches.
        picture_of: returns the location of a game's picture; `file_of` for local use.
    """
    return [
        {
            "rank": match.rank,
            "id": match.id,
            "name": match.name,
            "similarity": round(match.similarity, 6),
            "percentile": None if match.percentile is None else round(match.percentile, 5),
            "identical": match.identical,
            "source": match.game.source,
            "url": match.game.url,
            "picture": picture_of(match.game),
            "columns": dict(match.game.columns),
        }
        for match in matches
    ]


def file_of(game: Game) -> str | None:
    """Return the path of a game's picture, or None if it is unknown."""
    return str(game.picture) if game.picture else None


def _asked(query: Query) -> dict[str, Any]:
    return {
        "text": query.text,
        "kind": query.kind,
        "id": query.game.id if query.game else None,
        "name": query.game.name if query.game else None,
        "picture": str(query.picture) if query.picture else None,
        "alternatives": [{"id": game.id, "name": game.name} for game in query.alternatives],
    }
