"""Measure the API under load: an open loop of 200 requests per second on 30,000 games, on one machine.

Requests are sent at fixed times, whether or not earlier ones were answered, and a latency counts from the time at which
its request should have been sent, so that a server that falls behind is measured correctly. Half of the requests are
`/api/v1/games/{id}/similar`, half are searches for names as they are typed.

    python benchmarks/serve.py [--names FOLDER] [--rate 200] [--seconds 60] [--workers 1]

The folder holds `app_ids.json` and `app_names.json`, as in the legacy format; without it names are invented.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np

from cold_start import catalogue, make_snapshot

CONNECTIONS = 32


class Loop:
    """Persistent connections, and the latencies of their requests in milliseconds."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.latencies: dict[str, list[float]] = {"similar": [], "names": []}
        self.failed = 0

    async def open(self) -> None:
        """Open the connections."""
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))

    async def ask(self, kind: str, path: str, due: float) -> None:
        """Send one request, and record its latency."""
        reader, writer = await self._free.get()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        self.failed += not head.startswith(b"HTTP/1.1 200")
        self.latencies[kind].append(1000 * (time.perf_counter() - due))


async def drive(port: int, games: list[tuple[str, str]], rate: float, seconds: float) -> Loop:
    """Send requests at fixed times."""
    loop, dice = Loop(port), random.Random(0)
    await loop.open()
    asked = []
    started = time.perf_counter() + 0.1
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        key, name = dice.choice(games)
        if number % 2:
            kind, path = "similar", f"/api/v1/games/{key}/similar"
        else:
            kind, path = "names", f"/api/v1/games?q={quote(name[: dice.randint(2, 8)])}"
        asked.append(asyncio.create_task(loop.ask(kind, path, due)))
    await asyncio.gather(*asked)
    return loop


def resident(pid: int) -> float:
    """Return the resident memory of a process in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def children(pid: int) -> list[int]:
    """Return the worker processes: the server's children, or the server itself."""
    found = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [p for p in found if resident(p) > 50] or [pid]


def main() -> None:
    """Print as JSON percentiles in milliseconds, the memory of a worker, and the generator's share of a core."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", type=Path)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--port", type=int, default=8765)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        games = catalogue(given.names)
        make_snapshot(Path(folder), games)
        command = [sys.executable, "-m", "steamdino", "serve", "-g", folder, "--rate", "0"]
        command += ["--port", str(given.port), "--workers", str(given.workers)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            while os.system(f"curl -sf -o /dev/null http://127.0.0.1:{given.port}/readyz"):  # noqa: S605
                time.sleep(0.2)
            asyncio.run(drive(given.port, games, 50, 3))  # warm-up
            before = [resident(pid) for pid in children(server.pid)]
            cpu = time.process_time()
            loop = asyncio.run(drive(given.port, games, given.rate, given.seconds))
            share = (time.process_time() - cpu) / given.seconds
            after = [resident(pid) for pid in children(server.pid)]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
    for kind, found in loop.latencies.items():
        p50, p99, most = np.percentile(found, [50, 99, 100])
        print(
            json.dumps(
                {
                    "asked": kind,
                    "count": len(found),
                    "p50": round(p50, 2),
                    "p99": round(p99, 2),
                    "most": round(most, 1),
                }
            )
        )
    print(
        json.dumps(
            {
                "failed": loop.failed,
                "workers": given.workers,
                "megabytes before": [round(one) for one in before],
                "after": [round(one) for one in after],
                "generator's share of a core": round(share, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
