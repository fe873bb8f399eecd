"""What `steam-dino serve` does with many games: requests a second, latencies, and a worker's memory."""

from __future__ import annotations

import asyncio
import html
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

import serve
from scale_gallery import appid, picture
from scale_made import Made
from scale_program import MeasureError, Server

WORKERS, CONNECTIONS, RATE, WARM_UP = 2, 8, 300, 2
PAGES = 80
"""Pages that are asked for, one of each form of address."""

ASK = """
local paths, next = {}, 0
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
request = function()
  next = next % #paths + 1
  return wrk.format("GET", paths[next])
end
"""
VALUES = {"game_id": "730", "id": "730", "a": "730", "b": "740", "index": "5", "n": "10", "width": "300"}


def flooded(server: Server, paths: list[str], seconds: float) -> float:
    """Ask for paths with wrk over eight connections; return how many requests a second were answered.

    Raises:
        MeasureError: wrk is missing, or a request failed.
    """
    if shutil.which("wrk") is None:
        raise MeasureError("wrk is not installed; install the package wrk")
    with tempfile.TemporaryDirectory() as folder:
        (script := Path(folder, "ask.lua")).write_text(ASK, "utf-8")
        (listed := Path(folder, "paths")).write_text("\n".join(paths), "utf-8")
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        done = subprocess.run(
            [*command, server.address],
            env={**os.environ, "PATHS": str(listed)},
            capture_output=True,
            text=True,
            check=False,
        )
    rate = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", done.stdout)
    if done.returncode or rate is None or failed:
        raise MeasureError(f"wrk: {failed[0] if failed else (done.stdout + done.stderr).strip()[-200:]}")
    return float(rate[1])


def _warm_and_flood(made: Made, paths: list[str], seconds: float) -> float:
    with made.program.serving(made.gallery, WORKERS) as server:
        flooded(server, paths[::-1], WARM_UP)
        return flooded(server, paths, seconds)


def similar(made: Made, seconds: float) -> float:
    """Ask for similar games by id, each id once before one comes again: requests a second."""
    ids = [appid(row) for row in range(made.world.games)]
    random.Random(0).shuffle(ids)
    return _warm_and_flood(made, [f"/api/v1/games/{one}/similar" for one in ids], seconds)


def names(made: Made, seconds: float) -> float:
    """Ask for names as they are typed, every second one with typos: requests a second."""
    return _warm_and_flood(made, made.world.typed, seconds)


def open_loop(made: Made, seconds: float) -> float:
    """Send 300 requests a second at fixed times, half of them similar games and half names: the worse p99 in ms."""
    games = [(appid(row), name) for row, name in enumerate(made.world.catalogue.names[: made.world.games])]
    with made.program.serving(made.gallery, WORKERS) as server:
        try:
            asyncio.run(serve.drive(server.port, games, 50, 3))
            loop = asyncio.run(serve.drive(server.port, games, RATE, seconds))
        except (OSError, EOFError, IndexError) as error:
            raise MeasureError(f"the server closed a connection: {error!r}") from None
    if loop.failed:
        raise MeasureError(f"{loop.failed} of {sum(map(len, loop.latencies.values()))} requests failed")
    return max(float(np.percentile(found, 99)) for found in loop.latencies.values())


def first_unique(made: Made) -> float:
    """Ask a server that has just started for its most unique games: milliseconds.

    Raises:
        MeasureError: it answers with an error.
    """
    with made.program.serving(made.gallery, WORKERS) as server:
        status, took, _, _ = server.get("/api/v1/unique")
    if status != 200:
        raise MeasureError(f"{status} after {took / 1000:.1f} s")
    return took


def worker_memory(made: Made) -> float:
    """Ask one worker for every route of the API and every kind of page: megabytes of its own memory.

    Pictures are sent too, so the model is in memory. Routes that answer with an error count as well.
    """
    with made.program.serving(made.gallery, 1) as server:
        ask_everything(server, made)
        return server.megabytes()


def ask_everything(server: Server, made: Made) -> int:
    """Ask for every route of the API, with GET and POST, and for every kind of page; return how many requests."""
    content = (made.world.folder / picture(0)).read_bytes()
    reads, pictures = described(server, "get"), described(server, "post")
    for path in reads:
        server.get(path)
    for path in pictures:
        server.get(path, picture=content)
    return len(reads) + len(pictures) + len(crawl(server))


def described(server: Server, method: str) -> list[str]:
    """Return the paths of all routes in a server's description of itself, with a value for each parameter.

    Args:
        server: the server.
        method: "get" or "post".
    """
    found = []
    for path, methods in json.loads(server.get("/openapi.json")[2])["paths"].items():
        if method not in methods:
            continue
        asked = []
        for one in methods[method].get("parameters", []):
            value = quote(VALUES.get(one["name"], "iron"), safe="")
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", value)
            elif one.get("required"):
                asked.append(f"{one['name']}={value}")
        found.append("?".join(filter(None, (path, "&".join(asked)))))
    return found


def crawl(server: Server) -> list[str]:
    """Follow the links of the home page to one page of each form; return their paths."""
    forms: set[str] = set()
    asked: list[str] = []
    waiting = ["/", "/?q=iron"]
    while waiting and len(asked) < PAGES:
        path = waiting.pop(0)
        form = re.sub(r"\d+", "0", re.sub(r"=[^&]*", "", path))
        if form in forms:
            continue
        forms.add(form)
        asked.append(path)
        status, _, body, kind = server.get(path)
        if status == 200 and "html" in kind:
            for link in re.findall(r'(?:href|src|hx-get)="([^"]+)"', body.decode("utf-8", "replace")):
                target = urlsplit(html.unescape(link))
                if not target.scheme and not target.netloc and target.path.startswith("/"):
                    waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return asked
