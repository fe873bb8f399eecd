"""Reads settings from a file, the environment and flags, and merges them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from steamdino.errors import UsageError
from steamdino.settings.values import ENVIRONMENT, FLAG, FROM_FILE, checked, shown
from steamdino.thresholds import DuplicateThresholds, Thresholds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

FILE = "steamdino.toml"
STEAM, WEB, CHECK, DUPLICATES = "steam", "web", "check", "duplicates"
"""The file's tables."""

KEY = "key"
"""Of a field's metadata: how the setting is called where the field has another name."""

REPLACES = "replaces"
"""Of a field's metadata: the settings of earlier versions that it replaces."""

_FLAGS = {
    "requests_per_minute": "rate",
    "pictures_per_minute": "picture_rate",
    **{one.name: f"threshold {one.name}" for one in (*fields(Thresholds), *fields(DuplicateThresholds))},
}
"""Flags whose names differ from their settings'."""


@dataclass(frozen=True, slots=True)
class Found:
    """A setting's value, checked, and which of `FROM_FILE`, `ENVIRONMENT` and `FLAG` it comes from."""

    value: Any = field(repr=False)
    origin: str


def made(cls: type[T], found: Mapping[str, Found]) -> T:
    """Make settings of the values that were found; the others have their defaults."""
    return cls(**_values(cls, found))


def changed(settings: T, flags: Mapping[str, Any]) -> T:
    """Return settings with flags, as if they had been merged with these. Raises as `flagged`."""
    return replace(settings, **_values(type(settings), flagged(type(settings), flags)))


def _values(cls: type[Any], found: Mapping[str, Found]) -> dict[str, Any]:
    names = {_key(one): one.name for one in fields(cls)}
    return {names[key]: one.value for key, one in found.items()}


def _key(setting: Field[Any]) -> str:
    """How a setting is called in the file, in the environment and as a flag."""
    return str(setting.metadata.get(KEY, setting.name))


def merged(
    cls: type[Any],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path | None,
    *,
    table: str,
    prefix: str,
) -> dict[str, Found]:
    """Merge the file, the environment and flags; later ones win.

    Args:
        cls: the dataclass of the settings.
        flags: values by key; None: not given.
        environ: the environment.
        folder: the folder of the file; None for the current one.
        table: the file's table; empty for its top level.
        prefix: what the names of the settings in the environment begin with.

    Raises:
        UsageError: the file cannot be parsed, a setting is unknown or was replaced, or a value is not of its kind.
    """
    kinds = {_key(f): str(f.type) for f in fields(cls)}
    replaced = {old: f for f in fields(cls) for old in f.metadata.get(REPLACES, ())}
    path = (folder or Path()) / FILE
    content = _read(path)
    tables = {name: content.pop(name, {}) for name in (STEAM, WEB, CHECK, DUPLICATES)}
    for name, values in tables.items():
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {name} is {shown(values)}; it must be a table, [{name}]")
    if table:
        content = tables[table]
    found: dict[str, Found] = {}
    place = f"{path}, [{table}]" if table else str(path)
    for key, value in content.items():
        if setting := replaced.get(key):
            raise UsageError(
                f'{place}: {key} was replaced by {_key(setting)}; write {_key(setting)} = "{setting.default}" instead'
            )
        if key not in kinds:
            raise UsageError(f"{place}: unknown setting {key!r}; known are {', '.join(sorted(kinds))}")
        found[key] = Found(checked(f"{place}: {key}", key, value, kinds[key], FROM_FILE), FROM_FILE)
    for key in _environment(environ, replaced, prefix):
        name = f"{prefix}{_key(replaced[key]).upper()}"
        raise UsageError(
            f"{prefix}{key.upper()} was replaced by {name}; unset it, and set {name}={replaced[key].default} instead"
        )
    for key, value in _environment(environ, kinds, prefix).items():
        found[key] = Found(
            checked(f"{prefix}{key.upper()}", key, value, kinds[key], ENVIRONMENT), ENVIRONMENT
        )
    return found | flagged(cls, flags)


def flagged(cls: type[Any], flags: Mapping[str, Any]) -> dict[str, Found]:
    """Check flags, which win over all other settings.

    Args:
        cls: the dataclass of the settings.
        flags: values by key; None: not given.

    Raises:
        UsageError: a value is not of its kind.
    """
    kinds = {_key(f): str(f.type) for f in fields(cls)}
    found = {}
    for key, value in flags.items():
        if value is not None:
            label = f"--{_FLAGS.get(key, key).replace('_', '-')}"
            found[key] = Found(checked(label, key, value, kinds[key], FLAG), FLAG)
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
