"""Read files that list apps: the legacy format, SteamSpy's, and lists that people write.

A list of names is never taken for one of appIDs, although names such as "1954" are numbers:

* A text is read as an appID only if it is written like one, and only if every other text in its place is, too. One that
  is not makes the file a list of names, which is refused.
* ``app_names.json`` is what the Steam DINO programs call their list of names. As a list of texts it is refused whatever
  they are.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steamdino.appids import LARGEST_APPID, is_appid
from steamdino.catalogue.steam.reply_fields import text, whole
from steamdino.errors import SourceError, UsageError
from steamdino.wellformed import shown

LARGEST_FILE = 256 << 20
"""Bytes; the list of all of Steam has about 20 MB."""

NAMES_ALONE = "app_names.json"
"""The file of the Steam DINO programs with names and no appIDs."""

ADVICE = (
    "appIDs come as in app_ids.json, and names with their appIDs, as in IStoreService.json or in lines such as"
    " 730,Counter-Strike 2"
)

_IDS = ("appid", "app_id", "id", "steam_appid")
_NAMES = ("name", "title")
_WRAPPERS = ("response", "applist", "apps")


def read(path: Path) -> dict[int, str | None]:
    """Return the appIDs that a file lists, in its order, each with its name if the file has one.

    The file may be a text with an appID at the beginning of each line ("730" or "730,Counter-Strike 2"; the first line
    may be a heading, and lines that begin with "#" are comments); a JSON list of numbers, quoted numbers or objects; a
    JSON object whose keys are appIDs (SteamSpy's format); or one reply of Steam or several merged ones, with the apps
    in "apps" (the legacy ``IStoreService.json``). Numbers that are too small or too large for an appID are skipped.

    Raises:
        UsageError: there is no such file.
        SourceError: it cannot be read, lists no app, or lists something else than appIDs.
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
    try:
        for appid, name in (
            _of_json(path, whole_text) if whole_text.lstrip()[:1] in ("[", "{") else _of_lines(whole_text)
        ):
            if 0 < appid <= LARGEST_APPID:
                found[appid] = found.get(appid) or name
    except _NotAppIdError as error:
        raise SourceError(f"{path} {error}; {ADVICE}") from None
    if not found:
        raise SourceError(f"{path} lists no app; start each line with an appID, or use JSON")
    return found


def read_names(path: Path) -> dict[str, str]:
    """Return the names that a file lists, by appID.

    Raises:
        UsageError, SourceError: as for `read`, or it lists appIDs without names.
    """
    found = {str(appid): name for appid, name in read(path).items() if name}
    if not found:
        raise SourceError(f"{path} lists appIDs without names; {ADVICE}")
    return found


class _NotAppIdError(ValueError):
    """Something stands where an appID should; the text continues the file's name."""


def _of_lines(content: str) -> Iterator[tuple[int, str | None]]:
    heading = True
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = line.replace("\t", ",").split(",", 1)
        appid = cells[0].strip().strip('"')
        if is_appid(appid):
            yield int(appid), text(cells[1].strip().strip('"')) if len(cells) > 1 else None
        elif not heading:
            raise _NotAppIdError(f"seems to list something else than appIDs: line {number} is {shown(line)}")
        heading = False


def _of_json(path: Path, content: str) -> Iterator[tuple[int, str | None]]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} starts like JSON but is not valid: {error}") from None
    if path.name == NAMES_ALONE and isinstance(value, list) and (names := _texts(value)):
        raise _NotAppIdError(f"is a list of names, not of appIDs: the first is {shown(names[0])}")
    yield from _found(value)


def _found(value: Any) -> Iterator[tuple[int, str | None]]:
    # Loops instead of recursion: how deeply a file is nested is up to its author.
    while isinstance(value, dict) and (inner := _first(value, _WRAPPERS, dict | list)) is not None:
        value = inner
    if isinstance(value, dict):
        for key, inner in value.items():
            if not is_appid(key):
                raise _NotAppIdError(f"has the key {shown(key)}, which is not an appID")
            yield int(key), text(_first(inner, _NAMES)) if isinstance(inner, dict) else text(inner)
        return
    entries = deque(value)
    while entries:
        one = entries.popleft()
        if isinstance(one, list):
            entries.extendleft(reversed(one))
            continue
        appid = _first(one, _IDS) if isinstance(one, dict) else one
        if isinstance(appid, str) and not is_appid(appid.strip()):
            raise _NotAppIdError(
                f"has the id {shown(appid)}, which is not an appID"
                if isinstance(one, dict)
                else f"seems to be a list of names, not of appIDs: one of them is {shown(appid)}"
            )
        if (number := whole(appid)) is not None:
            yield number, text(_first(one, _NAMES)) if isinstance(one, dict) else None


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _first(record: dict[str, Any], keys: tuple[str, ...], kind: Any = object) -> Any:
    return next((record[key] for key in keys if key in record and isinstance(record[key], kind)), None)
