"""A folder with one made-up gallery for each program that is measured; what was measured while making it is kept."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import scale_gallery
from name_queries import Catalogue, catalogue
from names_served import queries
from scale_program import MeasureError, Program, Run

MORE = 1000
"""New games of an incremental build."""

TYPED = 30_000
"""Names that are typed, so that few are asked for twice."""

BYTES_A_GAME = {"gallery": 2_500, "snapshot": 1_500, "outputs": 1_500}
"""Estimates besides the vectors and the pictures, for the check of the disk's space."""


class World:
    """Names, pictures and tables that all programs share.

    Attributes:
        folder: where everything is made.
        games: number of games, without those of the incremental build.
        dim: number of dimensions.
        picture: width and height of the pictures in pixels.
        names: a JSON list of names.
    """

    def __init__(
        self, folder: Path, games: int, dim: int, picture: tuple[int, int], names: Path | None
    ) -> None:
        if dim not in scale_gallery.RECIPES:
            raise SystemExit(
                f"--dim is {dim}; recipes have one of {', '.join(map(str, scale_gallery.RECIPES))}"
            )
        self.folder, self.games, self.dim, self.picture = folder, games, dim, picture
        self.names = scale_gallery.names_file(folder, names)
        self._agree({"games": games, "dim": dim, "picture": list(picture), "names": str(names)})

    def _agree(self, settings: dict[str, Any]) -> None:
        """Stop if the folder was made with other settings."""
        path = self.folder / "made.json"
        if path.exists() and (known := json.loads(path.read_text("utf-8"))) != settings:
            raise SystemExit(f"{self.folder} was made with {known}, not {settings}; name another --folder")
        path.write_text(json.dumps(settings), "utf-8")

    @cached_property
    def catalogue(self) -> Catalogue:
        """The names and reviews of all games, with those of the incremental build."""
        return catalogue(self.names, self.games + MORE)

    @cached_property
    def typed(self) -> list[str]:
        """Paths of the API that look up names as they are typed, every second one with typos."""
        return queries(self.names, TYPED, self.games)

    @property
    def facts(self) -> dict[str, Any]:
        """What the figures of a run belong to: the size, the day and the machine."""
        return {
            "games": self.games,
            "dim": self.dim,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": f"{os.cpu_count()} cores of {processor()}",
        }

    @property
    def recipe(self) -> str:
        """The recipe that has so many dimensions."""
        return scale_gallery.RECIPES[self.dim]

    def write_table(self, path: Path, games: int) -> None:
        """Draw the pictures of the first games, and write their table."""
        scale_gallery.draw_pictures(self.folder, games, self.picture)
        scale_gallery.write_table(path, self.catalogue.names[:games], self.catalogue.reviews[:games])

    def check_space(self, programs: int) -> None:
        """Stop before anything is made if the disk is too small."""
        area = self.picture[0] * self.picture[1]
        pictures = 4096 * -(-(600 + area // 12) // 4096)
        one = (
            sum(BYTES_A_GAME.values()) + 2 * self.dim + 2 * 5 * self.dim
        )  # two snapshots, of float32 and codes
        needed = (self.games + MORE) * (pictures + programs * one)
        free = shutil.disk_usage(self.folder).free
        if free < needed and not (self.folder / "now").exists():
            raise SystemExit(
                f"{self.folder} has {free / 1e9:.1f} GB free and some {needed / 1e9:.1f} GB are needed;"
                " name another --folder"
            )


class Made:
    """The gallery of one program.

    Attributes:
        world: what it is made of.
        program: what makes it.
        folder: of the gallery and of outputs.
        gallery: the gallery.
    """

    def __init__(self, world: World, program: Program) -> None:
        self.world, self.program = world, program
        self.folder = world.folder / program.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.gallery = self.folder / "gallery"
        self._steps = self.folder / "steps.json"

    def once(self, step: str, work: Callable[[], Run], *, again: bool = False) -> dict[str, float]:
        """Do a step unless it was done before; return its seconds and its megabytes.

        Raises:
            MeasureError: it failed, now or before.
        """
        known: dict[str, Any] = json.loads(self._steps.read_text("utf-8")) if self._steps.exists() else {}
        if again or step not in known:
            try:
                known[step] = work().figures
            except MeasureError as error:
                known[step] = {"failed": str(error)}
            part = self._steps.with_suffix(".part")
            part.write_text(json.dumps(known, indent=1), "utf-8")
            part.rename(self._steps)
        if "failed" in known[step]:
            raise MeasureError(known[step]["failed"])
        figures: dict[str, float] = known[step]
        return figures

    def add(self, games: int | None = None) -> Run:
        """Add the table of the first games."""
        table = self.world.folder / f"{self.program.name}.csv"
        self.world.write_table(table, games or self.world.games)
        return self.program.command("add", table, "--steam", "-g", self.gallery)

    def encode(self) -> Run:
        """Store the vectors of the made-up encoder."""
        centres = max(10, self.world.games // 100)
        return self.program.script("scale_gallery.py", self.gallery, self.world.recipe, centres)

    def build(self) -> Run:
        """Write a snapshot."""
        return self.program.command("build", "-g", self.gallery, "--recipe", self.world.recipe)

    def ready(self) -> Made:
        """Make the gallery as far as it is not there."""
        self.once("add", self.add)
        self.once("encode", self.encode)
        self.once("build", self.build)
        return self

    def incremental(self) -> dict[str, float]:
        """Add and encode new games, and build again; return the figures of that build."""
        self.ready()
        self.once("add more", lambda: self.add(self.world.games + MORE))
        self.once("encode more", self.encode)
        return self.once("build more", self.build)

    def command(self, *arguments: str | Path, accepted: tuple[int, ...] = (0,)) -> Run:
        """Run a command on the gallery."""
        return self.program.command(*arguments, "-g", self.gallery, accepted=accepted)

    def snapshot(self) -> Path:
        """Return the folder of the newest snapshot."""
        found = [path.parent for path in self.gallery.glob("snapshots/**/manifest.json")]
        if not found:
            raise MeasureError("there is no snapshot")
        return max(found, key=lambda path: path.stat().st_mtime)


def processor() -> str:
    """Return the name of the processor, or its kind if the system does not tell more."""
    facts = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", facts.read_text("utf-8")) if facts.exists() else None
    return named[1] if named else platform.machine()


def most_files(folder: Path) -> int:
    """Return the number of files and folders in the folder that has the most of them."""
    return max(len(folders) + len(files) for _, folders, files in os.walk(folder))


def bytes_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, or of a file."""
    if folder.is_file():
        return folder.stat().st_size
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
