"""Audits as JSON and as a self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from steamdino.analysis.audit import Audit, Standing
from steamdino.present.display_text import closeness
from steamdino.present.export.explanation_drawing import as_record, heat, places, tile
from steamdino.present.export.html_page import write_page
from steamdino.present.export.match_records import file_of, match_records
from steamdino.records import Game


def verdict(audit: Audit) -> str:
    """Say in one sentence, with figures, whether a game already has the same banner."""
    if not audit.matches:
        return "There is no game to compare it with."
    first = audit.matches[0]
    if first.identical:
        return f"This very file is the banner of {first.name}."
    if audit.taken is None:
        return f"The closest game is {first.name}, {first.similarity:.3f}."
    if audit.is_taken:
        return (
            f"It shows what the banner of {first.name} shows: {first.similarity:.3f}, and from {audit.taken:.3f} on two"
            " banners are copies, crops or reskins of each other."
        )
    return (
        f"No game shows the same: the closest, {first.name}, has {first.similarity:.3f}; copies, crops and reskins have"
        f" {audit.taken:.3f} or more."
    )


def unusual(standing: Standing) -> str:
    """Say in one sentence how unusual a draft is among some games."""
    among = (
        f"the {standing.games:,} games tagged {standing.tag}"
        if standing.tag
        else f"all {standing.games:,} games"
    )
    if standing.percentile is None or standing.closest is None or standing.usual is None:
        return f"Among {among} there is nothing to compare it with."
    return (
        f"More unusual than {standing.percentile:.0f} % of {among}: its closest there is {standing.closest.name} with"
        f" {standing.closest.similarity:.3f}, and half of them have one at {standing.usual:.3f} or more."
    )


def as_json(audits: Sequence[Audit]) -> str:
    """Audits as one JSON object, with the paths of pictures."""
    drafts = [audit_record(audit, draft=str(audit.picture), picture_of=file_of) for audit in audits]
    return json.dumps({"drafts": drafts}, ensure_ascii=False, indent=2)


def write_report(path: Path, audits: Sequence[Audit], *, title: str) -> None:
    """Write the page.

    Raises:
        OutputError: the file cannot be written.
    """
    write_page(
        path,
        "audit.html.jinja",
        option="--html",
        title=title,
        audits=audits,
        verdict=verdict,
        unusual=unusual,
        closeness=closeness,
        why=_why,
    )


def _why(audit: Audit) -> list[tuple[str, Any]]:
    """The labelled pictures that explain the closest match."""
    found = audit.explanation
    if found is None:
        return []
    first, second = ([pair.first for pair in found.pairs], [pair.second for pair in found.pairs])
    if not found.pairs:
        return [("the draft", tile(found.first)), ("alike", heat(found.first)), ("alike", heat(found.second))]
    return [
        ("the same in the draft ...", places(found.first, first)),
        ("... and in the game", places(found.second, second)),
        ("alike in the draft", heat(found.first)),
        ("alike in the game", heat(found.second)),
    ]


def audit_record(
    audit: Audit, *, draft: str | None, picture_of: Callable[[Game], str | None]
) -> dict[str, Any]:
    """Return an audit as a JSON-ready dict.

    Args:
        audit: what was found.
        draft: path of the draft; None to withhold it.
        picture_of: returns the location of a game's picture: a path for local use, a URL otherwise.
    """
    names = [audit.picture.name, audit.matches[0].name if audit.matches else ""]
    explanation = audit.explanation
    return {
        "picture": draft,
        "width": audit.size[0],
        "height": audit.size[1],
        "verdict": verdict(audit),
        "taken": audit.is_taken,
        "taken_from": None if audit.taken is None else round(audit.taken, 6),
        "standings": [
            {
                "tag": one.tag,
                "games": one.games,
                "percentile": None if one.percentile is None else round(one.percentile, 3),
                "usual": None if one.usual is None else round(one.usual, 6),
                "closest": one.closest
                and {
                    "id": one.closest.id,
                    "name": one.closest.name,
                    "similarity": round(one.closest.similarity, 6),
                },
            }
            for one in audit.standings
        ],
        "flaws": [{"flaw": one.flaw, "score": one.score, "detail": one.detail} for one in audit.flaws],
        "recipe": audit.matches.recipe,
        "matches": match_records(audit.matches, picture_of),
        "why": explanation and as_record(explanation, names, audit.matches[0].percentile),
    }
