"""The URLs of banners on Steam's servers, as a table and for links."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from steamdino.errors import NoGalleryError
from steamdino.gallery import Gallery
from steamdino.index.published_cache import published_urls
from steamdino.present.display_text import inert
from steamdino.records import Game
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


class SteamPictures:
    """The URLs of banners on Steam's servers."""

    def __init__(self, urls: Mapping[str, str] | None = None) -> None:
        """Take the URL of each appID's banner; none by default."""
        self.urls = dict(urls or {})

    def of(self, game: Game) -> str | None:
        """Return the URL of a game's banner; None if it is unknown, or the game is not from Steam.

        The URLs come from a gallery and the game from a snapshot, perhaps from someone else's. An equal id alone does
        not make them the same game.
        """
        return self.urls.get(game.id) if game.from_steam else None

    @property
    def hosts(self) -> list[str]:
        """The servers of the pictures, as origins such as ``https://shared.akamai.steamstatic.com``."""
        return sorted({"/".join(url.split("/", 3)[:3]) for url in self.urls.values()})


def steam_pictures(gallery: Path, kind: str) -> SteamPictures:
    """Return the pictures that `sync` found; none if there is no gallery.

    Args:
        gallery: its folder, or the one that holds the snapshots of a published gallery.
        kind: of banner.

    Raises:
        GalleryError: there is one, and it cannot be read.
    """
    try:
        with Gallery.open(gallery) as opened:
            folder = SteamSettings.load({}).assets_url
            return SteamPictures(
                {
                    str(appid): address(folder, place, query)
                    for appid, _, place, query in opened.steam_assets.addresses(kind)
                }
            )
    except NoGalleryError:
        return SteamPictures(published_urls(gallery, kind))


def address(folder: str, place: str, query: str) -> str:
    """Return the URL of one picture."""
    return f"{folder.rstrip('/')}/{place}" + (f"?{query}" if query else "")
