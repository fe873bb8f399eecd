"""Read from an item of Steam's replies when the game is, or will be, released."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from steamdino.catalogue.steam.reply_fields import flag, record, text, whole
from steamdino.steam_dates import announced, day_of, display_of


def release_columns(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns about the release, as `docs/reference/steam.md` describes them; None where unknown."""
    release = record(item, "release")
    display = display_of(release)
    upcoming = flag(release.get("is_coming_soon"))
    own = _day(release, "steam_release_date")
    shown = own if own or display else _day(release, "original_release_date")
    began = _day(release, "original_steam_release_date")
    if began is None and display is None and not upcoming and _is_in_early_access(item):
        began = own  # the original date is only given once a game has left early access
    return {
        "released": announced(shown, display) if shown else None,
        "coming_soon": upcoming or None,
        "release_message": text(release.get("custom_release_date_message")),
        "early_access_since": began.isoformat() if began else None,
    }


def _is_in_early_access(item: Mapping[str, Any]) -> bool:
    return flag(item.get("is_early_access")) or flag(record(item, "release").get("is_early_access"))


def _day(release: Mapping[str, Any], key: str) -> date | None:
    moment = whole(release.get(key))
    return None if moment is None else day_of(moment)
