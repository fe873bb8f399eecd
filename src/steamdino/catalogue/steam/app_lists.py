"""Read files that list apps: the legacy format, SteamSpy's, and lists that people write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steamdino.appids import LARGEST_APPID
from steamdino.catalogue.steam.reply_fields import text, whole
from steamdino.errors import SourceError, UsageError

LARGEST_FILE = 256 << 20
"""Bytes; the list of all of Steam has about 20 MB."""

_IDS = ("appid", "app_id", "id", "steam_appid")
_NAMES = ("name", "title")


def read(path: Path) -> dict[int, str | None]:
    """Return the appIDs that a file lists, in its order, each with its name if the file has one.

    The file may be a text with an appID at the beginning of each line ("730" or "730,Counter-Strike 2"; lines that
    begin with "#" are comments); a JSON list of numbers or objects; a JSON object whose keys are appIDs (SteamSpy's
    format); or one reply of Steam or several merged ones, with the apps in "apps" (the legacy ``IStoreService.json``).

    Raises:
        UsageError: there is no such file.
        SourceError: it cannot be read, or lists no app.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise SourceError(
                f"{path} has more than {LARGEST_FILE >> 20} MiB; name a file with a list of apps"
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; name a file with appIDs") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    whole_text = content.decode("utf-8-sig", "replace")
    found: dict[int, str | None] = {}
    for appid, name in (
        _of_json(path, whole_text) if whole_text.lstrip()[:1] in ("[", "{") else _of_lines(whole_text)
    ):
        if 0 < appid <= LARGEST_APPID:
            found[appid] = found.get(appid) or name
    if not found:
        raise SourceError(f"{path} lists no app; start each line with an appID, or use JSON")
    return found


def _of_lines(content: str) -> Iterator[tuple[int, str | None]]:
    for line in content.splitlines():
        if line.lstrip().startswith("#"):
            continue
        cells = line.replace("\t", ",").split(",", 1)
        appid = whole(cells[0])
        if appid is not None:
            yield appid, text(cells[1].strip().strip('"')) if len(cells) > 1 else None


def _of_json(path: Path, content: str) -> Iterator[tuple[int, str | None]]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} starts like JSON but is not valid: {error}") from None
    yield from _found(value)


def _found(value: Any) -> Iterator[tuple[int, str | None]]:
    if isinstance(value, dict):
        for wrapper in ("response", "applist", "apps"):
            if isinstance(value.get(wrapper), dict | list):
                yield from _found(value[wrapper])
                return
        for key, inner in value.items():
            appid = whole(key)
            if appid is not None:
                yield appid, text(_first(inner, _NAMES)) if isinstance(inner, dict) else text(inner)
        return
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            appid = whole(_first(one, _IDS))
            if appid is not None:
                yield appid, text(_first(one, _NAMES))
        elif isinstance(one, list):
            yield from _found(one)
        elif (appid := whole(one)) is not None:
            yield appid, None


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if key in record), None)
