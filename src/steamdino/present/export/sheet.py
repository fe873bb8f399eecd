"""A sheet: queries with their matches on one HTML page, pictures included."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment

from steamdino.banners.decode import decode
from steamdino.banners.read import read
from steamdino.errors import PictureError, SteamDinoError
from steamdino.gallery.atomic import replacing
from steamdino.present.text import closeness
from steamdino.records import Matches

THUMBNAIL = (200, 300)  # pixels at most


def write_sheet(path: Path, answers: Sequence[Matches], *, title: str) -> None:
    """Writes the page, replacing an old one only when the new one is whole.

    Args:
        path: the file.
        answers: one section each.
        title: the page's heading.

    Raises:
        SteamDinoError: the file cannot be written.
    """
    source = (resources.files(__package__) / "sheet.html.jinja").read_text("utf-8")
    # Names come from strangers: everything is escaped unless a template says otherwise, and none does.
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(source).render(
        title=title, answers=answers, thumbnail=cache(_data_url), closeness=closeness
    )
    try:
        with replacing(path) as file:
            file.write(page.encode())
    except OSError as error:
        raise SteamDinoError(
            f"{path} cannot be written: {error.strerror}; name another file with -o"
        ) from None


def _data_url(path: Path | None) -> str | None:
    """A thumbnail as a data: URL; None if the picture cannot be had."""
    if path is None:
        return None
    try:
        image = decode(read(path).data, THUMBNAIL)
    except PictureError:
        return None
    image.thumbnail(THUMBNAIL)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
