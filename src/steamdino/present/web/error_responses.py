"""Errors as HTTP answers: JSON for programs (RFC 9457), a page for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from steamdino.errors import (
    BusyError,
    NetworkError,
    NotComputedError,
    PictureError,
    QueryError,
    RecipeError,
    SteamDinoError,
    UsageError,
)
from steamdino.present.display_text import invalid_value, printable
from steamdino.present.web import problem_kinds
from steamdino.present.web.problem_kinds import ProblemKind
from steamdino.present.web.root_path import own_path
from steamdino.present.web.served_gallery import NotServedError
from steamdino.present.web.snapshot_registry import EditionGoneError

LOG = logging.getLogger("steamdino.web")

KINDS_OF: tuple[tuple[type[SteamDinoError], ProblemKind], ...] = (
    (RecipeError, problem_kinds.INVALID_RECIPE),
    (UsageError, problem_kinds.INVALID_REQUEST),
    (QueryError, problem_kinds.NOT_FOUND),
    (EditionGoneError, problem_kinds.EDITION_GONE),
    (PictureError, problem_kinds.UNREADABLE_PICTURE),
    (NetworkError, problem_kinds.UNREACHABLE_PICTURE),
    (BusyError, problem_kinds.BUSY),
    (NotComputedError, problem_kinds.NOT_COMPUTED),
    (NotServedError, problem_kinds.NOT_OFFERED),
)
"""Errors whose messages are meant for the client. The messages of all others go to the log only, since they may name
files of this machine."""
UNANSWERED = "this server cannot answer now; see its log for the reason"
JSON_TYPES = ("application/json", "application/problem+json")
LONGEST = 500
"""Maximum length of a detail, since it may repeat the request."""


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, kind: ProblemKind | None = None
) -> Response:
    """Return an error as JSON; without a kind, of the usual one of its status."""
    if status == HTTPStatus.NOT_MODIFIED:
        return Response(status_code=status, headers=dict(headers or {}))
    title = HTTPStatus(status).phrase
    kind = kind or problem_kinds.USUAL.get(status)
    record = {
        "type": kind.type if kind else problem_kinds.UNKNOWN,
        "title": title,
        "status": status,
        "detail": printable(detail)[:LONGEST],
    }
    text = json.dumps(record, ensure_ascii=False)
    return Response(text, status, dict(headers or {}), media_type=problem_kinds.MEDIA_TYPE)


def kind_of(error: SteamDinoError) -> ProblemKind | None:
    """Return which kind of problem an error is; None if its message is not for the client."""
    return next((kind for one, kind in KINDS_OF if isinstance(error, one)), None)


def status_and_detail(error: SteamDinoError) -> tuple[int, str, dict[str, str]]:
    """Return the HTTP status, the detail and the headers for one of this program's errors."""
    kind = kind_of(error)
    if kind is None:
        LOG.error("unanswered", extra={"facts": {"error": str(error)}})
        return 503, UNANSWERED, {}
    return (
        int(kind.status),
        str(error),
        {"retry-after": str(error.retry)} if isinstance(error, BusyError) else {},
    )


def answer(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    kind: ProblemKind | None = None,
) -> Response:
    """Return an error as JSON, or as a page or a part of one if the client prefers that."""
    if status == HTTPStatus.NOT_MODIFIED or not wants_page(request):
        return problem(status, detail, headers, kind)
    from steamdino.present.web.error_page import error_page

    headers = dict(headers or {})
    try:
        found = error_page(request, status, detail, retry=headers.get("retry-after", ""))
    except Exception:  # whatever is wrong with the pages must not hide what was wrong before
        LOG.exception("error page")
        return problem(status, detail, headers)
    found.headers.update(headers)
    return found


def unforeseen(request: Request, error: Exception) -> Response:
    """Log an unexpected error, and return an answer that does not reveal it."""
    LOG.error("unforeseen", exc_info=error)
    return answer(request, 500, "something went wrong on this server; see its log for the reason")


def of_error(request: Request, error: Exception) -> Response:
    """Return the answer for one of this program's errors, an invalid parameter or an HTTP error."""
    if isinstance(error, SteamDinoError):
        return answer(request, *status_and_detail(error), kind=kind_of(error))
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return answer(request, 422, f"{where}: {invalid_value(first)}")
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for these)
    return answer(request, error.status_code, str(error.detail), error.headers)


def install(app: FastAPI) -> None:
    """Register the error handler of an app."""

    async def handle(request: Request, error: Exception) -> Response:
        return of_error(request, error)

    for kind in (SteamDinoError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def wants_page(request: Request) -> bool:
    """Return whether HTML is preferred: by a browser, or by htmx on one of the pages, which accepts everything."""
    if own_path(request.scope).startswith("/api/"):
        return False
    accepted = request.headers.get("accept", "")
    if "hx-request" in request.headers and "json" not in accepted:
        return True
    html = _quality(accepted, "text/html")
    return html > 0 and html >= max(_quality(accepted, kind) for kind in JSON_TYPES)


def _quality(accepted: str, kind: str) -> float:
    """Return the weight of a media type that an Accept header names; 0 if it names it not."""
    for one in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        if name == kind:
            weights = [part[2:] for part in parameters if part.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
