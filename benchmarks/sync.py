"""Measure time, memory and requests of `sync` with a store of Steam's size (list and details), and of a second run.

The store is made up and served on loopback without delay, so the program is measured, not Steam. Run it from the
repository's root: ``python benchmarks/sync.py [--games 184000]``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes.steam import Game, Store, serving

LATER = 1_900_000_000


def sync(store: Store, gallery: Path) -> tuple[float, float, int]:
    """Run the command; return seconds, peak megabytes, and the number of requests."""
    environ = {
        **os.environ,
        "STEAM_API_KEY": store.key,
        "STEAMDINO_STEAM_API_URL": store.address,
        "STEAMDINO_STEAM_ASSETS_URL": f"{store.address}/assets",
        "STEAMDINO_STEAM_RATE": "0",
        "STEAMDINO_STEAM_BANNER_RATE": "0",
    }
    before, began = len(store.log), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "steamdino", "sync", "-g", str(gallery)],
        env=environ,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.monotonic() - began, usage.ru_maxrss / 1024, len(store.log) - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=184_000)
    parser.add_argument(
        "--with-banners", type=int, default=5000, help="number of games in the store that changes"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with serving(Store.of(given.games, fates={"no art": 1.0})) as store:
            seconds, peak, requests = sync(store, Path(folder) / "all")
            print(
                f"{given.games:,} games, list and details: {seconds / 60:.1f} min, {peak:.0f} MB at most,"
                f" {requests:,} requests"
            )
            seconds, peak, requests = sync(store, Path(folder) / "all")
            print(f"again with nothing new: {seconds:.1f} s, {peak:.0f} MB, {requests:,} requests")
        with serving(Store.of(given.with_banners)) as store:
            _, _, first = sync(store, Path(folder) / "some")
            share = given.with_banners // 100
            for n, game in enumerate(list(store.games.values())[: 3 * share : 3]):
                game.modified = game.stamp = LATER
                game.art += n % 2  # the art of every other game changed
            store.games[10_000_000] = Game(10_000_000, "New", modified=LATER)
            _, _, second = sync(store, Path(folder) / "some")
            print(
                f"{given.with_banners:,} games with banners: {first:,} requests; after 1 % changed: {second:,}"
                f" ({second / first:.2%})"
            )


if __name__ == "__main__":
    main()
