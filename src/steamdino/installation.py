"""How this program was installed, which extras are there, and the command that installs what is missing.

A message about a missing library must name a command that works here. What works depends on how the program was
installed, which installers record (PEP 610: ``direct_url.json``; PEP 627: ``INSTALLER``):

====================================  ==================================================================
installed from                        the command installs
====================================  ==================================================================
a clone, editable or not              the clone with the extra: ``pip install -e '.[web]'``
a wheel or an sdist, file or address  that file with the extra
a repository                          that commit with the extra
an index, or a file that is gone      the libraries of the extra, by their names; see `PUBLISHED`
not at all: run from a source folder  the folder, editable, with the extra
====================================  ==================================================================
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "steam-dino"

PUBLISHED: str | None = None
"""What an installer takes for a release: the name on a package index, or the address of a wheel. None as long as there
is neither: a command that names the program could install somebody else's."""

EDITABLE, FOLDER, WHEEL, SDIST, REPOSITORY, INDEX, SOURCE = (
    "editable clone",
    "folder",
    "wheel",
    "sdist",
    "repository",
    "package index",
    "source folder",
)

PIPX, UV_TOOL = "pipx_metadata.json", "uv-receipt.toml"
"""Files in the environments that pipx and `uv tool` make."""

_OF_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")


@dataclass(frozen=True, slots=True)
class Installation:
    """How the running program was installed.

    Attributes:
        kind: `EDITABLE`, `FOLDER`, `WHEEL`, `SDIST`, `REPOSITORY`, `INDEX` or `SOURCE`.
        origin: the path or address that it came from; empty for an index.
        installer: what installed it, such as ``pip`` or ``uv``; empty if it was not installed.
    """

    kind: str
    origin: str
    installer: str

    def __str__(self) -> str:
        by = f", by {self.installer}" if self.installer else ", not installed"
        return f"{self.kind}{f' {self.origin}' if self.origin else ''}{by}"

    def requirement(self, *extras: str) -> str | None:
        """What an installer takes for the program with extras; None if where it came from is not known or gone."""
        with_extras = f"[{','.join(extras)}]" if extras else ""
        if self.kind != INDEX and "://" in self.origin:
            return f"{NAME}{with_extras} @ {self.origin}"
        if self.kind != INDEX and Path(self.origin).exists():
            here = Path(self.origin) == Path.cwd()
            return f"{'.' if here else self.origin}{with_extras}"
        if PUBLISHED and "://" in PUBLISHED:
            return f"{NAME}{with_extras} @ {PUBLISHED}"
        return f"{PUBLISHED}{with_extras}" if PUBLISHED else None


def installation() -> Installation:
    """Find out how the running program was installed."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    package = Path(__file__).parent
    found = _distribution()
    url = json.loads((found and found.read_text("direct_url.json")) or "null") or {}
    installer = ((found and found.read_text("INSTALLER")) or "").strip() or "an unknown installer"
    origin = url.get("url", "")
    if origin.startswith("file:"):
        origin = url2pathname(urlsplit(origin).path)
    if found is None or not _is_of(found, package, origin if "dir_info" in url else ""):
        # The package was found on the path, say by PYTHONPATH, before one that may also be installed.
        return Installation(SOURCE, str(package.parents[1]), "")
    if "dir_info" in url:
        return Installation(EDITABLE if url["dir_info"].get("editable") else FOLDER, origin, installer)
    if vcs := url.get("vcs_info"):
        commit = vcs.get("commit_id", "")
        return Installation(
            REPOSITORY, f"{vcs.get('vcs', 'git')}+{origin}{f'@{commit}' if commit else ''}", installer
        )
    if origin:
        return Installation(WHEEL if urlsplit(origin).path.endswith(".whl") else SDIST, origin, installer)
    return Installation(INDEX, "", installer)


def extras() -> dict[str, tuple[str, ...]]:
    """The extras, and which libraries each still needs; an extra that is complete needs none."""
    return {
        extra: tuple(name for name in map(_name, wanted) if not _is_installed(name))
        for extra, wanted in _requirements().items()
    }


def extra_command(*wanted: str) -> str:
    """The command that installs extras, for the way in which this program was installed."""
    found = installation()
    requirement = found.requirement(*wanted)
    if requirement is None:
        return library_command(*(library for extra in wanted for library in _requirements().get(extra, ())))
    editable = ["--editable"] if found.kind in (EDITABLE, SOURCE) else []
    words = [*editable, _quoted(requirement)]
    if _has(PIPX):
        return " ".join(["pipx", "install", "--force", *words])
    if _has(UV_TOOL):
        return " ".join(["uv", "tool", "install", *words])
    return " ".join([*_pip(), "install", *words])


def library_command(*names: str) -> str:
    """The command that installs libraries beside this program."""
    words = list(map(_quoted, names))
    return " ".join(["pipx", "inject", NAME, *words] if _has(PIPX) else [*_pip(), "install", *words])


def _has(mark: str) -> bool:
    """Whether a tool has left its mark in this environment, which it made for this program alone."""
    return Path(sys.prefix, mark).is_file()


def _pip() -> list[str]:
    """The pip of this environment, which need not be the first on the path; or uv's, where there is none."""
    pip = shutil.which("pip")
    if pip and os.path.normcase(Path(pip).parent) == os.path.normcase(Path(sys.executable).parent):
        return ["pip"]
    python = _quoted(sys.executable)
    if _is_installed("pip"):
        return [python, "-m", "pip"]
    return ["uv", "pip"] if os.environ.get("VIRTUAL_ENV") == sys.prefix else ["uv", "pip", "--python", python]


def _quoted(word: str) -> str:
    """A word as the usual shells take it; of Windows', both take double quotes."""
    if os.name == "nt":
        return f'"{word}"' if re.search(r"[\s<>\[\];&]", word) else word
    return f"'{word}'" if "[" in word and "'" not in word else shlex.quote(word)


@cache
def _distribution() -> Distribution | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(NAME)
    except PackageNotFoundError:
        return None


def _is_of(found: Distribution, package: Path, folder: str) -> bool:
    """Whether the running package is the one that a distribution installed, or that it refers to."""
    homes = [Path(str(found.locate_file(package.name)))]
    if folder:
        homes.append(Path(folder, "src", package.name))
    return any(home.exists() and home.samefile(package) for home in homes)


@cache
def _requirements() -> dict[str, tuple[str, ...]]:
    """The extras with what each requires, as the metadata say. A source folder that was not installed has none."""
    found = _distribution()
    gathered: dict[str, list[str]] = {}
    if found:
        gathered = {extra: [] for extra in found.metadata.get_all("Provides-Extra") or ()}
        for line in found.requires or ():
            requirement, _, marker = line.partition(";")
            if match := _OF_EXTRA.search(marker):
                gathered.setdefault(match[1], []).append(requirement.strip())
    return {extra: tuple(libraries) for extra, libraries in gathered.items()}


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found[0] if found else requirement


@cache
def _is_installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
