"""Settings: what a person wants without saying it each time. Only entry points build them.

A value comes from the first of: a flag, the environment (``STEAMDINO_GALLERY``, ...), ``steamdino.toml`` in the
current folder, the default. What concerns Steam stands in the file's table ``[steam]``, and in ``STEAMDINO_STEAM_...``;
what concerns `serve`, in ``[web]`` and ``STEAMDINO_WEB_...``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from steamdino.errors import UsageError

FILE = "steamdino.toml"
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("f32", "bf16", "auto")
STEAM, WEB = "steam", "web"
PICTURES = ("gallery", "steam")

_NUMBERS: dict[str, tuple[type[int] | type[float], float, float]] = {
    "threads": (int, 0, 256),
    "connections": (int, 1, 32),
    "tries": (int, 1, 20),
    "rate": (float, 0, 1000),
    "banner_rate": (float, 0, 1000),
    "backoff": (float, 0.001, 600),
    "timeout": (float, 0.1, 3600),
    "port": (int, 0, 65535),
    "workers": (int, 1, 64),
    "requests_per_minute": (float, 0, 1e6),
    "largest_upload": (int, 1, 1 << 30),
    "refresh": (float, 0.05, 86400),
    "seconds": (float, 0.1, 3600),
}
"""Of settings that are numbers: their kind, the least and the most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the commands share.

    Attributes:
        gallery: the gallery's folder.
        recipe: the recipe that `build` uses; searches take the newest snapshot's unless one is named.
        device: that encodes: "cpu", "cuda" or "mps".
        precision: of the inference: "f32", "bf16" or "auto" (bf16 where the CPU computes in it).
        threads: pictures decoded at the same time; 0 means one per core.
    """

    gallery: Path = Path("gallery")
    recipe: str = "bundled"
    device: str = "cpu"
    precision: str = "f32"
    threads: int = 0

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> Settings:
        """Merges flags (None: not given), the environment and the file.

        Raises:
            UsageError: the file cannot be parsed, or a value is not of its kind.
        """
        return cls(**_merged(cls, flags, environ, folder, table="", prefix="STEAMDINO_"))


@dataclass(frozen=True, slots=True)
class SteamSettings:
    """Where and how to ask Steam; the defaults are gentle.

    Attributes:
        key: of Steam's Web API, from ``STEAM_API_KEY``; never printed, logged or stored. Empty to do without.
        api_url: of the Web API.
        assets_url: the folder of the games' pictures.
        language: of names and tags.
        country: from which the store is seen.
        other_country: from which hidden games are asked for once more.
        rate: calls of the Web API a second, at the most; 0 for no limit.
        banner_rate: pictures a second, at the most; 0 for no limit.
        connections: pictures fetched at the same time.
        backoff: seconds to wait before a request is repeated for the first time; then twice as long each time.
        tries: of one request, the first included.
        timeout: seconds for one request as a whole.
        user_agent: who asks; a mail address in it lets Steam write to you instead of blocking you.
    """

    key: str = field(default="", repr=False)
    api_url: str = "https://api.steampowered.com"
    assets_url: str = "https://shared.akamai.steamstatic.com/store_item_assets"
    language: str = "english"
    country: str = "US"
    other_country: str = "DE"
    rate: float = 1.0
    banner_rate: float = 10.0
    connections: int = 6
    backoff: float = 15.0
    tries: int = 6
    timeout: float = 60.0
    user_agent: str = "steam-dino (visual search for game banners)"

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> SteamSettings:
        """Merges flags (None: not given), the environment and the file's table ``[steam]``.

        Raises:
            UsageError: the file cannot be parsed, or a value is not of its kind.
        """
        merged = _merged(cls, flags, environ, folder, table="steam", prefix="STEAMDINO_STEAM_")
        if key := environ.get("STEAM_API_KEY"):
            merged["key"] = key
        return cls(**merged)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How `serve` serves; the defaults suit a machine of one's own.

    Attributes:
        host, port: to listen at.
        workers: processes that share the snapshots.
        requests_per_minute: of one address to one process, at the most; 0 for no limit.
        largest_upload: bytes of a picture that is sent.
        seconds: that one request may take.
        refresh: seconds between two looks for a newer snapshot.
        origins: whose pages may use the API in a browser, separated by spaces; "*" for all.
        pictures: where pages take banners from: "gallery", or "steam" where `sync` learned their addresses.
        fetch_urls: whether a query may be the address of a picture, which the server fetches: "yes" or "no". Private
            addresses are refused in any case.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    requests_per_minute: float = 600.0
    largest_upload: int = 10 << 20
    seconds: float = 30.0
    refresh: float = 5.0
    origins: str = ""
    pictures: str = "gallery"
    fetch_urls: str = "no"

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> WebSettings:
        """Merges flags (None: not given), the environment and the file's table ``[web]``.

        Raises:
            UsageError: the file cannot be parsed, or a value is not of its kind.
        """
        return cls(**_merged(cls, flags, environ, folder, table=WEB, prefix="STEAMDINO_WEB_"))


def _merged(
    cls: type[Any],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path | None,
    *,
    table: str,
    prefix: str,
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    known = {f.name for f in fields(cls)}
    path = (folder or Path()) / FILE
    content = _read(path)
    tables = {name: content.pop(name, {}) for name in (STEAM, WEB)}
    if table:
        content = tables[table]
    if not isinstance(content, dict):
        raise UsageError(f"{path}: [{table}] must be a table")
    place = f"{path}, [{table}]" if table else str(path)
    for source, values in ((place, content), ("the environment", _environment(environ, known, prefix))):
        for key, value in values.items():
            if key not in known:
                raise UsageError(f"{source}: unknown setting {key!r}; known are {', '.join(sorted(known))}")
            merged[key] = _checked(source, key, value)
    for key, value in flags.items():
        if value is not None:
            merged[key] = _checked(f"--{key.replace('_', '-')}", key, value)
    return merged


def _environment(environ: Mapping[str, str], known: set[str], prefix: str) -> dict[str, str]:
    values = {key: environ.get(f"{prefix}{key.upper()}") for key in known}
    return {key: value for key, value in values.items() if value}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _checked(source: str, key: str, value: Any) -> Any:
    if key == "gallery":
        return Path(value)
    if key in _NUMBERS:
        kind, least, most = _NUMBERS[key]
        try:
            number = kind(value)
        except (TypeError, ValueError):
            number = kind(-1)
        if isinstance(value, bool) or not least <= number <= most:
            what = "a whole number" if kind is int else "a number"
            raise UsageError(f"{source}: {key} is {value!r}; it must be {what} from {least:g} to {most:g}")
        return number
    if key == "device" and value not in DEVICES:
        raise UsageError(f"{source}: device is {value!r}; it must be one of: {', '.join(DEVICES)}")
    if key.endswith("_url") and not re.match(r"https?://[^/\s@]+(/\S*)?$", str(value)):
        raise UsageError(f"{source}: {key} is {value!r}; it must be an address like https://...")
    if key == "fetch_urls" and value not in ("yes", "no"):
        raise UsageError(f"{source}: fetch_urls is {value!r}; it must be yes or no")
    if key == "pictures" and value not in PICTURES:
        raise UsageError(f"{source}: pictures is {value!r}; it must be one of: {', '.join(PICTURES)}")
    if key == "user_agent" and not (str(value).isascii() and str(value).isprintable()):
        raise UsageError(f"{source}: {key} must be of plain letters, since it becomes part of each request")
    if key == "precision" and value not in PRECISIONS:
        raise UsageError(f"{source}: precision is {value!r}; it must be one of: {', '.join(PRECISIONS)}")
    return str(value)
