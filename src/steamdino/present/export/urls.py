"""The addresses of banners as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from steamdino.gallery.atomic import replacing
from steamdino.present.text import inert

COLUMNS = ("url", "caption", "appid")


def write_urls(path: Path, addresses: Iterable[tuple[int, str, str, str]], folder: str) -> int:
    """Writes ``url,caption,appid`` as CSV, if there is anything; returns how many lines it has.

    Args:
        path: the file.
        addresses: (appID, name, path, query) of each banner.
        folder: the address that the paths are below.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    count = 0
    for appid, name, place, query in addresses:
        rows.writerow((f"{folder.rstrip('/')}/{place}" + (f"?{query}" if query else ""), inert(name), appid))
        count += 1
    if count:
        with replacing(path) as file:
            file.write(text.getvalue().encode())
    return count
