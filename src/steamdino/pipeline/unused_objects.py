"""Removes what a published gallery no longer shows, after a grace period."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from steamdino.index import strict_json
from steamdino.index.published_gallery import UNUSED, is_own
from steamdino.storage import object_files


def remove_unused(
    address: str,
    present: Iterable[str],
    shown: Collection[str],
    grace: timedelta,
    now: datetime | None = None,
) -> int:
    """Remove objects that have not been shown for long enough, and write down since when the others have not.

    Only what is named as a published gallery names its own objects is touched.

    Args:
        address: of the published gallery.
        present: keys that were there before something else was shown.
        shown: keys that are needed now.
        grace: how long an object stays.
        now: the time; None for the clock's.

    Returns:
        how many were removed.

    Raises:
        NetworkError: the store refuses or does not answer.
    """
    now = now or datetime.now(UTC)
    before = _times(object_files.read(f"{address}/{UNUSED}"))
    since = {key: before.get(key, now) for key in present if is_own(key) and key not in shown}
    expired = [key for key, moment in since.items() if now - moment >= grace]
    object_files.remove(address, expired)
    left = {
        key: moment.isoformat(timespec="seconds") for key, moment in since.items() if now - moment < grace
    }
    if left or before:
        object_files.write(f"{address}/{UNUSED}", f"{json.dumps(left, indent=0)}\n".encode())
    return len(expired)


def _times(data: bytes | None) -> dict[str, datetime]:
    """What was written down; nothing if that is damaged, so that the grace begins anew."""
    try:
        record = strict_json.loads(data or b"{}")
        return {key: datetime.fromisoformat(moment).astimezone(UTC) for key, moment in record.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
