"""A part of the queries about Steam: restrict rows to some appIDs."""

from __future__ import annotations

import json
from collections.abc import Sequence

AMONG = "AND (? IS NULL OR appid IN (SELECT value FROM json_each(?)))"


def among_parameters(appids: Sequence[int] | None) -> tuple[str | None, str | None]:
    """Return the values for the placeholders of `AMONG`; None lets all rows through."""
    written = None if appids is None else json.dumps(list(appids))
    return written, written
