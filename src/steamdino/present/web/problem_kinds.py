"""The kinds of errors that the server answers with, as problems (RFC 9457), and how the API's document describes them.

The `type` of a problem names its kind and never changes; its wording may. `docs/how-to/serve.md` and `/docs` list them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

PREFIX = "urn:problem-type:steam-dino:"
UNKNOWN = "about:blank"
"""The type of a problem of no other kind than its HTTP status."""
MEDIA_TYPE = "application/problem+json"


class ProblemModel(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description=f"the kind of error, which programs can rely on: {PREFIX} and its name")
    title: str = Field(description="the HTTP status in words")
    status: int
    detail: str = Field(description="what was wrong, with the value, and what to do next; for people")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of error.

    Attributes:
        name: the end of its type.
        status: HTTP status.
        meaning: one sentence for the documentation.
    """

    name: str
    status: HTTPStatus
    meaning: str

    @property
    def type(self) -> str:
        """The `type` of its problems."""
        return PREFIX + self.name


def _kind(name: str, status: int, meaning: str) -> ProblemKind:
    return ProblemKind(name, HTTPStatus(status), meaning)


INVALID_REQUEST = _kind(
    "invalid-request",
    400,
    "A value cannot be parsed, such as a release date, or the request is not possible.",
)
INVALID_RECIPE = _kind(
    "invalid-recipe", 400, "The recipe is not served, or does not support this, such as words."
)
NOT_ALLOWED = _kind(
    "not-allowed", 403, "Only the curator may do this, from the page that the form is on; see `/curator`."
)
NOT_FOUND = _kind("not-found", 404, "There is no such game, tag, picture or address.")
METHOD_NOT_ALLOWED = _kind("method-not-allowed", 405, "The address exists, but not for this HTTP method.")
EDITION_GONE = _kind(
    "edition-gone",
    410,
    "The list has changed since the page that a `next` link is from. Start again with the first page.",
)
TOO_LARGE = _kind("too-large", 413, "The picture, or the body around it, is too large.")
ADDRESS_TOO_LONG = _kind("address-too-long", 414, "The address is too long.")
INVALID_PARAMETER = _kind(
    "invalid-parameter", 422, "A parameter is missing, of the wrong type or out of range."
)
UNREADABLE_PICTURE = _kind("unreadable-picture", 422, "The file is not a picture that can be read.")
UNREACHABLE_PICTURE = _kind(
    "unreachable-picture", 422, "The picture at the address cannot be downloaded, or may not be."
)
TOO_MANY_REQUESTS = _kind("too-many-requests", 429, "The client sent too many requests; see `Retry-After`.")
INTERNAL_ERROR = _kind("internal-error", 500, "Something went wrong on the server, which logged the reason.")
BUSY = _kind("busy", 503, "Too many requests of this kind are waiting already; see `Retry-After`.")
NOT_COMPUTED = _kind(
    "not-computed", 503, "The list takes long to compute; the detail names the command that stores it."
)
NOT_OFFERED = _kind("not-offered", 503, "This server does not offer it, since it serves no gallery.")
UNAVAILABLE = _kind("unavailable", 503, "The server cannot answer now, or not within its time limit.")

KINDS = (
    INVALID_REQUEST,
    INVALID_RECIPE,
    NOT_ALLOWED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    EDITION_GONE,
    TOO_LARGE,
    ADDRESS_TOO_LONG,
    INVALID_PARAMETER,
    UNREADABLE_PICTURE,
    UNREACHABLE_PICTURE,
    TOO_MANY_REQUESTS,
    INTERNAL_ERROR,
    BUSY,
    NOT_COMPUTED,
    NOT_OFFERED,
    UNAVAILABLE,
)

USUAL = {
    400: INVALID_REQUEST,
    403: NOT_ALLOWED,
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    410: EDITION_GONE,
    413: TOO_LARGE,
    414: ADDRESS_TOO_LONG,
    422: INVALID_PARAMETER,
    429: TOO_MANY_REQUESTS,
    500: INTERNAL_ERROR,
    503: UNAVAILABLE,
}
"""The kind of each status where nothing says which of its kinds it is."""


def responses(statuses: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI's routes declare for errors with these statuses."""
    return {
        status: {
            "description": " ".join(kind.meaning for kind in KINDS if kind.status == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}},
        }
        for status in statuses
    }


PROBLEMS = responses((400, 404, 413, 414, 422, 429, 500, 503))
"""The errors of every route."""
GONE = responses((410,))
"""The errors of lists besides these."""
