"""The values of settings: what each may be, and how texts of the environment are read."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import UsageError
from steamdino.storage.location import is_address
from steamdino.thresholds import DUPLICATE_RANGES, Thresholds

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

Prefix = str
"""The type of a setting that is an address in object storage, or empty."""

FROM_FILE, ENVIRONMENT, FLAG = "file", "environment", "flag"
"""Where a value comes from."""

DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("f32", "bf16", "auto")
PICTURES = ("gallery", "steam")
COUNTRIES = "countries"
INDEX = ("auto", "exact", "quantised")
ENGINES = ("local", "ray")

_RANGES: dict[str, tuple[float, float]] = {
    "threads": (0, 256),
    "actors": (0, 100_000),
    "largest_file": (1, 1 << 34),
    "largest_picture": (64, 1 << 34),
    "neighbours": (0, 1000),
    "connections": (1, 32),
    "tries": (1, 20),
    "rate": (0, 1000),
    "banner_rate": (0, 1000),
    "backoff": (0.001, 600),
    "timeout": (0.1, 3600),
    "port": (0, 65535),
    "workers": (1, 64),
    "requests_per_minute": (0, 1e6),
    "pictures_per_minute": (0, 1e6),
    "largest_upload": (1, 1 << 30),
    "picture_cache_bytes": (0, 1 << 50),
    "refresh": (0.05, 86400),
    "seconds": (0.1, 3600),
    "keep_uploads": (0, 86400),
    **{one.name: (0, 1) for one in fields(Thresholds)},
    **{name: (0, most) for name, most in DUPLICATE_RANGES.items()},
}
"""The lowest and the highest value of each setting that is a number."""

_CHOICES = {
    "device": DEVICES,
    "precision": PRECISIONS,
    "pictures": PICTURES,
    "index": INDEX,
    "engine": ENGINES,
}
KEY, CURATOR_TOKEN = SECRETS = ("key", "curator_token")
LEAST_SECRET = 16
"""Characters of a curator's token; shorter ones could be guessed."""
_SWITCH = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(("no", "false", "off", "0"), False)
_ADDRESS = re.compile(r"https?://[^/\\?#\s@]+(/[^\\?#\s]*)?")
_PREFIX = re.compile(r"[a-z0-9]+://[^/\\?#\s@]+(/[^/\x00-\x1f]+)*/?")
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
EVERYBODY, NOBODY = "*", "none"
"""Of trusted proxies: every address, or no address."""


def checked(label: str, key: str, value: Any, kind: str, origin: str) -> Any:
    """The value of a setting as its kind ("Path | str", "str", "int", "float" or "bool").

    The label is what error messages call the setting, such as "--rate" or "STEAMDINO_RECIPE".

    The environment holds nothing but text, from which the others are read. A file and flags give each value as what
    it is.
    """
    made: Any
    if kind == "bool":
        made, expected = _switch(value, origin)
    elif kind in ("int", "float"):
        made, expected = _number(key, value, kind, origin)
    else:
        made, expected = _text(key, value, kind)
    if made is not None:
        return made
    # Neither a key nor the password in an address belongs into a message, since messages end in logs.
    if key in SECRETS or ((key.endswith("_url") or kind == "Prefix") and "@" in str(value)):
        raise UsageError(f"{label} must be {expected}")
    raise UsageError(f"{label} is {shown(value)}; it must be {expected}")


def _switch(value: Any, origin: str) -> tuple[bool | None, str]:
    if isinstance(value, str):  # a file may say "yes" as the environment does
        value = _SWITCH.get(value.strip().lower())
    return (
        value if isinstance(value, bool) else None
    ), "yes or no" if origin == ENVIRONMENT else "true or false"


def _number(key: str, value: Any, kind: str, origin: str) -> tuple[int | float | None, str]:
    make: type[int] | type[float] = int if kind == "int" else float
    least, most = _RANGES[key]
    expected = f"{'a whole number' if make is int else 'a number'} from {least:.10g} to {most:.10g}"
    if origin == ENVIRONMENT:
        try:
            value = make(value)
        except ValueError:
            return None, expected
    elif isinstance(value, bool) or not isinstance(value, int if make is int else int | float):
        return None, expected
    return (make(value) if least <= value <= most else None), expected


def _text(key: str, value: Any, kind: str) -> tuple[Path | str | None, str]:
    """A path or a text that fits its setting, or None; and what fits."""
    if kind == "Path | str":
        fits = isinstance(value, str | Path) and "\0" not in str(value)
        if fits and is_address(str(value)):
            return str(value).rstrip("/"), ""
        return Path(value) if fits else None, "the path of a folder, as text"
    if kind == "Prefix":
        fits = isinstance(value, str) and (
            not value or (is_address(value) and _PREFIX.fullmatch(value) is not None)
        )
        expected = "an address like s3://bucket/banners, or empty for the gallery's folder"
        return value.rstrip("/") if fits else None, expected
    expected = "text"
    fits = isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value)
    if key in _CHOICES:
        expected = f"one of: {', '.join(_CHOICES[key])}"
        fits = fits and value in _CHOICES[key]
    elif key.endswith("_url"):
        expected = "an address like https://... in ASCII, without a user name, a query or a fragment"
        fits = fits and _is_address(value)
    elif key == "user_agent":
        expected = "plain letters in one line, since it becomes part of each request"
        fits = fits and value.isascii() and value.isprintable()
    elif key == COUNTRIES:
        expected = "codes of two letters, each once, separated by commas, such as US,JP,DE"
        fits = fits and _are_countries(value)
    elif key == "root_path":
        expected = "a path like /games, without a slash at its end"
        fits = fits and (not value or is_root_path(value))
    elif key == "trusted_proxies":
        expected = "IP addresses or networks like 10.0.0.0/8, separated by spaces, or one of: *, none"
        fits = fits and _are_networks(value)
    elif key == KEY:
        expected = "text without spaces"
        fits = fits and not re.search(r"\s", value)
    elif key == CURATOR_TOKEN:
        expected = f"text of at least {LEAST_SECRET} characters without spaces, such as: openssl rand -hex 24"
        fits = fits and (not value or (len(value) >= LEAST_SECRET and not re.search(r"\s", value)))
    return value if fits else None, expected


def country_codes(text: str) -> tuple[str, ...]:
    """Return the codes of countries that are separated by commas, in capitals."""
    return tuple(code.strip().upper() for code in text.split(","))


def is_root_path(text: str) -> bool:
    """Return whether a text is the path of a folder that a proxy may put before a server's paths."""
    return len(text) <= 200 and bool(_ROOT_PATH.fullmatch(text))


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...] | str:
    """Return the networks in a setting, or `EVERYBODY`.

    Raises:
        ValueError: one of them is neither an address nor a network.
    """
    from ipaddress import ip_network

    if text.strip() == EVERYBODY:
        return EVERYBODY
    return tuple(ip_network(one) for one in text.split() if text.strip() != NOBODY)


def _are_networks(text: str) -> bool:
    try:
        return bool(text.split()) and networks(text) is not None
    except ValueError:
        return False


def _are_countries(text: str) -> bool:
    codes = country_codes(text)
    return bool(re.fullmatch("[A-Za-z]{2}( *, *[A-Za-z]{2})*", text)) and len(set(codes)) == len(codes)


def _is_address(text: str) -> bool:
    if not (text.isascii() and _ADDRESS.fullmatch(text)):
        return False
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def shown(value: Any) -> str:
    """Return a value as an error message shows it: its repr, at most 100 characters."""
    try:
        text = repr(value)
    except (
        ValueError
    ):  # Python refuses to write a whole number of more than 4,300 digits, which TOML may hold in hex
        text = "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:97]}..."
