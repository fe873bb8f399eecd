"""Publishes snapshots while two servers behind nginx answer visitors: errors, mixtures, and how long each takes.

The S3 server is moto's, nginx is the real one with the offered configuration, and the two servers are processes with a
cache each. Every game of a version has the version's name, so an answer that mixes two versions shows.

    python benchmarks/publishing.py --games 20000 --versions 6 --rate 200
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fakes import object_storage
from tests.fakes.nginx import nginx_before
from tests.fakes.published_servers import Visitors, server
from tests.fakes.snapshots import gallery_of

from steamdino.pipeline.publish import publish


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--versions", type=int, default=6)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--refresh", type=float, default=5.0, help="seconds between the servers' looks")
    asked = parser.parse_args()

    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, visitors = Path(name), Visitors()
        storage = stack.enter_context(object_storage.serving())
        os.environ.update(storage.environment())
        storage.bucket("benchmark")
        address = "s3://benchmark/store"
        galleries = [
            gallery_of(folder / f"g{n}", f"version {n}", asked.games + n, seed=n, dim=asked.dim)
            for n in range(asked.versions + 1)
        ]
        publish(galleries[0], address)
        urls = [stack.enter_context(server(address, folder / key, asked.refresh)) for key in ("one", "two")]
        front = stack.enter_context(
            nginx_before(folder / "nginx", *urls, changes={"hash $remote_addr consistent;": ""})
        )
        begun = time.monotonic()
        with visitors.at(f"{front}/games", asked.rate, threads=16):
            for version in range(1, asked.versions + 1):
                time.sleep(2)
                started = time.monotonic()
                done = publish(galleries[version], address, grace=timedelta(0))
                published = time.monotonic()
                waiting = set(urls)
                while waiting:
                    waiting -= {
                        url
                        for url in waiting
                        if f'"version {version}"' in httpx.get(f"{url}/api/v1/games/g001").text
                    }
                    time.sleep(0.02)
                shown = time.monotonic()
                print(
                    f"version {version}: {done.sent / 1e6:,.0f} MB published in {published - started:.2f} s;"
                    f" both servers show it {shown - published:.2f} s later"
                )
        seconds = time.monotonic() - begun
    waits = sorted(visitors.seconds)
    print(
        f"{visitors.seen.total():,} answers, {visitors.seen.total() / seconds:.0f} a second;"
        f" {len(visitors.wrong)} failed or mixed; median {1000 * waits[len(waits) // 2]:.1f} ms,"
        f" 99th percentile {1000 * waits[int(len(waits) * 0.99)]:.1f} ms, longest {1000 * waits[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
