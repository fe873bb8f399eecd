"""Routes for operators and crawlers: robots.txt, health checks and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from steamdino.present.web.api import PROBLEMS
from steamdino.present.web.error_responses import problem
from steamdino.present.web.parameters import served

router = APIRouter(tags=["service"], responses=PROBLEMS)

ROBOTS = """User-agent: *
Disallow: /api/
Disallow: /banners/
Disallow: /changes/pictures/
Disallow: /curator
Disallow: /mixture
Disallow: /picture/
Disallow: /similar_apps
"""


@router.get("/robots.txt", response_class=PlainTextResponse)
async def robots() -> Response:
    """Return the paths that crawlers should not visit."""
    return PlainTextResponse(ROBOTS)


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> Response:
    """Report that the process is running."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(request: Request) -> Response:
    """Report whether there is a snapshot to search."""
    if not len(served(request).edition().snapshot):
        return problem(503, "the snapshot is empty; add pictures and run: steam-dino build")
    return PlainTextResponse("ready\n")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Return counters and timers of this process for Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
