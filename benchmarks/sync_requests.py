"""Count requests and bytes of `sync` with a store of Steam's size: at first, and after games were added and changed.

The store is made up and served on loopback; its replies are about as long as Steam's are before compression. Pictures
are left out. Run it from the repository's root, and name another commit's `src` or virtual environment to compare with:
``python benchmarks/sync_requests.py [--against ../other/src]``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes.steam import EPOCH, Game, Store, serving

LATER = 1_900_000_000
DAY = 86_400
HIGHEST, PLACEHOLDER, OLD = 100, 60, 40
"""New games by kind: released ones with the highest appIDs, unreleased ones with appIDs among the highest 3,000, and
released ones with old appIDs."""


@dataclass(frozen=True, slots=True)
class Program:
    """A version of steam-dino to run: its interpreter, and the folder of its source, or none if it is installed."""

    python: str
    source: Path | None

    @classmethod
    def at(cls, path: Path) -> Program:
        """Find it in a virtual environment or a `src` folder."""
        if (path / "bin" / "python").exists():
            return cls(str(path / "bin" / "python"), None)
        if not (path / "steamdino").is_dir():
            raise SystemExit(
                f"{path} has neither bin/python nor steamdino; name a virtual environment or a src folder"
            )
        return cls(sys.executable, path.resolve())


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run took: requests, characters of their addresses, bytes of the bodies, and the number of new games."""

    requests: int
    sent: int
    received: int
    found: int


def sync(program: Program, store: Store, gallery: Path, key: str) -> Usage:
    """Run the command on a gallery; return what the store saw of it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STEAM")} | {
        "STEAM_API_KEY": key,
        "STEAMDINO_STEAM_API_URL": store.address,
        "STEAMDINO_STEAM_ASSETS_URL": f"{store.address}/assets",
        "STEAMDINO_STEAM_RATE": "0",
        **({"PYTHONPATH": str(program.source)} if program.source else {}),
    }
    store.log.clear()
    # No game of the store has a hero picture, so this is about lists and details.
    command = [program.python, "-m", "steamdino", "sync", "-g", str(gallery), "--kind", "hero", "--json"]
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    asked = {appid for request in store.log if request.what == "items" for appid in request.ids}
    return Usage(
        len(store.log),
        sum(request.received for request in store.log),
        sum(request.sent for request in store.log),
        sum(appid % 10 == 1 for appid in asked),
    )


def change(store: Store, count: int) -> None:
    """Add 200 games, whose appIDs end in 1, and change some."""
    known = sorted(store.games)
    highest, newest = known[-1], EPOCH + (len(known) + 1) * DAY
    dice = random.Random(0)
    for game in dice.sample(list(store.games.values()), count):
        game.modified = game.stamp = LATER
    new = [highest + 10 * n + 1 for n in range(1, HIGHEST + 1)]
    unreleased = [appid + 1 for appid in dice.sample(known[-3000:], PLACEHOLDER)]
    released = [appid for appid in known[:-3000] if not store.games[appid].coming_soon]
    new += unreleased + [appid + 1 for appid in dice.sample(released, OLD)]
    for n, appid in enumerate(new):
        store.games[appid] = Game(
            appid, f"New game {n}", modified=LATER, released=newest + n, unreleased=appid in unreleased
        )
    store.games = dict(sorted(store.games.items()))


def measured(program: Program, games: int, changed: int) -> dict[str, Usage]:
    """Run `sync` on an empty gallery, then on a changed store, with a key and without."""
    with tempfile.TemporaryDirectory() as folder, serving(Store.of(games)) as store:
        first, second = Path(folder) / "first", Path(folder) / "second"
        usage = {"full, without a key": sync(program, store, first, "")}
        shutil.copytree(first, second)
        change(store, changed)
        usage["changes, without a key"] = sync(program, store, first, "")
        usage["changes, with a key"] = sync(program, store, second, store.key)
        return usage


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=184_000)
    parser.add_argument("--changed", type=int, default=1000)
    parser.add_argument("--against", type=Path, help="another version: its src folder or virtual environment")
    given = parser.parse_args()
    programs = [Program.at(Path(__file__).parents[1] / "src")]
    programs += [Program.at(given.against)] if given.against else []
    usages = [measured(program, given.games, given.changed) for program in programs]
    for run in usages[0]:
        print(f"{run}:")
        for name, unit in (("requests", 1), ("sent", 1e6), ("received", 1e6), ("found", 1)):
            values = [getattr(usage[run], name) / unit for usage in usages]
            ratio = f"  {values[0] / values[1]:8.2f}" if len(values) > 1 and values[1] else ""
            figures = "".join(f"{value:14,.2f}" if unit > 1 else f"{value:14,.0f}" for value in values)
            print(f"  {name + (' (MB)' if unit > 1 else ''):14}{figures}{ratio}")


if __name__ == "__main__":
    main()
