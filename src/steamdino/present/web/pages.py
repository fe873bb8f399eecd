"""The web pages: HTML rendered on the server, usable without scripts; htmx and a small script make them faster."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from steamdino.present.display_text import closeness, printable, rarity
from steamdino.present.export.game_links import game_links
from steamdino.present.game_facts import facts, year
from steamdino.present.release_text import release_text
from steamdino.present.web import static
from steamdino.present.web.alterations import Mixing
from steamdino.present.web.api import addresses
from steamdino.present.web.page_links import TURNS, carried
from steamdino.present.web.parameters import served
from steamdino.present.web.picture_sources import srcset
from steamdino.present.web.root_path import base, below, own_path
from steamdino.present.web.timing import stage
from steamdino.records import HIDDEN_COLUMNS

PAGE = 24
"""Games per page."""


@cache
def environment() -> Environment:
    """Return the environment of the templates; everything is escaped."""
    made = Environment(
        auto_reload=False,  # or it looks at the times of the templates' files for each page
        autoescape=True,
        loader=PackageLoader("steamdino.present.web"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals.update(
        closeness=closeness,
        facts=facts,
        game_links=game_links,
        hidden_columns=HIDDEN_COLUMNS,
        rarity=rarity,
        year=year,
        srcset=srcset,
        static=static.address,
        quote=lambda text: quote(text, safe=""),
    )
    made.filters["printable"] = printable
    made.filters["release_text"] = release_text
    return made


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page rendered from a template."""
    found = served(request)
    with stage("answer"):
        text = (
            environment()
            .get_template(template)
            .render(
                address=addresses(request).of,
                typed=values.pop("typed", ""),
                onward=urlencode(carried(request)),
                turns=urlencode(carried(request, TURNS)),
                namesakes=values.pop("namesakes", frozenset()),
                recipes=found.recipes,
                fetches=request.app.state.fetch is not None,
                has_history=found.edition().folder is not None,
                base=base(request),
                static=lambda name: below(request, static.address(name)),
                here=own_path(request.scope),
                mix=values.pop("mix", None) or Mixing.elsewhere(request),
                **values,
            )
        )
    return Response(text, status, media_type="text/html; charset=utf-8")
