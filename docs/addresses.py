"""Writes the repository's address and the version wherever a file cannot look them up.

    python docs/addresses.py                                       from pyproject.toml and version.py
    python docs/addresses.py https://github.com/me/steam-dino      in a fork: pyproject.toml first, then the rest

A test fails where a file is stale.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from steamdino.version import __version__

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "pyproject.toml"
OWNED = r"[\w.-]+/[\w.-]+?"


def repository() -> str:
    """The address of the repository."""
    return str(tomllib.loads(PROJECT.read_text("utf-8"))["project"]["urls"]["Repository"])


def _patterns(address: str) -> dict[str, dict[str, str]]:
    """For each file, what is written into the place that a pattern surrounds."""
    name = urlsplit(address).path.strip("/")
    dated = re.search(
        rf"^## \[{re.escape(__version__)}\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    cited = {
        r'(repository-code: ")[^"]*(")': address,
        r"(\nversion: )[^\n]*(\n)": __version__,
        r'(date-released: ")[^"]*(")': dated[1] if dated else "",
    }
    return {
        "notebooks/match_steam_banners.ipynb": {
            rf"(colab\.research\.google\.com/github/){OWNED}(/blob/main/)": name,
            r"(git\+)https://[^\s\\]+(\\n)": address,
        },
        "CITATION.cff": cited if dated else {},
        "docs/how-to/install.md": {
            r"(steam_dino-)[\d.]+\d(-py3)": __version__,
            r"(\nsteam-dino )[\d.]+\d(\n)": __version__,
        },
    }


def stale() -> dict[Path, str]:
    """The files that are stale, with what they should contain.

    Raises:
        ValueError: a file has no place for an address or a version.
    """
    found = {}
    for name, places in _patterns(repository()).items():
        path = ROOT / name
        text = before = path.read_text("utf-8")
        for pattern, value in places.items():
            text, count = re.subn(pattern, lambda match, value=value: match[1] + value + match[2], text)  # type: ignore[misc]
            if not count:
                raise ValueError(f"{name} has no place like {pattern}")
        if text != before:
            found[path] = text
    return found


def move(address: str) -> None:
    """Give the repository another address."""
    text = PROJECT.read_text("utf-8")
    PROJECT.write_text(text.replace(f'"{repository()}', f'"{address}'), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        move(sys.argv[1].rstrip("/"))
    for path, text in stale().items():
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT))
