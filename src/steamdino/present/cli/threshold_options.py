"""Thresholds on the command line: an option that may be repeated, such as --threshold blurry=0.2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from steamdino.errors import UsageError


def given(texts: Iterable[str], ranges: Mapping[str, float], example: str) -> dict[str, float]:
    """Read thresholds by name, with underscores.

    Args:
        texts: as typed.
        ranges: the highest value of each threshold, by its name with hyphens; the lowest is 0.
        example: of a text.

    Raises:
        UsageError: there is no such threshold, or the value is not a number.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in ranges:
            raise UsageError(
                f"--threshold is {text!r}; it must be like {example}, for one of: {', '.join(ranges)}"
            )
        try:
            found[name.replace("-", "_")] = float(value)
        except ValueError:
            raise UsageError(
                f"--threshold is {text!r}; after {name}= must come a number from 0 to {ranges[name]:g}"
            ) from None
    return found
