"""Display of results in a Jupyter notebook.

Importing `steamdino` in a notebook is enough: matches and unique games show their banners, an explanation its drawing.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steamdino.analysis.explain import Explanation
    from steamdino.analysis.ranked_games import UniqueGames
    from steamdino.records import Matches
    from steamdino.storage.location import Location

Tile = tuple["Location | None", str, str, "str | None"]


def register(shell: Any) -> None:
    """Register the results' formatters in an IPython shell; nothing is loaded until a result is shown."""
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name("steamdino.records", "Matches", matches_html)
    formatters["text/html"].for_type_by_name("steamdino.analysis.ranked_games", "UniqueGames", unique_html)
    formatters["image/png"].for_type_by_name("steamdino.analysis.explain", "Explanation", explanation_png)


def matches_html(matches: Matches) -> str:
    """Return a query and its matches as HTML with embedded pictures."""
    from steamdino.present.display_text import closeness
    from steamdino.present.export.html_page import render

    query = matches.query
    name = query.game.name if query.game else query.text
    tiles: list[Tile] = [(query.location, name, "the query", None)]
    for match in matches:
        caption = f"{match.similarity:.3f}"
        if match.percentile is not None:
            caption += f", closer than {closeness(match.percentile)}".replace(" %", "\u00a0%")
        if match.identical:
            caption += ", identical"
        tiles.append((match.game.location, match.name, caption, match.game.url))
    return render("inline.html.jinja", tiles=tiles)


def unique_html(found: UniqueGames) -> str:
    """Return unique games, or a diverse set, as HTML with embedded pictures."""
    from steamdino.present.export.html_page import render

    tiles = [
        (
            one.game.location,
            one.game.name,
            ""
            if one.similarity is None or one.closest is None
            else f"{one.similarity:.3f} to {one.closest.name}",
            one.game.url,
        )
        for one in found
    ]
    return render("inline.html.jinja", tiles=tiles)


def explanation_png(explanation: Explanation) -> bytes:
    """Return an explanation as a PNG."""
    from steamdino.present.export.explanation_drawing import draw

    file = io.BytesIO()
    draw(explanation, f"similarity {explanation.similarity:.3f}").save(file, "PNG")
    return file.getvalue()
