"""Settings: what a person wants without saying it each time. Only entry points build them.

A value comes from the first of: a flag, the environment (``STEAMDINO_GALLERY``, ...), ``steamdino.toml`` in the
current folder, the default. What concerns Steam stands in the file's table ``[steam]``, and in ``STEAMDINO_STEAM_...``;
what concerns `serve`, in ``[web]`` and ``STEAMDINO_WEB_...``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from steamdino.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

FILE = "steamdino.toml"
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("f32", "bf16", "auto")
STEAM, WEB = "steam", "web"
PICTURES = ("gallery", "steam")

STEAM_API_HOSTS = ("api.steampowered.com", "partner.steam-api.com")
"""The hosts to which a key may go although nobody named them."""

_RANGES: dict[str, tuple[float, float]] = {
    "threads": (0, 256),
    "connections": (1, 32),
    "tries": (1, 20),
    "rate": (0, 1000),
    "banner_rate": (0, 1000),
    "backoff": (0.001, 600),
    "timeout": (0.1, 3600),
    "port": (0, 65535),
    "workers": (1, 64),
    "requests_per_minute": (0, 1e6),
    "largest_upload": (1, 1 << 30),
    "refresh": (0.05, 86400),
    "seconds": (0.1, 3600),
}
"""The least and the most of each setting that is a number."""

_CHOICES = {"device": DEVICES, "precision": PRECISIONS, "pictures": PICTURES}
_SECRET = "key"  # noqa: S105 (a setting's name)
_SWITCH = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(("no", "false", "off", "0"), False)
_ADDRESS = re.compile(r"https?://[^/\\?#\s@]+(/[^\\?#\s]*)?")
_STEAM_ADDRESS = re.compile(
    # In ASCII: elsewhere a dotless i is an i in the other case, and another host.
    rf"https://({'|'.join(map(re.escape, STEAM_API_HOSTS))})(:443)?(/.*)?",
    re.IGNORECASE | re.ASCII,
)

_KEY = "key"
"""Of a field's metadata: how the setting is called where the field has another name."""

_FILE, _ENVIRONMENT, _FLAG = "file", "environment", "flag"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the commands share.

    Attributes:
        gallery: the gallery's folder.
        recipe: the recipe that `build` uses; searches take the newest snapshot's unless one is named.
        device: that encodes: "cpu", "cuda" or "mps".
        inference_precision: "f32", "bf16" or "auto" (bf16 on CPUs that support it); its key is "precision".
        threads: pictures decoded at the same time; 0 means one per core.
    """

    gallery: Path = Path("gallery")
    recipe: str = "bundled"
    device: str = "cpu"
    inference_precision: str = field(default="f32", metadata={_KEY: "precision"})
    threads: int = 0

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> Settings:
        """Merges flags (None: not given), the environment and the file.

        Raises:
            UsageError: the file cannot be parsed, or a value is not of its kind.
        """
        return _made(cls, _found(cls, flags, environ, folder, table="", prefix="STEAMDINO_"))


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

        A file in the current folder may be a stranger's, so it does not decide where the key of the environment goes.

        Raises:
            UsageError: the file cannot be parsed, a value is not of its kind, or the file would send a key from the
                environment to a server that is not Steam's.
        """
        found = _found(cls, flags, environ, folder, table=STEAM, prefix="STEAMDINO_STEAM_")
        if key := environ.get("STEAM_API_KEY"):
            found["key"] = _Found(_checked("STEAM_API_KEY", "key", key, "str", _ENVIRONMENT), _ENVIRONMENT)
        _check_destination_of_key(found, (folder or Path()) / FILE)
        return _made(cls, found)


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
        fetch_urls: whether a query may be the address of a picture, which the server fetches. Private addresses are
            refused in any case.
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
    fetch_urls: bool = False

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> WebSettings:
        """Merges flags (None: not given), the environment and the file's table ``[web]``.

        Raises:
            UsageError: the file cannot be parsed, or a value is not of its kind.
        """
        return _made(cls, _found(cls, flags, environ, folder, table=WEB, prefix="STEAMDINO_WEB_"))


@dataclass(frozen=True, slots=True)
class _Found:
    """A setting's value, checked, and which of `_FILE`, `_ENVIRONMENT` and `_FLAG` it comes from."""

    value: Any = field(repr=False)
    origin: str


def _made(cls: type[T], found: Mapping[str, _Found]) -> T:
    names = {_key(one): one.name for one in fields(cls)}
    return cls(**{names[key]: one.value for key, one in found.items()})


def _key(setting: Field[Any]) -> str:
    """How a setting is called in the file, in the environment and as a flag."""
    return str(setting.metadata.get(_KEY, setting.name))


def _found(
    cls: type[Any],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path | None,
    *,
    table: str,
    prefix: str,
) -> dict[str, _Found]:
    kinds = {_key(f): str(f.type) for f in fields(cls)}
    path = (folder or Path()) / FILE
    content = _read(path)
    tables = {name: content.pop(name, {}) for name in (STEAM, WEB)}
    for name, values in tables.items():
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {name} is {_shown(values)}; it must be a table, [{name}]")
    if table:
        content = tables[table]
    found: dict[str, _Found] = {}
    place = f"{path}, [{table}]" if table else str(path)
    for source, origin, given in (
        (place, _FILE, content),
        ("the environment", _ENVIRONMENT, _environment(environ, kinds, prefix)),
    ):
        for key, value in given.items():
            if key not in kinds:
                raise UsageError(f"{source}: unknown setting {key!r}; known are {', '.join(sorted(kinds))}")
            found[key] = _Found(_checked(source, key, value, kinds[key], origin), origin)
    for key, value in flags.items():
        if value is not None:
            source = f"--{key.replace('_', '-')}"
            found[key] = _Found(_checked(source, key, value, kinds[key], _FLAG), _FLAG)
    return found


def _environment(environ: Mapping[str, str], known: Iterable[str], prefix: str) -> dict[str, str]:
    values = {key: environ.get(f"{prefix}{key.upper()}") for key in known}
    return {key: value for key, value in values.items() if value}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; make it readable or move it") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _check_destination_of_key(found: Mapping[str, _Found], path: Path) -> None:
    key, address = found.get("key"), found.get("api_url")
    if key is None or address is None or key.origin == _FILE or address.origin != _FILE:
        return
    if not _STEAM_ADDRESS.fullmatch(address.value):
        raise UsageError(
            f"{path}, [{STEAM}]: api_url is {_shown(address.value)}, which is not Steam's, and a file does not decide"
            " where your key goes; set STEAMDINO_STEAM_API_URL to that address, or unset STEAM_API_KEY"
        )


def _checked(source: str, key: str, value: Any, kind: str, origin: str) -> Any:
    """The value of a setting as its kind ("Path", "str", "int", "float" or "bool").

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
    if key == _SECRET or (key.endswith("_url") and "@" in str(value)):
        raise UsageError(f"{source}: {key} must be {expected}")
    raise UsageError(f"{source}: {key} is {_shown(value)}; it must be {expected}")


def _switch(value: Any, origin: str) -> tuple[bool | None, str]:
    if isinstance(value, str):  # a file may say "yes" as the environment does
        value = _SWITCH.get(value.strip().lower())
    return (
        value if isinstance(value, bool) else None
    ), "yes or no" if origin == _ENVIRONMENT else "true or false"


def _number(key: str, value: Any, kind: str, origin: str) -> tuple[int | float | None, str]:
    make: type[int] | type[float] = int if kind == "int" else float
    least, most = _RANGES[key]
    expected = f"{'a whole number' if make is int else 'a number'} from {least:g} to {most:g}"
    if origin == _ENVIRONMENT:
        try:
            value = make(value)
        except ValueError:
            return None, expected
    elif isinstance(value, bool) or not isinstance(value, int if make is int else int | float):
        return None, expected
    return (make(value) if least <= value <= most else None), expected


def _text(key: str, value: Any, kind: str) -> tuple[Path | str | None, str]:
    """A path or a text that fits its setting, or None; and what fits."""
    if kind == "Path":
        fits = isinstance(value, str | Path) and "\0" not in str(value)
        return Path(value) if fits else None, "the path of a folder, as text"
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
    elif key == _SECRET:
        expected = "text without spaces"
        fits = fits and not re.search(r"\s", value)
    return value if fits else None, expected


def _is_address(text: str) -> bool:
    if not (text.isascii() and _ADDRESS.fullmatch(text)):
        return False
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (
        ValueError
    ):  # Python refuses to write a whole number of more than 4,300 digits, which TOML may hold in hex
        text = "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:97]}..."
