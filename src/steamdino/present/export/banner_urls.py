"""A table of banner URLs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from steamdino.errors import NoGalleryError
from steamdino.gallery import Gallery
from steamdino.present.display_text import inert
from steamdino.settings import SteamSettings
from steamdino.storage.output import writing_text

COLUMNS = ("url", "caption", "appid")


def write_urls(path: Path, addresses: Iterable[tuple[int, str, str, str]], folder: str) -> int:
    """Write ``url,caption,appid`` as CSV if there are any rows; return the number of rows.

    Args:
        path: the file.
        addresses: (appID, name, path, query) of each banner.
        folder: the base URL of the paths.

    Raises:
        OutputError: the file cannot be written.
    """
    lines = [(address(folder, place, query), inert(name), appid) for appid, name, place, query in addresses]
    if lines:
        with writing_text(path) as text:
            rows = csv.writer(text, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows(lines)
    return len(lines)


def addresses(gallery: Path, kind: str) -> dict[str, str]:
    """Return the URLs of pictures that `sync` found, by game id; empty if there is no gallery.

    Raises:
        GalleryError: there is one, and it cannot be read.
    """
    try:
        with Gallery.open(gallery) as opened:
            folder = SteamSettings.load({}).assets_url
            return {
                str(appid): address(folder, place, query)
                for appid, _, place, query in opened.steam_assets.addresses(kind)
            }
    except NoGalleryError:
        return {}


def address(folder: str, place: str, query: str) -> str:
    """Return the URL of one picture."""
    return f"{folder.rstrip('/')}/{place}" + (f"?{query}" if query else "")
