"""Settings: what a person wants without saying it each time. Only entry points build them.

A value comes from the first of: a flag, the environment (``STEAMDINO_GALLERY``, ...), ``steamdino.toml`` in the
current folder, the default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from steamdino.errors import UsageError

FILE = "steamdino.toml"
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("f32", "bf16", "auto")


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
        merged: dict[str, Any] = {}
        known = {f.name for f in fields(cls)}
        path = (folder or Path()) / FILE
        for source, values in ((str(path), _read(path)), ("the environment", _environment(environ, known))):
            for key, value in values.items():
                if key not in known:
                    raise UsageError(
                        f"{source}: unknown setting {key!r}; known are {', '.join(sorted(known))}"
                    )
                merged[key] = _checked(source, key, value)
        for key, value in flags.items():
            if value is not None:
                merged[key] = _checked(f"--{key}", key, value)
        return cls(**merged)


def _environment(environ: Mapping[str, str], known: set[str]) -> dict[str, str]:
    values = {key: environ.get(f"STEAMDINO_{key.upper()}") for key in known}
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
    if key == "threads":
        try:
            threads = int(value)
        except (TypeError, ValueError):
            threads = -1
        if not 0 <= threads <= 256:
            raise UsageError(f"{source}: threads is {value!r}; it must be a whole number from 0 to 256")
        return threads
    if key == "device" and value not in DEVICES:
        raise UsageError(f"{source}: device is {value!r}; it must be one of: {', '.join(DEVICES)}")
    if key == "precision" and value not in PRECISIONS:
        raise UsageError(f"{source}: precision is {value!r}; it must be one of: {', '.join(PRECISIONS)}")
    return str(value)
