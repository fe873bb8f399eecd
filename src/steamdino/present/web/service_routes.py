"""Routes for those who run the server, and for robots."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from steamdino.present.web.api import PROBLEMS
from steamdino.present.web.parameters import served
from steamdino.present.web.problems import problem

router = APIRouter(tags=["service"], responses=PROBLEMS)

ROBOTS = """User-agent: *
Disallow: /api/
Disallow: /banners/
Disallow: /similar_apps
"""


@router.get("/robots.txt", response_class=PlainTextResponse)
async def robots() -> str:
    """What robots shall leave alone."""
    return ROBOTS


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Whether the process answers."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(request: Request) -> Response:
    """Whether there is a snapshot to ask."""
    if not len(served(request).edition().snapshot):
        return problem(503, "the snapshot is empty; add pictures and run: steam-dino build")
    return PlainTextResponse("ready\n")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counts and times for Prometheus, of this process."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
