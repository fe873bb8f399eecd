"""Measure the memory of one server process after every route and page was asked, on a made-up gallery.

Own memory is anonymous memory (RssAnon in /proc/PID/status, so Linux only): files that are mapped, such as the vectors,
do not count. The gallery has 184,000 games unless told; a few hundred of them have real small pictures, so that routes
which decode pictures or run a model do so. Its snapshot is written by `steam-dino build`.

    python benchmarks/served_memory.py [--games 184000] [--gallery FOLDER] [--json FILE]

A folder that does not exist is made and kept; a gallery that is there already is used as it is.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from PIL import Image

from steamdino.banners.read import inspect
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery
from steamdino.gallery.layout import DATABASE
from steamdino.records import Banner, Entry
from steamdino.storage.location import LocalFile

GAMES, PICTURES, CLUSTERS = 184_000, 300, 1_000
BATCH = 10_000
EVERY = 0.005
"""Seconds between two looks at the memory."""
CONNECTIONS, ROUNDS = 8, 3
"""Of the load at the end, which asks everything again from several connections."""
FIRST = "10"
"""The id of a game with a picture."""
SECOND = "20"

VARIED: dict[str, list[str]] = {
    "/api/v1/games": ["q=Game", "q=Gmae+12", "offset=10000", "tag=Tag+1&min_reviews=10"],
    "/api/v1/games/{game_id:path}/similar": [
        "",
        "k=100&offset=800",
        "mirror=1",
        "tag=Tag+1",
        "released=2020",
    ],
    "/api/v1/unique": ["", "offset=10000", "tag=Tag+1", "adult=1", "delisted=1", "upcoming=0"],
    "/api/v1/duplicates": ["", "offset=100"],
    "/api/v1/changes": ["since=30d", "since=30d&tag=Tag+1"],
    "/games/{game_id:path}": ["", "flip=1"],
    "/unique": ["", "offset=10000"],
    "/": ["", "q=Game"],
    "/suggest": ["q=Gmae", "q=Game+1"],
}
"""Queries of routes that are asked more than once; the others are asked once, with what they require."""
NEEDED = {
    "/api/v1/text": "q=a+dinosaur",
    "/text": "q=a+dinosaur",
    "/api/v1/similar": "url=https://example.com/x.png",
    "/api/v1/explain": f"a={FIRST}&b={SECOND}",
    "/why": f"a={FIRST}&b={SECOND}",
}
IN_PATHS = {"game_id": FIRST, "width": "300", "n": "3", "sha256": "0" * 64, "name": "site.css"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and the server's own memory after it.

    Attributes:
        request: its method and address.
        status: of the answer.
        seconds: it took.
        megabytes: own memory after it.
        peak: the most own memory while it ran, in MB.
    """

    request: str
    status: int
    seconds: float
    megabytes: float
    peak: float


def make_gallery(folder: Path, games: int) -> None:
    """Make a gallery with encoded banners, a few hundred of which exist as files."""
    rng = np.random.default_rng(0)
    recipe = named("bundled")
    centres = rng.standard_normal((CLUSTERS, recipe.dim)).astype(np.float32)
    pictures = folder.parent / f"{folder.name}-pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    with Gallery.write(folder, "benchmark", create=True) as gallery:
        with gallery.transaction():
            source = gallery.games.put_source("folder", pictures, steam=True)
            key = gallery.vectors.put_recipe(recipe)
        for start in range(0, games, BATCH):
            numbers = range(start, min(start + BATCH, games))
            banners = [_banner(pictures, number) for number in numbers]
            vectors = centres[rng.integers(0, CLUSTERS, len(numbers))] + 1.2 * rng.standard_normal(
                (len(numbers), recipe.dim)
            ).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            with gallery.transaction():
                for number, banner in zip(numbers, banners, strict=True):
                    key_of = str(10 * (number + 1))
                    entry = Entry(
                        key_of, f"Game {number} of Words", banner.location, key_of, _columns(number)
                    )
                    gallery.games.put_game(source, entry)
                    gallery.banners.put(key_of, banner, banner.location)
                gallery.vectors.put(key, "f32", [one.sha256 for one in banners], vectors)
        with gallery.transaction():
            gallery.games.end_scan(source)


def _banner(folder: Path, number: int) -> Banner:
    path = folder / f"{10 * (number + 1)}.jpg"
    if number >= PICTURES:
        return Banner(LocalFile(path), 1000, 1, 1, f"{number:064x}", 300, 450, "RGB", "JPEG")
    rng = np.random.default_rng(number)
    Image.fromarray(rng.integers(0, 256, (12, 8, 3), np.uint8)).resize((300, 450)).save(path)
    return inspect(LocalFile(path), LocalFile(path).read())


def _columns(number: int) -> dict[str, Any]:
    dice = random.Random(number)
    columns: dict[str, Any] = {
        "tags": [f"Tag {dice.randint(0, 20)}", f"Tag {dice.randint(0, 400)}"],
        "released": f"{dice.randint(2005, 2026)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "reviews": int(dice.paretovariate(0.5)),
    }
    if dice.random() < 0.03:
        columns["adult"] = True
    if dice.random() < 0.05:
        columns["delisted"] = True
    return columns


def own(pid: int) -> float:
    """Return the own memory of a process in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("RssAnon:")[1].split()[0]) / 1024


class Watch:
    """Looks at a process's own memory every few milliseconds."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self.peak = self._since = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            try:
                now = own(self._pid)
            except (OSError, IndexError):  # it has ended
                return
            self.peak, self._since = max(self.peak, now), max(self._since, now)

    def since_last(self) -> float:
        """Return the most since the last call."""
        most, self._since = max(self._since, own(self._pid)), 0.0
        return most

    def close(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()


def requests() -> list[tuple[str, str, dict[str, str] | None]]:
    """Return (method, address, form) of every route and page, as the app declares them."""
    from steamdino.present.web import (
        api,
        banner_routes,
        changes_api,
        changes_feed,
        changes_pages,
        legacy_pages,
        legacy_routes,
        pages,
        service_routes,
        static,
    )

    modules = (
        service_routes,
        static,
        api,
        changes_api,
        legacy_routes,
        banner_routes,
        changes_feed,
        changes_pages,
        pages,
        legacy_pages,
    )
    found: list[tuple[str, str, dict[str, str] | None]] = []
    for module in modules:
        for route in module.router.routes:
            path = re.sub(r"{(\w+)(:path)?}", lambda name: IN_PATHS[name[1]], route.path)
            if "POST" in route.methods:
                forms = [{"do": "similar"}, {"do": "audit"}] if route.path == "/picture" else [{}]
                queries = ["", "?tag=Tag+1"] if route.path == "/api/v1/audit" else [""]
                found += [("POST", f"{path}{query}", form) for form in forms for query in queries]
                continue
            for query in VARIED.get(route.path, [NEEDED.get(route.path, _legacy_query(route.path))]):
                found.append(("GET", f"{path}?{query}" if query else path, None))
    return [*found, ("GET", "/openapi.json", None)]


def _legacy_query(path: str) -> str:
    if path.endswith("from_id"):
        return f"id={FIRST}"
    if path.endswith("from_name"):
        return urlencode({"name": "Game 1 of Words"})
    return "index=3" if path in ("/index", "/id", "/name", "/app", "/matches", "/similar_apps") else ""


def ask(port: int, method: str, address: str, form: dict[str, str] | None) -> int:
    """Send one request; return the status of its answer."""
    data, headers = None, {}
    if form is not None:
        data, headers["content-type"] = _multipart(form)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{quote(address, safe='/?&=+:%')}", data, headers, method=method
    )
    try:
        with _OPENER.open(request, timeout=120) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _multipart(form: dict[str, str]) -> tuple[bytes, str]:
    file = io.BytesIO()
    Image.effect_noise((300, 450), 90).convert("RGB").save(file, "PNG")
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in form.items()
    ]
    head = b'--x\r\ncontent-disposition: form-data; name="picture"; filename="x.png"\r\n\r\n'
    return b"".join([*parts, head, file.getvalue(), b"\r\n--x--\r\n"]), "multipart/form-data; boundary=x"


def measured(gallery: Path, options: list[str]) -> dict[str, Any]:
    """Serve a gallery, ask everything, and return the figures."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "steamdino",
        "serve",
        "-g",
        str(gallery),
        "--rate",
        "0",
        "--port",
        str(port),
    ]
    server = subprocess.Popen([*command, *options])
    try:
        while not _is_ready(port):
            if server.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.05)
        watch = Watch(server.pid)
        started = own(server.pid)
        asked = []
        for method, address, form in requests():
            watch.since_last()
            before = time.perf_counter()
            status = ask(port, method, address, form)
            seconds = time.perf_counter() - before
            asked.append(
                Asked(
                    f"{method} {address}", status, round(seconds, 3), round(own(server.pid), 1),
                    round(watch.since_last(), 1),
                )
            )  # fmt: skip
        after = own(server.pid)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda one: ask(port, *one), requests() * ROUNDS))
        loaded = own(server.pid)
        watch.close()
        threads = len(list(Path(f"/proc/{server.pid}/task").iterdir()))
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:  # a request is still being computed, which nothing interrupts
            server.kill()
            server.wait()
    return {
        "own memory, MB": {
            "started": round(started, 1),
            "after every route": round(after, 1),
            f"after {ROUNDS} rounds from {CONNECTIONS} connections": round(loaded, 1),
            "peak": round(watch.peak, 1),
        },
        "threads": threads,
        "requests": [asdict(one) for one in asked],
    }


def _is_ready(port: int) -> bool:
    try:
        return ask(port, "GET", "/readyz", None) == 200
    except OSError:
        return False


def main() -> None:
    """Print a table, and write the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=GAMES)
    parser.add_argument("--gallery", type=Path, help="a gallery to use, or where to make one")
    parser.add_argument("--json", type=Path, help="write the figures here; - is stdout, instead of the table")
    parser.add_argument("--serve", nargs="*", default=[], metavar="OPTION", help="further options of serve")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        gallery = given.gallery or Path(temporary) / "gallery"
        if not (gallery / DATABASE).is_file():
            make_gallery(gallery, given.games)
            subprocess.run([sys.executable, "-m", "steamdino", "build", "-g", str(gallery)], check=True)
        found = measured(gallery, given.serve)
    text = json.dumps(found, indent=1)
    if str(given.json) == "-":
        print(text)
        return
    if given.json:
        given.json.write_text(text)
    print(f"{'own MB':>7} {'peak':>7} {'seconds':>8} status request")
    for one in found["requests"]:
        print(
            f"{one['megabytes']:7.1f} {one['peak']:7.1f} {one['seconds']:8.3f} {one['status']:6} {one['request'][:70]}"
        )
    for label, value in found["own memory, MB"].items():
        print(f"{value:7.1f} {label}")


if __name__ == "__main__":
    main()
