"""A Steam on loopback over a made-up catalogue of any size, which misbehaves as told.

By hand, so that anyone can try ``steam-dino sync`` without Steam::

    python -m tests.fakes.steam --games 500 --fault 500=0.02 --hidden 0.01

prints the two settings that send ``steam-dino`` to it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

TRANSIENT = (
    "429",
    "429-after",
    "500",
    "reset",
    "truncated",  # fewer bytes than announced
    "short",  # fewer bytes, and announced so: half of a JSON, half of a picture
    "drip",
    "html",
    "eresult-84",  # rate limited
    "eresult-2",  # failed
    "absent-items",
    "page-edges",
    "stalled",
    "no-apps",  # the list that needs a key, without its games
    "empty-page",  # a later page of a list, as if the list ended before it
)
"""Faults that go away when one asks again; each has a rate."""

TAGS = {19: "Action", 21: "Adventure", 122: "RPG", 1667: "Horror", 492: "Indie", 699: "Racing"}
CATEGORIES = {2: "Single-player", 1: "Multi-player"}
EPOCH = 1_500_000_000


@dataclass
class Game:
    """One made-up game. `fate` is "", or what is permanently wrong with it."""

    appid: int
    name: str
    fate: str = ""
    art: int = 0  # the version of its picture
    stamp: int = EPOCH  # of its last change; becomes ?t=
    modified: int = EPOCH
    adult: bool = False

    @property
    def file(self) -> str:
        token = hashlib.sha1(f"{self.appid}.{self.art}".encode(), usedforsecurity=False).hexdigest()[:12]
        return f"steam/apps/{self.appid}/{token}/library_600x900.jpg"


@dataclass
class Request:
    """What was asked, and how it was answered."""

    at: float
    what: str  # "list", "query", "items", "picture", "other"
    ids: tuple[int, ...]
    answer: str  # "ok", "304", "404", or the fault's name
    path: str = ""
    country: str = ""


@dataclass
class Store:
    """The catalogue, how the server behaves, and what it was asked.

    Attributes:
        rates: of each transient fault, 0 to 1.
        latency: seconds before each answer.
        key: that GetAppList demands.
        blocked: answers 403 from now on.
        eresult: with which calls of the Web API fail from now on, as replies with status 200; 1 for no failure.
    """

    games: dict[int, Game] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    latency: float = 0.0
    key: str = "0123456789ABCDEF"
    blocked: bool = False
    eresult: int = 1
    seed: int = 0
    log: list[Request] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    drip_seconds: float = 3.0
    drawn: int = 0

    @classmethod
    def of(cls, count: int, *, seed: int = 0, fates: dict[str, float] | None = None) -> Store:
        """A store of so many games; `fates` says which share has which permanent fault."""
        rng = random.Random(seed)
        store = cls(seed=seed)
        for n in range(1, count + 1):
            draw, fate = rng.random(), ""
            for name, share in (fates or {}).items():
                if draw < share:
                    fate = name
                    break
                draw -= share
            appid = 10 * n
            store.games[appid] = Game(appid, f"Game {n}", fate, adult=n % 50 == 0)
        return store

    def fault(self, *possible: str) -> str:
        """Which of these faults happens now; "" for none."""
        with self.lock:
            self.drawn += 1
            draw = random.Random(f"{self.seed}.{self.drawn}").random()
        for name in possible:
            rate = self.rates.get(name, 0.0)
            if draw < rate:
                return name
            draw -= rate
        return ""

    def note(self, request: Request) -> None:
        with self.lock:
            self.log.append(request)

    def counts(self) -> Counter[str]:
        return Counter(request.what for request in self.log)

    def busiest_second(self, what: set[str]) -> int:
        """The most requests of some kinds that arrived within any second."""
        times = sorted(request.at for request in self.log if request.what in what)
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def picture(self, game: Game) -> bytes:
        return picture(game.appid, game.art)


@lru_cache(maxsize=8192)
def picture(appid: int, art: int) -> bytes:
    rng = random.Random(f"{appid}.{art}")
    image = Image.new("RGB", (48, 72), tuple(rng.randrange(256) for _ in range(3)))
    image.paste(tuple(rng.randrange(256) for _ in range(3)), (rng.randrange(24), rng.randrange(36), 40, 60))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def item(game: Game, country: str) -> dict[str, Any]:
    """What GetItems says of a game, with the oddities that are seen there."""
    if game.fate == "failing":
        return {"id": game.appid, "appid": game.appid, "success": 2}
    if game.fate == "hidden" or (game.fate == "regional" and country == "US"):
        return {"id": game.appid, "appid": 0, "success": 15, "visible": False}
    n = game.appid // 10
    assets: dict[str, Any] = {
        "asset_url_format": f"{game.file.rpartition('/')[0]}/${{FILENAME}}?t={game.stamp}",
        "library_capsule": "library_600x900.jpg",
        "header": "header.jpg",
    }
    if game.fate == "no art":
        assets = {}
    if game.fate == "climbs":
        assets["asset_url_format"] = "../../secret/${FILENAME}"
    if game.fate == "fallback":
        del assets["library_capsule"]
        assets["hero_capsule"] = "library_600x900.jpg"
    if game.fate == "hero":
        assets["library_hero"] = "library_600x900.jpg"
    return {
        "id": game.appid,
        "appid": str(game.appid) if n % 7 == 0 else game.appid,
        "success": 1,
        "visible": True,
        "name": game.name,
        "type": 0,
        "is_free": n % 5 == 0,
        "store_url_path": f"app/{game.appid}/Game_{n}",
        "tagids": [sorted(TAGS)[n % len(TAGS)], 492],
        "categories": {"supported_player_categoryids": [2]},
        "content_descriptorids": [3] if game.adult else [5],
        "reviews": {
            "summary_filtered": {
                "review_count": str(n) if n % 3 == 0 else n,
                "percent_positive": n % 101,
                "review_score_label": "Mixed",
            }
        },
        "release": {"steam_release_date": EPOCH + n * 86_400, "is_coming_soon": n % 40 == 0},
        "best_purchase_option": {"final_price_in_cents": "1999"} if n % 5 else {},
        "platforms": {"windows": True, "mac": n % 2 == 0},
        "assets": assets,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        at = time.time()
        store = self.server.store
        if store.latency:
            time.sleep(store.latency)
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        given = json.loads(asked.get("input_json", "{}"))
        if store.blocked:
            store.note(Request(at, "other", (), "403", parts.path))
            return self._send(403, b"forbidden")
        if parts.path.startswith("/assets/"):
            return self._picture(at, unquote(parts.path.removeprefix("/assets/")))
        method = parts.path.strip("/").removesuffix("/v1")
        if method == "IStoreService/GetAppList":
            return self._list(at, asked, given)
        if method == "IStoreQueryService/Query":
            return self._query(at, given)
        if method == "IStoreBrowseService/GetItems":
            return self._items(at, given)
        tables: dict[str, dict[str, Any]] = {
            "IStoreService/GetTagList": {"tags": [{"tagid": k, "name": v} for k, v in TAGS.items()]},
            "IStoreBrowseService/GetStoreCategories": {
                "categories": [{"categoryid": k, "display_name": v} for k, v in CATEGORIES.items()]
            },
            "ISteamChartsService/GetMostPlayedGames": {
                "ranks": [{"rank": n, "appid": appid} for n, appid in enumerate(list(store.games)[:100], 1)]
            },
        }
        if method in tables:
            return self._answer(Request(at, "other", (), "ok", parts.path), tables[method])
        store.note(Request(at, "other", (), "404", parts.path))
        return self._send(404, b"not found")

    def _list(self, at: float, asked: dict[str, str], given: dict[str, Any]) -> None:
        store = self.server.store
        if asked.get("key") != store.key:
            store.note(Request(at, "list", (), "403"))
            self._send(403, b"<html>Forbidden</html>")
            return
        since, after = given.get("if_modified_since", 0), given.get("last_appid", 0)
        fitting = [g for g in store.games.values() if g.modified >= since and g.appid > after]
        page = fitting[: min(given.get("max_results", 10_000), 50_000)]
        response: dict[str, Any] = {
            "apps": [
                {"appid": g.appid, "name": g.name, "last_modified": g.modified, "price_change_number": 1}
                for g in page
            ]
        }
        if after and "empty-page" in store.rates and store.fault("empty-page"):
            self._answer(Request(at, "list", (), "empty-page"), {"apps": []})
            return
        if "no-apps" in store.rates and store.fault("no-apps"):
            self._answer(Request(at, "list", (), "no-apps"), {})
            return
        if len(page) < len(fitting):
            stalled = store.fault("stalled") != ""
            response |= {"have_more_results": True, "last_appid": after if stalled else page[-1].appid}
        self._answer(Request(at, "list", tuple(g.appid for g in page), "ok"), response)

    def _query(self, at: float, given: dict[str, Any]) -> None:
        store, query = self.server.store, given["query"]
        ordered = sorted(store.games.values(), key=lambda g: -g.appid if query["sort"] == 40 else g.appid)
        page = ordered[query["start"] : query["start"] + min(query["count"], 1000)]
        if page and store.fault("page-edges"):
            page = page[2:-2] + page[5:7]
        if page and store.fault("stalled"):
            page = []
        total = len(ordered)
        if query["start"] and "empty-page" in store.rates and store.fault("empty-page"):
            page, total = [], 0
        self._answer(
            Request(at, "query", tuple(g.appid for g in page), "ok"),
            {
                "metadata": {
                    "total_matching_records": total,
                    "start": query["start"],
                    "count": len(page),
                },
                "ids": [{"appid": g.appid} for g in page],
            },
        )

    def _items(self, at: float, given: dict[str, Any]) -> None:
        store, country = self.server.store, given["context"]["country_code"]
        ids = [one["appid"] for one in given["ids"]]
        if len(self.path) > 8000:
            store.note(Request(at, "items", tuple(ids), "414"))
            self._send(414, b"URI Too Long")
            return
        found = [appid for appid in ids if appid in store.games]
        if len(found) > 4 and store.fault("absent-items"):
            found = found[: len(found) // 2]
        rows = [item(store.games[appid], country) for appid in found]
        self._answer(Request(at, "items", tuple(found), "ok", country=country), {"store_items": rows})

    def _picture(self, at: float, path: str) -> None:
        store = self.server.store
        appid = int(path.split("/")[2]) if path.startswith("steam/apps/") else 0
        game = store.games.get(appid)
        request = Request(at, "picture", (appid,), "ok", path)
        if game is None or path != game.file or game.fate == "absent art":
            request.answer = "404"
            store.note(request)
            return self._send(404, b"not found")
        if game.fate == "elsewhere":
            request.answer = "redirect"
            store.note(request)
            return self._send(302, b"", {"Location": "http://example.com/other.jpg"})
        if game.fate == "huge":
            request.answer = "huge"
            store.note(request)
            self.send_response(200)
            self.end_headers()  # without a length, so that only reading shows how much there is
            chunk = bytes(1 << 20)
            try:
                for _ in range(200):
                    self.wfile.write(chunk)
            except OSError:
                pass
            self.close_connection = True
            return None
        data = store.picture(game)
        if game.fate == "broken":
            data = data[: len(data) // 2]
        etag = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
        if self.headers.get("If-None-Match") == etag:
            request.answer = "304"
            store.note(request)
            return self._send(304, b"", {"ETag": etag})
        return self._faulty(request, data, {"ETag": etag, "Content-Type": "image/jpeg"})

    def _answer(self, request: Request, response: dict[str, Any]) -> None:
        # Steam reports failures of a call as 200 with an empty response; only a header says so.
        store = self.server.store
        possible = [name for name in ("eresult-84", "eresult-2") if name in store.rates]
        fault = store.fault(*possible) if possible else ""
        result = int(fault.rpartition("-")[2]) if fault else store.eresult
        if result != 1:
            request.answer = f"eresult-{result}"
            store.note(request)
            self._send(200, b'{"response":{}}', {"x-eresult": str(result)})
            return
        self._faulty(
            request, json.dumps({"response": response}).encode(), {"Content-Type": "application/json"}
        )

    def _faulty(self, request: Request, data: bytes, headers: dict[str, str]) -> None:
        store = self.server.store
        fault = store.fault("429", "429-after", "500", "reset", "truncated", "short", "drip", "html")
        request.answer = fault or request.answer
        store.note(request)
        if fault == "429":
            return self._send(429, b"slow down")
        if fault == "429-after":
            return self._send(429, b"slow down", {"Retry-After": "1"})
        if fault == "500":
            return self._send(500, b"oops")
        if fault == "html":
            return self._send(200, b"<html>We are down for maintenance</html>", {"Content-Type": "text/html"})
        if fault == "short":
            return self._send(200, data[: len(data) // 2], headers)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return None
        if fault == "truncated":
            self._head(200, len(data), headers)
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return None
        if fault == "drip":
            self._head(200, len(data), headers)
            self.close_connection = True
            end = time.time() + store.drip_seconds
            for byte in data:
                if time.time() > end or store.closing.wait(0.05):
                    return None
                try:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                except OSError:
                    return None
            return None
        return self._send(200, data, headers)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            self._head(status, len(data), headers or {})
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    store: Store

    def handle_error(self, *_: object) -> None:
        pass  # clients that went away


@contextmanager
def serving(store: Store, port: int = 0) -> Iterator[Store]:
    """Runs a store for the length of the block."""
    server = Server(("127.0.0.1", port), Handler)
    server.store = store
    store.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        store.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=500)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME=RATE", help=f"of: {', '.join(TRANSIENT)}"
    )
    for fate in ("hidden", "regional", "absent art", "no art", "broken", "fallback"):
        parser.add_argument(f"--{fate.replace(' ', '-')}", type=float, default=0.0, metavar="SHARE")
    given = parser.parse_args()
    fates = {
        fate: getattr(given, fate.replace(" ", "_"))
        for fate in ("hidden", "regional", "absent art", "no art", "broken", "fallback")
    }
    store = Store.of(given.games, fates=fates)
    store.latency = given.latency
    store.rates = {name: float(rate) for name, _, rate in (one.partition("=") for one in given.fault)}
    with serving(store, given.port):
        print(f"export STEAMDINO_STEAM_API_URL={store.address}")
        print(f"export STEAMDINO_STEAM_ASSETS_URL={store.address}/assets")
        print(f"export STEAM_API_KEY={store.key}   # leave this out to list without a key", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(store.log):,} requests: {dict(store.counts())}")


if __name__ == "__main__":
    main()
