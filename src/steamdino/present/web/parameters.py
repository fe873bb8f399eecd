"""What requests ask for: filters, pages, pictures that were sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, File, Query, Request, UploadFile

from steamdino.errors import PictureError, UsageError
from steamdino.picture_formats import SUFFIXES_OF
from steamdino.present.web.snapshot_registry import Edition, SnapshotRegistry
from steamdino.records import Filter
from steamdino.search.filter_parser import filter_of

LONGEST = 500
"""Characters of a name or an id in a request: what no store has, and no query needs."""
MOST = 100
"""Games on a page."""
DEEPEST = 10_000
"""The largest offset."""


def served(request: Request) -> SnapshotRegistry:
    """The snapshots."""
    found: SnapshotRegistry = request.app.state.served
    return found


# Not plain functions, which would take a thread each, and wait for one where all are taken.
async def edition(
    request: Request,
    recipe: Annotated[
        str | None, Query(max_length=LONGEST, description="Which recipe answers; the default without.")
    ] = None,
) -> Edition:
    """The edition of the recipe that was asked for."""
    return served(request).edition(recipe or None)


async def only(
    tag: Annotated[
        list[str] | None, Query(max_length=20, description="Tags that each game must have.")
    ] = None,
    released: Annotated[str, Query(max_length=40, description="2020, 2020.. or 2020-05..2021")] = "",
    min_reviews: Annotated[int, Query(ge=0, le=10**9, description="How many reviews it must have.")] = 0,
    free: Annotated[bool, Query(description="Only games that cost nothing.")] = False,
    adult: Annotated[bool, Query(description="Let adult-only games through, too.")] = False,
) -> Filter:
    """The filter that was asked for; empty texts of a form are as good as none."""
    tags = [one for one in tag or () if one.strip()]
    return filter_of(tags, released.strip(), min_reviews, free=free, adult=adult)


EditionOf = Annotated[Edition, Depends(edition)]
OnlyOf = Annotated[Filter, Depends(only)]
Id = Annotated[str, Query(max_length=LONGEST)]
Count = Annotated[int, Query(ge=1, le=MOST, description="How many.")]
Offset = Annotated[int, Query(ge=0, le=DEEPEST, description="How many to leave out first.")]
Mirror = Annotated[bool, Query(description="Mirror the query's picture left-right first.")]
Flip = Annotated[bool, Query(description="Flip the query's picture top-bottom first.")]
Sent = Annotated[UploadFile, File(description=f"A picture: {', '.join(SUFFIXES_OF)}.")]


@contextmanager
def kept(sent: UploadFile) -> Iterator[Path]:
    """A picture that was sent as a file, which is gone afterwards.

    Raises:
        PictureError: it is none.
    """
    with as_file(sent.file.read()) as path:
        yield path


@contextmanager
def fetched(request: Request, url: str) -> Iterator[Path]:
    """A picture that an address names as a file, which is gone afterwards.

    Raises:
        UsageError: this server fetches none.
        BusyError: it fetches as many as it can.
        NetworkError: it must not be asked, or cannot be had.
        PictureError: it is none.
    """
    fetch = request.app.state.fetch
    if fetch is None:
        raise UsageError(
            "fetching pictures by address is switched off on this server; send the picture itself"
        )
    with request.app.state.fetching.taken():
        data = fetch(url)
    with as_file(data) as path:
        yield path


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """A picture's bytes as a file, which is gone afterwards.

    Raises:
        PictureError: it is none.
    """
    if not data:
        raise PictureError("the picture is empty; choose a file")
    with tempfile.TemporaryDirectory(prefix="steamdino-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        yield path
