"""How many small changes of the code the tests notice: runs mutmut and prints the score of each package.

Run it from the repository's root: ``make mutants``, or ``python benchmarks/mutants.py [PACKAGE ...]`` where mutmut is
installed. It works in a copy, in ``mutants/``, and goes on where it stopped; remove that folder to begin anew. What
survived is shown by ``mutmut results`` and ``mutmut show NAME``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path("mutants/src/steamdino")
SURVIVED, UNTESTED, UNCHECKED = (0,), (33, 5), (None,)
"""Exit codes as mutmut stores them; whatever else there is, a test or a limit of time or memory noticed the mutant."""


def scores() -> dict[str, Counter[str]]:
    """Of each package (or module beside packages): how many mutants were noticed, survived and so on."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(ROOT.rglob("*.meta")):
        module = path.relative_to(ROOT).with_suffix("")
        package = module.as_posix() if module.parts[0] == "present" else module.parts[0]
        for code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].values():
            kinds = {"survived": SURVIVED, "untested": UNTESTED, "unchecked": UNCHECKED}
            found[package][next((kind for kind, codes in kinds.items() if code in codes), "noticed")] += 1
    return {package: counts for package, counts in found.items() if counts}


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", help="such as net, or present.web.guard; all by default")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is known")
    given = parser.parse_args()
    if not given.report:
        chosen = [f"steamdino.{package}.*" for package in given.packages]
        subprocess.run([sys.executable, "-m", "mutmut", "run", *chosen], check=False)
    print(f"{'package':24} {'mutants':>8} {'noticed':>8} {'survived':>9} {'untested':>9} {'score':>7}")
    for package, counts in scores().items():
        checked = counts.total() - counts["unchecked"]
        share = f"{counts['noticed'] / checked:.1%}" if checked else "-"
        line = (counts["noticed"], counts["survived"], counts["untested"])
        print(f"{package:24} {checked:8,} {line[0]:8,} {line[1]:9,} {line[2]:9,} {share:>7}")


if __name__ == "__main__":
    main()
