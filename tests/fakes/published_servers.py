"""Servers of a published gallery, each on a machine of its own: a process with its own cache folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
from tests.fakes.nginx import free_port


@contextmanager
def server(address: str, folder: Path, refresh: float) -> Iterator[str]:
    """Serves a published gallery until the block ends.

    Args:
        address: of the gallery.
        folder: the machine's.
        refresh: seconds between looks for a newer snapshot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = os.environ | {"STEAMDINO_CACHE": str(folder), "STEAMDINO_WEB_REFRESH": str(refresh)}
    command = [sys.executable, "-m", "steamdino", "serve", "-g", address, "--port", str(port), "--rate", "0"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stderr=log, env=environment) as child,
    ):
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/readyz", timeout=60).raise_for_status()
                break
            except httpx.HTTPError:
                assert child.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
        try:
            yield url
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


@dataclass
class Visitors:
    """What visitors saw of a gallery whose games all have one name in each version.

    Attributes:
        seen: how often each version was shown.
        wrong: answers that failed, or showed two versions.
        seconds: how long each answer took.
    """

    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @contextmanager
    def at(self, url: str, rate: float, threads: int = 4) -> Iterator[None]:
        """Asks for similar games, so many times a second, until the block ends."""
        stop = threading.Event()

        def visit(number: int) -> None:
            with httpx.Client(base_url=url, timeout=30) as client:
                begun, asked = time.monotonic() + number / rate, 0
                while not stop.wait(max(0.0, begun + asked * threads / rate - time.monotonic())):
                    asked += 1
                    sent = time.monotonic()
                    answer = client.get(f"/api/v1/games/g{asked % 10:03}/similar", params={"k": 5})
                    names = {one["name"] for one in answer.json().get("matches", ())}
                    if answer.status_code != 200 or len(names) != 1:
                        self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                        continue
                    (name,) = names
                    self.seen[name] += 1
                    self.seconds.append(time.monotonic() - sent)

        visitors = [threading.Thread(target=visit, args=(number,)) for number in range(threads)]
        for one in visitors:
            one.start()
        try:
            yield
        finally:
            stop.set()
            for one in visitors:
                one.join()
