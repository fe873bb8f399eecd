"""Routes for operators and crawlers: robots.txt, health checks and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from steamdino.present.web.error_responses import problem
from steamdino.present.web.parameters import served
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.root_path import below

router = APIRouter(tags=["service"], responses=PROBLEMS)

NOT_CRAWLED = (
    "/api/",
    "/banners/",
    "/changes/pictures/",
    "/curator",
    "/mixture",
    "/picture/",
    "/similar_apps",
)


@router.get(
    "/robots.txt", response_class=PlainTextResponse, operation_id="robots", summary="Rules for crawlers"
)
async def robots(request: Request) -> Response:
    """Return the paths that crawlers should not visit."""
    lines = ["User-agent: *", *(f"Disallow: {below(request, path)}" for path in NOT_CRAWLED)]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/healthz", response_class=PlainTextResponse, operation_id="health", summary="Health check")
async def healthz() -> Response:
    """Report that the process is running."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", response_class=PlainTextResponse, operation_id="readiness", summary="Readiness check")
async def readyz(request: Request) -> Response:
    """Report whether there is a snapshot to search."""
    if not len(served(request).edition().snapshot):
        return problem(503, "the snapshot is empty; add pictures and run: steam-dino build")
    return PlainTextResponse("ready\n")


@router.get(
    "/metrics", response_class=PlainTextResponse, operation_id="metrics", summary="Metrics for Prometheus"
)
async def metrics(request: Request) -> Response:
    """Return counters and timers of all processes of this server for Prometheus."""
    return Response(request.app.state.metrics.written(), media_type=CONTENT_TYPE_LATEST)
