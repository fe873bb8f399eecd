"""The most played games as a set of queries, asked for once a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from threading import Event

from steamdino.catalogue.steam import app_lists
from steamdino.errors import NetworkError
from steamdino.pipeline.sync.sync import api_of, client_of
from steamdino.settings import SteamSettings
from steamdino.storage.atomic import replacing

NAME = "{day:%Y%m%d}_top_100_app_ids.txt"


def most_played(gallery: Path, steam: SteamSettings, today: date) -> tuple[list[int], Path]:
    """Return the appIDs of the (about 100) most played games, the most played first, and the file that stores them.

    The gallery has one such file for each day. If Steam cannot be reached, the newest of them is used.

    Raises:
        NetworkError: Steam cannot be reached, and there is no older file.
    """
    path = gallery / NAME.format(day=today)
    if not path.exists():
        try:
            with client_of(steam, Event(), steam.rate, 1) as client:
                found = api_of(client, steam).most_played()
        except NetworkError:
            older = sorted(gallery.glob("[0-9]" * 8 + "_top_100_app_ids.txt"))
            if not older:
                raise
            path = older[-1]
        else:
            with replacing(path) as file:
                file.write("".join(f"{appid}\n" for appid in found).encode())
    return list(app_lists.read(path)), path
