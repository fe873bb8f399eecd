"""Measure the time of `check` against another version of the program, in alternating runs on the same pictures.

    python benchmarks/check.py --against OTHER/src --pictures FOLDER [--count 2000] [--runs 3]

Each version adds links to the pictures to a gallery of its own. A run is the whole command on a fresh copy of it, so
that every picture is measured. The flaws that both find are compared. Without `--pictures`, some are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from memory import SOURCE, draw


@dataclass(slots=True)
class Version:
    """A version of the program.

    Attributes:
        name: for the table.
        source: its src folder.
        seconds: of each run, from start to end.
        processor: seconds of processor time of each run.
        findings: what the last run found.
    """

    name: str
    source: Path
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    findings: Any = None

    def run(self, *arguments: object) -> str:
        """Run a command of this version; return what it prints."""
        command = [sys.executable, "-m", "steamdino", *map(str, arguments)]
        environ = {**os.environ, "PYTHONPATH": str(self.source)}
        return subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout

    def check(self, gallery: Path, work: Path) -> None:
        """Time one check of a copy of the gallery."""
        copy = shutil.copytree(gallery, work / "copy")
        before, began = os.times(), time.monotonic()
        printed = self.run("check", "-g", copy, "--format", "json")
        after = os.times()
        self.seconds.append(time.monotonic() - began)
        self.processor.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        self.findings = json.loads(printed)
        shutil.rmtree(copy)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, required=True, help="the src folder of the other version")
    parser.add_argument("--pictures", type=Path, help="a folder of JPEGs; default: some are drawn")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    versions = [Version("against", given.against.absolute()), Version("this", SOURCE)]
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        pictures = work / "pictures"
        if given.pictures:
            pictures.mkdir()
            for number, path in enumerate(sorted(given.pictures.rglob("*.jpg"))[: given.count]):
                shutil.copy(path, pictures / f"{number:05}.jpg")
        else:
            draw(pictures, given.count).unlink()
        for version in versions:
            version.run("add", pictures, "-g", work / version.name)
        for _ in range(given.runs):
            for version in versions:
                version.check(work / version.name, work)
    for version in versions:
        print(
            f"{version.name:8} {median(version.seconds):6.2f} s, {median(version.processor):6.2f} s of processor time;"
            f" {len(version.findings):,} flaws"
        )
    other, this = versions
    print(
        f"ratio    {median(other.seconds) / median(this.seconds):6.2f} times as fast;"
        f" {median(other.processor) / median(this.processor):.2f} by processor time;"
        f" {'the same flaws' if other.findings == this.findings else 'OTHER FLAWS'}"
    )


if __name__ == "__main__":
    main()
