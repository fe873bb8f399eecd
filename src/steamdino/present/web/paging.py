"""Lists in pages: the link to the next page, and the edition in which a list goes on.

A list is stable only within one edition of the snapshot: a build may move every game of it. So each page names its
edition, and the link to the next page asks for the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from steamdino.errors import UsageError
from steamdino.present.web.json_encoding import encode
from steamdino.present.web.parameters import DEEPEST, LONGEST, Recipe, served
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.snapshot_registry import EditionGoneError
from steamdino.present.web.timing import stage

GONE = (
    "the list has changed since the page that this link is from; start again without `edition` and `offset`"
)
PATH = "/%:@!$&'()*+,;=~"
"""Characters that stay as they are in a path that is encoded already."""


async def list_edition(
    request: Request,
    recipe: Recipe = None,
    edition: Annotated[
        str,
        Query(
            max_length=LONGEST,
            description="The `edition` of an earlier page, as in its `next`. The list goes on as it was then; once it"
            " cannot, the answer is 410.",
        ),
    ] = "",
) -> ServedSnapshot:
    """Return the edition of an earlier page; without one, that of the requested recipe.

    Raises:
        EditionGoneError: it is not served any more.
        UsageError: it is an edition of another recipe.
    """
    registry = served(request)
    if not edition:
        return registry.edition(recipe or None)
    version = edition.partition(".")[0]
    found = registry.open_edition(version)
    if found is None:
        # Another process, which answered the earlier page, may have seen a newer snapshot first.
        await run_in_threadpool(registry.look)
        found = registry.open_edition(version)
    if found is None:
        raise EditionGoneError(GONE)
    if recipe and recipe != found.snapshot.recipe.name:
        raise UsageError(
            f"the edition {edition[:80]!r} is one of the recipe {found.snapshot.recipe.name!r}, not of"
            f" {recipe[:80]!r}; leave out one of the two"
        )
    return found


ListEditionOf = Annotated[ServedSnapshot, Depends(list_edition)]


def list_mark(items: Iterable[object]) -> str:
    """Return a digest of what a list holds, for lists that depend on more than the snapshot."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(repr(item).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:16]


def page_of(
    request: Request, edition: ServedSnapshot, record: dict[str, Any], after: int | None, mark: str = ""
) -> Response:
    """Return a page of a list as JSON: a record with its edition, and the link to the next page, also as a header.

    Args:
        request: that asked for the page.
        edition: in which the list was made.
        record: the page; the edition and the link are added to it.
        after: the offset of the next page; None if this is the last.
        mark: digest of the list if it depends on more than the snapshot, as `list_mark` makes it.

    Raises:
        EditionGoneError: the list is not the one of the earlier page any more.
    """
    name = f"{edition.version}.{mark}" if mark else edition.version
    if request.scope["query_string"] and request.query_params.get("edition", "") not in ("", name):
        raise EditionGoneError(GONE)
    link = None if after is None else _link(request, name, after)
    with stage("answer"):
        record["edition"], record["next"] = name, link
        text = encode(record)
    headers = None if link is None else {"link": f'<{link}>; rel="next"'}
    return Response(text, headers=headers, media_type="application/json")


def following(found: int, offset: int, k: int) -> int | None:
    """Return the offset of the next page of a search, given how many it found with one more than the page needs.

    A search goes no deeper than `DEEPEST`, since it finds all matches before a page as well.
    """
    after = offset + k
    return after if found > after and after <= DEEPEST else None


def _link(request: Request, edition: str, offset: int) -> str:
    """Return the address of the requested list at another offset: a path with a query, for the same server."""
    scope = request.scope
    root = scope.get("root_path", "").rstrip("/")
    raw = scope.get("raw_path")  # which servers may leave out
    path = quote(raw, safe=PATH) if raw else quote(scope["path"])
    if root and not path.startswith(f"{root}/"):
        path = root + path
    place = f"offset={offset}&edition={edition}"
    if not scope["query_string"]:
        return f"{path}?{place}"
    kept = [one for one in request.query_params.multi_items() if one[0] not in ("offset", "edition")]
    return f"{path}?{urlencode(kept)}&{place}" if kept else f"{path}?{place}"
