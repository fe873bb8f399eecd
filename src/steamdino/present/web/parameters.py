"""Request parameters: filters, pages, and pictures, uploaded or fetched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, File, Query, Request, UploadFile
from pydantic import BeforeValidator, Field, WithJsonSchema

from steamdino.errors import PictureError, UsageError
from steamdino.picture_formats import SUFFIXES_OF
from steamdino.present.web.media_types import BINARY
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.snapshot_registry import SnapshotRegistry
from steamdino.records import HIDDEN_COLUMNS, Crop, Filter
from steamdino.search.crop_parser import crop_of
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.search.filter_parser import filter_of

LONGEST = 500
"""Maximum length of a name or an id in a request: longer than any store's."""
MOST = 100
"""Maximum number of games per page."""
DEEPEST = 10_000
"""The largest offset of a search, which has to find all matches before it."""
PARTS = 8
"""Maximum number of games that are added to a mixture, or subtracted from it."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What to add to a query and to subtract from it, as `Snapshot.similar` takes it."""

    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to add or to subtract."""
        return bool(self.plus or self.minus)


def served(request: Request) -> SnapshotRegistry:
    """Return the snapshots that are served."""
    found: SnapshotRegistry = request.app.state.served
    return found


def _or_none(value: Any) -> Any:
    return None if value == "" else value


Recipe = Annotated[
    str | None, Query(max_length=LONGEST, description="The recipe to search with; default: the server's.")
]


# Async, because plain functions take a thread each, and wait if none is free.
async def edition(request: Request, recipe: Recipe = None) -> ServedSnapshot:
    """Return the edition of the requested recipe."""
    return served(request).edition(recipe or None)


async def only(
    tag: Annotated[
        list[str] | None, Query(max_length=20, description="Only games with all of these tags.")
    ] = None,
    released: Annotated[
        str,
        Query(
            max_length=40,
            description="Only games released in this period: 2020, 2020.., 2020-Q2 or 2020-05..2021.",
        ),
    ] = "",
    early_access: Annotated[
        str, Query(max_length=40, description="Only games whose early access began in this period.")
    ] = "",
    upcoming: Annotated[
        bool | None,
        BeforeValidator(_or_none),  # the form's choice of all games
        Query(description="1: only games that are not released yet; 0: none of them."),
    ] = None,
    min_reviews: Annotated[int, Query(ge=0, le=10**9, description="Minimum number of reviews.")] = 0,
    free: Annotated[bool, Query(description="Only free games.")] = False,
    adult: Annotated[bool, Query(description=f"Include {HIDDEN_COLUMNS['adult']}.")] = False,
    delisted: Annotated[bool, Query(description=f"Include {HIDDEN_COLUMNS['delisted']}.")] = False,
) -> Filter:
    """Return the requested filter; empty form fields count as missing."""
    tags = [one for one in tag or () if one.strip()]
    return filter_of(
        tags,
        released.strip(),
        min_reviews,
        free=free,
        early_access=early_access.strip(),
        upcoming=upcoming,
        adult=adult,
        delisted=delisted,
    )


async def cutoff(
    min_similarity: Annotated[
        Annotated[float, Field(ge=-1, le=1)] | None,
        BeforeValidator(_or_none),
        Query(description="Only matches with at least this similarity, a cosine."),
    ] = None,
    min_percentile: Annotated[
        Annotated[float, Field(ge=0, le=100)] | None,
        BeforeValidator(_or_none),
        Query(description="Only matches closer than this percentage of all pairs."),
    ] = None,
) -> Cutoff:
    """Return the least that a match must have; empty form fields count as missing."""
    if min_similarity is None and min_percentile is None:
        return EVERY_MATCH
    return Cutoff(min_similarity, min_percentile)


EditionOf = Annotated[ServedSnapshot, Depends(edition)]
OnlyOf = Annotated[Filter, Depends(only)]
CutoffOf = Annotated[Cutoff, Depends(cutoff)]
Id = Annotated[str, Query(max_length=LONGEST, description="A game's id.")]
Count = Annotated[int, Query(ge=1, le=MOST, description="Maximum number of results.")]
Offset = Annotated[int, Query(ge=0, le=DEEPEST, description="Number of results to skip.")]
Place = Annotated[int, Query(ge=0, le=2**31, description="Number of results to skip.")]
"""An offset in a list that is at hand as a whole."""
Mirror = Annotated[bool, Query(description="Mirror the query's picture left-right first.")]
Flip = Annotated[bool, Query(description="Flip the query's picture top-bottom first.")]


async def crop(
    crop: Annotated[
        str,
        Query(
            max_length=100,
            description="Compare only this part of the query's picture: x,y,width,height, as fractions of the picture"
            " or in pixels.",
        ),
    ] = "",
) -> Crop | None:
    """Return the requested part of a picture."""
    return crop_of(crop)


async def crop_of_fields(
    crop: Annotated[
        list[str] | None, Query(max_length=4, description="The same, in one value or in four.")
    ] = None,
) -> Crop | None:
    """Return the part of a picture that a form's four fields of the same name give."""
    return crop_of(",".join(crop or ()))


async def mixture(
    plus: Annotated[
        list[str] | None,
        Query(
            max_length=PARTS,
            description="Add a game, or words if the recipe supports them, to the query. 2*730 has the weight 2.",
        ),
    ] = None,
    minus: Annotated[
        list[str] | None, Query(max_length=PARTS, description="Subtract a game or words instead.")
    ] = None,
) -> Mixture:
    """Return the requested parts of a mixture; empty form fields count as missing."""
    return Mixture(*(tuple(one.strip() for one in given or () if one.strip()) for given in (plus, minus)))


CropOf = Annotated[Crop | None, Depends(crop)]
CropOfFields = Annotated[Crop | None, Depends(crop_of_fields)]
MixtureOf = Annotated[Mixture, Depends(mixture)]
Sent = Annotated[
    UploadFile,
    File(description=f"A picture: {', '.join(SUFFIXES_OF)}."),
    WithJsonSchema(BINARY),
]


@contextmanager
def kept(sent: UploadFile) -> Iterator[Path]:
    """Yield an uploaded picture as a temporary file.

    Raises:
        PictureError: it is not a picture.
    """
    with as_file(sent.file.read()) as path:
        yield path


@contextmanager
def fetched(request: Request, url: str) -> Iterator[Path]:
    """Yield the picture at an address as a temporary file.

    Raises:
        UsageError: fetching is switched off on this server.
        BusyError: the server is at its limit of fetches.
        NetworkError: the address is not allowed, or cannot be fetched.
        PictureError: it is not a picture.
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
    """Yield a picture's bytes as a temporary file.

    Raises:
        PictureError: it is not a picture.
    """
    if not data:
        raise PictureError("the picture is empty; choose a file")
    with tempfile.TemporaryDirectory(prefix="steamdino-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        yield path
