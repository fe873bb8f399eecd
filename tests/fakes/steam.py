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
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image
from tests.fakes.steam_faults import (
    CALLS,
    DETAILS,
    LIES,
    PICTURES,
    REFUSALS,
    STUMBLES,
    STUMBLES_IN_A_ROW,
    TRANSIENT,
    TRANSPORT,
    Faults,
    distorted,
    garbage,
    half_told,
)

TAGS = {19: "Action", 21: "Adventure", 122: "RPG", 1667: "Horror", 492: "Indie", 699: "Racing"}
CATEGORIES = {2: "Single-player", 1: "Multi-player"}
LISTED = {0: "games", 4: "dlc", 6: "software", 7: "videos", 8: "videos", 10: "hardware"}
QUERIED = {
    0: "games",
    1: "demos",
    2: "mods",
    4: "dlc",
    6: "software",
    7: "video",
    8: "series",
    10: "hardware",
} | {11: "music"}
"""What the list with a key and the one without call each type of apps that they can be asked for."""
EPOCH = 1_500_000_000

REQUESTED = {
    "assets": "include_assets",
    "release": "include_release",
    "platforms": "include_platforms",
    "reviews": "include_reviews",
    "tagids": "include_tag_count",
    "tags": "include_tag_count",
    "basic_info": "include_basic_info",
    "purchase_options": "include_all_purchase_options",
}
"""Fields of an item that come only with a part of the data_request; all others come unasked."""


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
    release: dict[str, Any] | None = None  # when it is not the one of its number
    delisted: bool = False
    type: int = 0
    stray: bool = False  # lists have it though they were not asked for its type
    released: int = 0  # seconds; 0 for a day after the game before it
    unreleased: bool = False
    available: frozenset[str] = frozenset()  # codes of countries; empty for all

    def is_listed(self, asked: dict[str, bool], types: dict[int, str]) -> bool:
        return self.stray or asked.get(f"include_{types.get(self.type)}", False)

    @property
    def date(self) -> int:
        return self.released or EPOCH + self.appid // 10 * 86_400

    @property
    def coming_soon(self) -> bool:
        return self.unreleased or self.appid // 10 % 40 == 0

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
    received: int = 0  # characters of the address
    sent: int = 0  # bytes of the body


@dataclass
class Store:
    """The catalogue, how the server behaves, and what it was asked.

    Attributes:
        faults: which of them happen, and how often.
        latency: seconds before each answer.
        key: that GetAppList demands.
        page: the most games on a page of GetAppList, whatever is asked for.
        blocked: answers 403 from now on.
        eresult: with which calls of the Web API fail from now on, as replies with status 200; 1 for no failure.
    """

    games: dict[int, Game] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    latency: float = 0.0
    key: str = "0123456789ABCDEF"
    page: int = 50_000
    blocked: bool = False
    eresult: int = 1
    log: list[Request] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    drip_seconds: float = 3.0

    @classmethod
    def of(cls, count: int, *, seed: int = 0, fates: dict[str, float] | None = None) -> Store:
        """A store of so many games; `fates` says which share has which permanent fault."""
        rng = random.Random(seed)
        store = cls(faults=Faults(seed))
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

    @property
    def rates(self) -> dict[str, float]:
        """Of each fault, 0 to 1."""
        return self.faults.rates

    @rates.setter
    def rates(self, rates: dict[str, float]) -> None:
        self.faults.rates = rates

    @property
    def listed(self) -> list[int]:
        """The appIDs that an honest list has."""
        left_out = ("delisted", "left out")
        return sorted(appid for appid, game in self.games.items() if game.fate not in left_out)

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


def refused(appid: int) -> dict[str, Any]:
    """What GetItems says of an app that is hidden, and of one that does not exist."""
    return {"id": appid, "appid": 0, "success": 15, "visible": False}


def item(game: Game, country: str) -> dict[str, Any]:
    """What GetItems says of a game, with the oddities that are seen there."""
    if game.fate == "failing":
        return {"id": game.appid, "appid": game.appid, "success": 2}
    regional = (game.fate == "regional" and country == "US") or country not in (game.available or {country})
    if game.fate == "hidden" or regional:
        return refused(game.appid)
    n = game.appid // 10
    assets: dict[str, Any] = {
        "asset_url_format": f"{game.file.rpartition('/')[0]}/${{FILENAME}}?t={game.stamp}",
        "library_capsule": "library_600x900.jpg",
        "header": "header.jpg",
        "page_background": "page_bg_generated_v6b.jpg",
        "raw_page_background": "page.bg.jpg",
        "community_icon": hashlib.sha1(game.name.encode(), usedforsecurity=False).hexdigest(),
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
        "item_type": 0,
        "id": game.appid,
        "appid": str(game.appid) if n % 7 == 0 else game.appid,
        "success": 1,
        "visible": True,
        "name": game.name,
        "type": game.type,
        "is_free": n % 5 == 0,
        "store_url_path": f"app/{game.appid}/Game_{n}",
        "tagids": [sorted(TAGS)[n % len(TAGS)], 492],
        "tags": [  # as many as the real ones
            {"tagid": tag, "weight": 1000 - weight}
            for weight in range(10)
            for tag in (sorted(TAGS)[n % len(TAGS)], 492)
        ],
        "categories": {"supported_player_categoryids": [2]},
        "content_descriptorids": [3] if game.adult else [5],
        **({"unlisted": True} if game.delisted or game.fate == "delisted" else {}),
        "reviews": {
            "summary_filtered": {
                "review_count": str(n) if n % 3 == 0 else n,
                "percent_positive": n % 101,
                "review_score_label": "Mixed",
            }
        },
        "release": game.release or {"steam_release_date": game.date, "is_coming_soon": game.coming_soon},
        "best_purchase_option": purchase_option(game) if n % 5 else {},
        "purchase_options": [purchase_option(game)] if n % 5 else [],
        "platforms": {"windows": True, "mac": n % 2 == 0},
        "assets": assets,
        "basic_info": {
            "short_description": f"{game.name} is a game about {' and '.join(TAGS.values())}. " * 3,
            "publishers": [{"name": f"Publisher {n}", "creator_clan_account_id": 40_000_000 + n}],
            "developers": [{"name": f"Developer {n}", "creator_clan_account_id": 30_000_000 + n}],
        },
    }


def purchase_option(game: Game) -> dict[str, Any]:
    """An offer of a game, as long as the real ones."""
    return {
        "packageid": game.appid + 1,
        "purchase_option_name": game.name,
        "final_price_in_cents": "1999",
        "formatted_final_price": "$19.99",
        "user_can_purchase_as_gift": True,
        "hide_discount_pct_for_compliance": False,
        "included_game_count": 1,
    }


def listed(store: Store, order: int, released_only: bool) -> list[Game]:
    """The games in an order of Query. By release date, unreleased games come first, since their dates lie ahead."""
    games = [store.games[appid] for appid in sorted(store.listed, reverse=order != 2)]
    if released_only:
        games = [game for game in games if not game.coming_soon]
    return sorted(games, key=lambda g: (g.coming_soon, g.date), reverse=True) if order == 40 else games


def requested(item: dict[str, Any], data_request: dict[str, Any]) -> dict[str, Any]:
    """The fields of an item that a data_request asks for, and those that come unasked."""
    return {
        key: value for key, value in item.items() if key not in REQUESTED or data_request.get(REQUESTED[key])
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body waits 40 ms for the client to acknowledge the header
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
            return self._answer(
                Request(at, "other", (), "ok", parts.path), tables[method], self._fault_of_call()
            )
        store.note(Request(at, "other", (), "404", parts.path))
        return self._send(404, b"not found")

    def _list(self, at: float, asked: dict[str, str], given: dict[str, Any]) -> None:
        store = self.server.store
        if asked.get("key") != store.key:
            store.note(Request(at, "list", (), "403"))
            self._send(403, b"<html>Forbidden</html>")
            return
        since, after = given.get("if_modified_since", 0), given.get("last_appid", 0)
        games = [g for g in map(store.games.__getitem__, store.listed) if g.is_listed(given, LISTED)]
        fitting = [g.appid for g in games if g.modified >= since]
        start, count = bisect_right(fitting, after), min(given.get("max_results", 10_000), store.page)
        fault = self._fault_of_list(*STUMBLES[:-1], *LIES)
        page = distorted(fault, fitting, start, count, store.faults.omit)
        apps = [
            {"appid": g.appid, "name": g.name, "last_modified": g.modified, "price_change_number": 1}
            for g in map(store.games.__getitem__, page.appids)
        ]
        further = {"have_more_results": True, "last_appid": page.cursor} if page.more else {}
        request = Request(at, "list", tuple(page.appids), fault or "ok")
        self._answer(request, {"apps": apps, **further}, fault)

    def _query(self, at: float, given: dict[str, Any]) -> None:
        store, query = self.server.store, given["query"]
        ordered = listed(store, query["sort"], query["filters"].get("released_only", False))
        fitting = [g.appid for g in ordered if g.is_listed(query["filters"]["type_filters"], QUERIED)]
        fault = self._fault_of_list(*STUMBLES, *LIES)
        page = distorted(fault, fitting, query["start"], min(query["count"], 1000), store.faults.omit)
        response: dict[str, Any] = {
            "metadata": {
                "total_matching_records": page.total,
                "start": query["start"],
                "count": len(page.appids),
            },
            "ids": [{"appid": appid} for appid in page.appids],
        }
        if "data_request" in given:  # an empty one suffices
            country, games = given["context"]["country_code"], map(store.games.__getitem__, page.appids)
            response["store_items"] = [requested(item(g, country), given["data_request"]) for g in games]
        self._answer(Request(at, "query", tuple(page.appids), fault or "ok"), response, fault)

    def _items(self, at: float, given: dict[str, Any]) -> None:
        store, country = self.server.store, given["context"]["country_code"]
        ids = [one["appid"] for one in given["ids"]]
        if len(self.path) > 8000:
            store.note(Request(at, "items", tuple(ids), "414"))
            self._send(414, b"URI Too Long")
            return
        rows, answered, broken = [], [], self._fault_of_call()
        data_request = given.get("data_request", {})
        for appid in ids:
            row = item(store.games[appid], country) if appid in store.games else refused(appid)
            # A row of an answer that does not arrive is no try of the client's.
            fault = store.faults.draw(f"app {appid}", *DETAILS, most=STUMBLES_IN_A_ROW) if not broken else ""
            if fault != "absent":
                rows.append(half_told(row, fault) if fault else requested(row, data_request))
            if not fault:
                answered.append(appid)
        request = Request(at, "items", tuple(answered), "ok", country=country)
        self._answer(request, {"store_items": rows}, broken)

    def _picture(self, at: float, path: str) -> None:
        store = self.server.store
        appid = int(path.split("/")[2]) if path.startswith("steam/apps/") else 0
        game = store.games.get(appid)
        request = Request(at, "picture", (appid,), "ok", path)
        if game is None or path != game.file or game.fate == "absent art":
            request.answer = "404"
            store.note(request)
            return self._send(404, b"not found")
        if not game.fate and (fault := store.faults.draw_once(f"picture {appid}", *PICTURES)):
            if fault == "redrawn":
                game.art += 1
                game.stamp = game.modified = int(at)
            request.answer = fault
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
        fault = store.faults.draw(path, *TRANSPORT, "401", "403")
        return self._faulty(request, data, {"ETag": etag, "Content-Type": "image/jpeg"}, fault)

    def _fault_of_call(self) -> str:
        return self.server.store.faults.draw(self.path, *TRANSPORT, *CALLS, *REFUSALS)

    def _fault_of_list(self, *possible: str) -> str:
        faults = self.server.store.faults
        if (scripted := faults.scripted()) is not None:
            return scripted
        return self._fault_of_call() or faults.draw(f"list {self.path}", *possible, most=STUMBLES_IN_A_ROW)

    def _answer(self, request: Request, response: dict[str, Any], fault: str) -> None:
        store = self.server.store
        result = fault.removeprefix("eresult-") if fault.startswith("eresult-") else str(store.eresult)
        if result != "1":
            # Steam reports failures of a call as 200 with an empty response; only a header says so.
            request.answer = f"eresult-{result}"
            store.note(request)
            return self._send(200, b'{"response":{}}', {"x-eresult": result})
        if fault in ("empty-response", "garbage"):
            request.answer = fault
            response = {} if fault == "empty-response" else garbage(response)
        data = json.dumps({"response": response}).encode()
        return self._faulty(request, data, {"Content-Type": "application/json"}, fault)

    def _faulty(self, request: Request, data: bytes, headers: dict[str, str], fault: str) -> None:
        store = self.server.store
        if fault in (*TRANSPORT, *REFUSALS):
            request.answer = fault
        request.received, request.sent = len(self.path), len(data)
        store.note(request)
        if fault in ("401", "403"):
            return self._send(int(fault), b"<html>Forbidden</html>")
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
    faults = ", ".join((*TRANSIENT, *LIES, *REFUSALS))
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help=f"of: {faults}")
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
