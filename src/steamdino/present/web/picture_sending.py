"""Takes a picture that somebody sends, by upload or by address: leads to its page, or to its audit as a draft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from steamdino.analysis.audit import Audit
from steamdino.banners.read import read_picture
from steamdino.errors import BusyError, NetworkError, PictureError, QueryError, UsageError
from steamdino.present.display_text import duration, printable
from steamdino.present.export.audit_report import unusual, verdict
from steamdino.present.export.explanation_drawing import heat, places
from steamdino.present.export.html_page import data_url
from steamdino.present.web.error_responses import status_and_detail, wants_page
from steamdino.present.web.own_picture import store
from steamdino.present.web.page_links import FILTERS, MINIMA, carried
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import LONGEST, EditionOf, fetched, kept
from steamdino.present.web.picture_cookie import COOKIE, SECONDS, OwnPicture, written
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Crop
from steamdino.search.crop_parser import crop_of, cropped

NOTHING = {"address": "", "do": "", "tag": "", "mirror": False, "flip": False, "crop": []}
"""What an empty form was given."""
_KEPT = ("recipe", *FILTERS, *MINIMA)
"""The parameters of the form's address that the picture's page keeps."""

router = APIRouter(include_in_schema=False)


@router.get("/picture")
async def form(request: Request) -> Response:
    """Show the form for a picture."""
    return _form(request, error="", given=NOTHING)


@router.post("/picture")
def send(
    request: Request,
    edition: EditionOf,
    picture: Annotated[UploadFile | None, File()] = None,
    address: Annotated[str, Form(max_length=2000)] = "",
    do: Annotated[str, Form(max_length=20)] = "similar",
    tag: Annotated[str, Form(max_length=LONGEST)] = "",
    mirror: Annotated[bool, Form()] = False,
    flip: Annotated[bool, Form()] = False,
    crop: Annotated[list[str] | None, Form(max_length=4)] = None,
) -> Response:
    """Take a picture, sent or given by its address, and lead to its page, or to that of its audit.

    A script, which accepts JSON, gets the address of that page. A person who sends something that is no picture gets
    the form again, with the reason.
    """
    try:
        if picture is not None and picture.filename:
            name, source = printable(picture.filename)[:80], kept(picture)
        elif address.strip():
            name = printable(address.strip().rsplit("/", 1)[-1])[:80] or "your picture"
            source = fetched(request, address.strip())
        else:
            raise PictureError("no picture was sent; choose one")
        with source as path:
            if do == "audit":
                return _audited(request, edition, path, name, [tag] if tag.strip() else [])
            return _taken(
                request, edition, path, name, {"mirror": mirror, "flip": flip}, crop_of(",".join(crop or ()))
            )
    except (PictureError, NetworkError, UsageError, QueryError, BusyError) as error:
        if not wants_page(request):
            raise  # to be answered as JSON
        status, detail, headers = status_and_detail(error)
        given = {"address": address, "do": do, "tag": tag, "mirror": mirror, "flip": flip, "crop": crop or []}
        response = _form(request, status, error=detail, given=given)
        response.headers.update(headers)
        return response


def _form(request: Request, status: int = 200, **values: Any) -> Response:
    """Return the form, with what was given to it before and why it was refused."""
    return page(request, "picture.html.jinja", status, keeps=_duration(store(request).seconds), **values)


def _duration(seconds: float) -> str:
    """Return a duration for display, or nothing for none."""
    return duration(seconds) if seconds else ""


def _taken(
    request: Request,
    edition: ServedSnapshot,
    path: Path,
    name: str,
    turns: dict[str, bool],
    crop: Crop | None,
) -> Response:
    """Encode and keep a picture; lead to its page."""
    encoded = edition.encode(path)
    image = read_picture(path)
    if crop:
        cropped(image, crop)  # refused now, and not on the next page
        crop = _in_fractions(crop, image.size)
    own = OwnPicture.sent(name, encoded, edition.snapshot.recipe.hash)
    store(request).put(own.secret, image)
    place = below(request, f"/picture/{own.id}")
    options = [(key, "1") for key, on in turns.items() if on] + ([("crop", str(crop))] if crop else [])
    options += carried(request, _KEPT)
    to = f"{place}?{urlencode(options, safe=',')}" if options else place
    return _remembered(request, _led(request, to), own)


def _led(request: Request, to: str) -> Response:
    """Return the answer that leads to a page."""
    if _wants_json(request):
        return Response(json.dumps({"page": to}), 201, {"location": to}, media_type="application/json")
    return RedirectResponse(to, 303)


def _remembered(request: Request, response: Response, own: OwnPicture) -> Response:
    """Let the browser remember its picture."""
    response.set_cookie(
        COOKIE,
        written(own),
        max_age=SECONDS,
        path=below(request, f"/picture/{own.id}"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _in_fractions(crop: Crop, size: tuple[int, int]) -> Crop:
    """Return a part of a picture in fractions, since the picture that is kept is smaller."""
    if not crop.pixels:
        return crop
    width, height = size
    return Crop(crop.x / width, crop.y / height, crop.width / width, crop.height / height)


def _audited(request: Request, edition: ServedSnapshot, path: Path, name: str, tags: list[str]) -> Response:
    """Audit a draft; lead to the page of the audit, or return it if this server keeps nothing."""
    found = edition.audit(path, tags, PAGE)
    if not store(request).seconds:
        return _audit_page(request, found, name, _inline(path), "")
    own = OwnPicture.sent(name, edition.encode(path), edition.snapshot.recipe.hash)
    store(request).put(own.secret, read_picture(path))
    place = below(request, f"/picture/{own.id}")
    shown = _audit_page(request, found, name, _inline(path), place)
    store(request).put_audit(own.secret, bytes(shown.body))
    return _remembered(request, _led(request, f"{place}/audit"), own)


def _audit_page(request: Request, found: Audit, name: str, shown: str, place: str) -> Response:
    why = found.explanation
    pictures: list[tuple[str, str]] = []
    if why and why.pairs:
        sides = (
            (why.first, [pair.first for pair in why.pairs]),
            (why.second, [pair.second for pair in why.pairs]),
        )
        pictures = [("matching places in both", data_url(places(side, points))) for side, points in sides]
    if why:
        pictures += [("alike", data_url(heat(side))) for side in (why.first, why.second)]
    return page(
        request,
        "audit.html.jinja",
        name=name,
        shown=shown,
        place=place,
        audit=found,
        verdict=verdict(found),
        standings=[(unusual(one), one.percentile) for one in found.standings],
        why=pictures,
    )


def _inline(path: Path) -> str:
    image = read_picture(path, (300, 450))
    image.thumbnail((300, 450))
    return data_url(image)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
