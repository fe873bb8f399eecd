"""Errors for people: a page with a way back, or a line where htmx fills in a part of a page."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from steamdino.present.web.pages import page
from steamdino.present.web.root_path import below, own_path

HEADINGS = {
    400: "This cannot be answered",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    413: "The picture is too large",
    414: "The address is too long",
    422: "This cannot be answered",
    429: "Too many requests",
    503: "Not available now",
}
OTHER = "Something went wrong"


def error_page(request: Request, status: int, detail: str, *, retry: str = "") -> Response:
    """Return an error as a page.

    Args:
        request: what was asked.
        status: the status of the answer.
        detail: what went wrong, and what to do.
        retry: the Retry-After header: seconds after which the client may ask again.
    """
    # Of a form that was sent, its page: asking for the same address again would not send it.
    again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    repeatable = request.method in ("GET", "HEAD") and (status >= 500 or status == 429)
    of_picture = f"{own_path(request.scope)}/".startswith("/picture/") and not repeatable
    back = below(request, "/picture") if of_picture else ""
    wait = in_words(int(retry)) if retry.isdecimal() else ""
    part = "hx-request" in request.headers and "hx-boosted" not in request.headers
    return page(
        request,
        "error_part.html.jinja" if part else "error.html.jinja",
        status,
        code=status,
        heading=HEADINGS.get(status, OTHER),
        detail=(detail.partition("; try again in ")[0] if wait else detail).rstrip("."),
        wait=wait,
        again=again if repeatable else "",
        back=back,
    )


def in_words(seconds: int) -> str:
    """Return a time for people: "1 second", "45 seconds", "2 minutes"."""
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes"
