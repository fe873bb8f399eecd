"""The page on which a curator logs in and out."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from steamdino.present.web.curator import COOKIE, SECONDS, check_form, curator, session_of
from steamdino.present.web.pages import page
from steamdino.present.web.rate_limit import Limiter
from steamdino.present.web.root_path import below

NEVER = {"cache-control": "no-store"}

router = APIRouter(include_in_schema=False)


@router.get("/curator")
async def form(request: Request) -> Response:
    """Show the form for the token, or that the curator is logged in."""
    return _form(request)


@router.post("/curator")
async def log_in(request: Request, token: Annotated[str, Form()] = "") -> Response:
    """Start a session for whoever knows the token."""
    attempts: Limiter = request.app.state.attempts
    wait = attempts.count(request.client.host if request.client else "").wait
    if wait:
        seconds = math.ceil(wait)
        response = _form(request, 429, error=f"Too many attempts. Try again in {seconds} s.")
        response.headers["retry-after"] = str(seconds)
        return response
    found = curator(request)
    if not found.opens(token):
        return _form(request, 403, error="That is not the curator's token.")
    response = RedirectResponse(below(request, "/duplicates"), 303, NEVER)
    response.set_cookie(
        COOKIE,
        found.session(),
        max_age=SECONDS,
        path=below(request, "/"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/curator/leave")
async def log_out(request: Request, key: Annotated[str, Form()] = "") -> Response:
    """Make the browser forget the session."""
    check_form(request, key)
    response = RedirectResponse(below(request, "/duplicates"), 303, NEVER)
    response.delete_cookie(COOKIE, path=below(request, "/"))
    return response


def _form(request: Request, status: int = 200, *, error: str = "") -> Response:
    session = session_of(request)
    key = curator(request).form_key(session) if session else ""
    known = curator(request).is_known
    response = page(request, "curator.html.jinja", status, error=error, key=key, known=known)
    response.headers.update(NEVER)
    return response
