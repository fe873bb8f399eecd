"""The page of the API's reference, made from its OpenAPI document."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from steamdino.present.web.api_reference import reference
from steamdino.present.web.pages import page
from steamdino.present.web.problem_kinds import KINDS

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> Response:
    """Show every operation of the API with its parameters, answers and an example."""
    found = reference(request.app.openapi(), str(request.base_url).rstrip("/"))
    return page(request, "docs.html.jinja", reference=found, problems=KINDS)
