"""Self-contained HTML pages: pictures included, no script, no requests."""

from __future__ import annotations

import base64
import hashlib
import io
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader
from PIL import Image

from steamdino.banners.read import read_picture
from steamdino.errors import PictureError
from steamdino.present.style_sheets import palette
from steamdino.storage.location import Location
from steamdino.storage.output import writing_text

THUMBNAIL = (200, 300)  # pixels at most
QUALITY = 82  # of JPEGs


def render(template: str, **values: Any) -> str:
    """Make a page from a template beside this module.

    A template gets `values`, `thumbnail`, which makes a data: URL of a picture file (None if it is unreadable), and
    `inline`, which makes one of a picture in memory, and `palette`, the colours of both themes.
    """
    # Names are untrusted, so everything is escaped.
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_source)
    )
    return environment.get_template(template).render(
        {"thumbnail": cache(_thumbnail), "inline": data_url, "palette": palette(), **values}
    )


def write_page(path: Path, template: str, *, option: str, **values: Any) -> None:
    """Write a page; see `render`.

    Args:
        path: see `storage.output`.
        template: beside this module.
        option: that named the file, for error messages.
        values: for the template.

    Raises:
        OutputError: the file cannot be written.
    """
    page = render(template, **values)
    with writing_text(path, option) as file:
        file.write(page)


def data_url(image: Image.Image, form: str = "JPEG") -> str:
    """A picture as a data: URL, as JPEG or PNG."""
    buffer = io.BytesIO()
    image.save(buffer, form, **({"quality": QUALITY} if form == "JPEG" else {}))
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def script_and_digest(*names: str) -> tuple[str, str]:
    """Scripts beside this module as one, and its sha256 as a Content-Security-Policy names it."""
    return with_digest("\n".join(map(_source, names)))


def with_digest(script: str) -> tuple[str, str]:
    """A script, and its sha256 as a Content-Security-Policy names it."""
    return script, base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _source(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


def _thumbnail(place: Path | Location | None) -> str | None:
    """Return a thumbnail as a data: URL, or None if the picture is unreadable."""
    if place is None:
        return None
    try:
        image = read_picture(place, THUMBNAIL)
    except PictureError:
        return None
    image.thumbnail(THUMBNAIL)
    return data_url(image)
