"""Run mutation tests with mutmut, and print each package's score: the fraction of mutants that the tests detect.

Run it from the repository's root: ``make mutants``, or ``python benchmarks/mutants.py [PACKAGE ...]`` if mutmut is
installed. It works on a copy in ``mutants/`` and resumes where it stopped; remove that folder to start again. Show the
survivors with ``mutmut results`` and ``mutmut show NAME``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

ROOT = Path("mutants/src/steamdino")
SKIPPED = 34
"""The exit code of mutants that mutmut should skip."""

SURVIVED, UNTESTED, UNCHECKED = (0,), (33, 5), (None, SKIPPED)
"""Exit codes as mutmut stores them; all others mean that a test, a timeout or a memory limit detected the mutant."""

Outcomes = dict[str, dict[str, int | None]]


def outcomes() -> Outcomes:
    """Return each mutant's name and exit code, by package (or module beside packages)."""
    found: defaultdict[str, dict[str, int | None]] = defaultdict(dict)
    for path in sorted(ROOT.rglob("*.meta")):
        module = path.relative_to(ROOT).with_suffix("")
        package = module.as_posix() if module.parts[0] == "present" else module.parts[0]
        found[package].update(json.loads(path.read_text("utf-8"))["exit_code_by_key"])
    return {package: codes for package, codes in found.items() if codes}


def sampled(known: Outcomes, size: int) -> Outcomes:
    """Return a random sample of each package's mutants, always the same one."""
    drawn = {}
    for package, codes in known.items():
        names = random.Random(package).sample(sorted(codes), min(size, len(codes)))
        drawn[package] = {name: codes[name] for name in names}
    return drawn


def recode(change: Callable[[str, int | None], int | None]) -> None:
    """Change the stored exit codes, given each mutant's name and code."""
    for path in ROOT.rglob("*.meta"):
        record = json.loads(path.read_text("utf-8"))
        codes = record["exit_code_by_key"]
        record["exit_code_by_key"] = {name: change(name, code) for name, code in codes.items()}
        path.write_text(json.dumps(record), "utf-8")


def run_sample(size: int) -> None:
    """Run a sample of each package's mutants.

    mutmut also accepts names of mutants, but then runs single tests by id, and fails on some of them.
    """
    if not outcomes():
        run("steamdino.gallery.lock.*")  # creates all mutants, and tests a few
    kept = {name for codes in sampled(outcomes(), size).values() for name in codes}
    recode(lambda name, code: SKIPPED if code is None and name not in kept else code)
    try:
        run()
    finally:
        recode(lambda _, code: None if code == SKIPPED else code)


def report(found: Outcomes) -> None:
    """Print a table."""
    print(f"{'package':24} {'mutants':>8} {'noticed':>8} {'survived':>9} {'untested':>9} {'score':>7}")
    for package, codes in found.items():
        kinds = {"survived": SURVIVED, "untested": UNTESTED, "unchecked": UNCHECKED}
        counts = Counter(
            next((kind for kind, these in kinds.items() if code in these), "noticed")
            for code in codes.values()
        )
        checked = counts.total() - counts["unchecked"]
        share = f"{counts['noticed'] / checked:.1%}" if checked else "-"
        line = (counts["noticed"], counts["survived"], counts["untested"])
        print(f"{package:24} {checked:8,} {line[0]:8,} {line[1]:9,} {line[2]:9,} {share:>7}")


def run(*names: str) -> None:
    """Run mutants by name, or all."""
    subprocess.run([sys.executable, "-m", "mutmut", "run", *names], check=False)


def main() -> None:
    """Run the mutants, and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "packages", nargs="*", help="packages or modules, such as net or present.web.middleware; default: all"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="a random sample of N mutants per package")
    parser.add_argument(
        "--report", action="store_true", help="print the known results without running mutants"
    )
    given = parser.parse_args()
    if given.sample:
        if not given.report:
            run_sample(given.sample)
        report(sampled(outcomes(), given.sample))
        return
    if not given.report:
        run(*(f"steamdino.{package}.*" for package in given.packages))
    report(outcomes())


if __name__ == "__main__":
    main()
