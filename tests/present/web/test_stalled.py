"""While a model or another server hangs, everything else is answered; afterwards all is well again."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from fakes.slow import answering_slowly
from steamdino.net.public_fetch import fetch_public
from steamdino.present.web.concurrency import COMPUTING, ENCODING, FETCHING

THREADS = 40
"""Of the server, which are anyio's."""
QUICK = 5.0
"""Seconds: far more than an answer takes here, far less than anything hangs."""


class Stalled:
    """An encoder that waits for an event."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.entered = threading.Event()
        self.released = threading.Event()
        self.calls: list[str] = []

    def __call__(self, pictures: Any) -> Any:
        self.calls.append(threading.current_thread().name)
        self.entered.set()
        assert self.released.wait(60)
        return self._encoder(pictures)


def _stall(running: Any) -> Stalled:
    snapshot = running.app.state.served.edition().snapshot
    snapshot.similar(snapshot.ids[0], 1, mirror=True)  # so that there is an encoder
    snapshot._encoder._pictures = Stalled(snapshot._encoder._pictures)
    return snapshot._encoder._pictures  # type: ignore[no-any-return]


@pytest.fixture
def picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((60, 90), 90).save(file, "PNG")
    return file.getvalue()


def _encoding(running: Any, picture: bytes) -> list[Callable[[], httpx.Response]]:
    """One request of each kind that runs a model."""
    client, sent = running.client, {"picture": ("x.png", picture)}
    paths = [
        "/api/v1/games/neonoir/similar?mirror=1",
        "/api/v1/games/neonoir/similar?flip=1",
        "/api/v1/explain?a=neonoir&b=hollow-avenue",
        "/matches?mirror=1",
        "/similar_apps?flip=1",
        "/similar_apps_from_id?id=neonoir&mirror=1",
        "/similar_apps_from_name?name=Neonoir&mirror=1",
        "/render_x/neonoir",
        "/render_y/neonoir/3",
        "/store_xy/neonoir/",
        "/games/neonoir?mirror=1",
        "/games/neonoir?flip=1",
        "/why?a=neonoir&b=hollow-avenue",
    ]
    asks: list[Callable[[], httpx.Response]] = [partial(client.get, path) for path in paths]
    asks += [partial(client.post, f"/api/v1/{what}", files=sent) for what in ("similar", "audit")]
    form = partial(client.post, "/picture", files=sent, follow_redirects=True)
    asks += [partial(form, data={"do": do}) for do in ("similar", "audit")]
    asks += [partial(client.get, "/games/neonoir?crop=0,0,1,0.5")]
    return asks


def _everything_else(client: httpx.Client) -> None:
    """What runs no model is answered, and soon."""
    base = client.get("/", timeout=QUICK)
    assert base.status_code == 200
    sheet = base.text.split('rel="stylesheet" href="')[1].split('"')[0]
    for path in (
        "/healthz",
        "/readyz",
        "/metrics",
        "/robots.txt",
        "/openapi.json",
        sheet,
        "/api/v1/info",
        "/api/v1/games?q=neo",
        "/api/v1/games/neonoir",
        "/api/v1/games/neonoir/similar",
        "/games/neonoir",
        "/suggest?q=neo",
        "/unique",
        "/banners/150/neonoir",
        "/index_from_id?id=neonoir",
        "/matches?n=3",
        "/render/neonoir",
        "/picture",
    ):
        assert client.get(path, timeout=QUICK).status_code == 200, path


@contextmanager
def hanging(asks: list[Callable[[], httpx.Response]]) -> Iterator[list[Future[httpx.Response]]]:
    with ThreadPoolExecutor(len(asks)) as pool:
        yield [pool.submit(ask) for ask in asks]


def _done(futures: list[Future[httpx.Response]], count: int) -> list[httpx.Response]:
    """Waits until so many are answered."""
    deadline = time.monotonic() + 30
    while len(done := [one.result() for one in futures if one.done()]) < count:
        assert time.monotonic() < deadline, f"{len(done)} are answered"
        time.sleep(0.02)
    return done


def test_the_server_has_threads_for_everybody_else_whatever_hangs() -> None:
    assert FETCHING + ENCODING + COMPUTING <= THREADS - 8


@pytest.mark.slow
def test_everything_else_is_answered_while_a_model_hangs(
    built: Path, serve: Callable[..., Any], picture: bytes
) -> None:
    running = serve(built)
    _everything_else(running.client)  # what is computed once is computed
    stalled = _stall(running)
    asks = _encoding(running, picture)
    with hanging([asks[0]]) as first:
        assert stalled.entered.wait(30)
        many = [ask for ask in asks for _ in range(4)]
        with hanging(many) as futures:
            refused = _done(futures, len(many) - (ENCODING - 1))
            assert {one.status_code for one in refused} == {503}
            assert {one.headers["retry-after"] for one in refused} == {"2"}
            assert all("this server is busy with other pictures" in one.text for one in refused)
            _everything_else(running.client)
            time.sleep(0.2)
            waiting = [one for one in futures if not one.done()]
            assert len(waiting) == ENCODING - 1
            _everything_else(running.client)
            stalled.released.set()
            assert [one.result(60).status_code for one in waiting] == [200] * len(waiting)
        assert first[0].result(60).status_code == 200
    assert not any(name == running._thread.name for name in stalled.calls)  # the event loop's
    for ask in asks:
        assert ask().status_code == 200
    _everything_else(running.client)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("place", range(18))
def test_each_kind_of_request_waits_outside_the_event_loop_while_a_model_runs(
    built: Path, server: Any, picture: bytes, place: int
) -> None:
    stalled = _stall(server)
    try:
        asks = _encoding(server, picture)
        assert len(asks) == 18
        with hanging([asks[0]]) as first:
            assert stalled.entered.wait(30)
            with hanging([asks[place]]) as second:
                time.sleep(0.05)
                assert server.client.get("/healthz", timeout=QUICK).text == "ok\n"
                assert not any(one.done() for one in first + second)
                assert len(stalled.calls) == 1  # one model runs at a time, whoever wants it
                stalled.released.set()
                assert [one.result(60).status_code for one in first + second] == [200, 200]
    finally:
        stalled.released.set()
        server.app.state.served.edition().snapshot._encoder._pictures = stalled._encoder


def test_who_waits_too_long_is_told_and_no_model_runs_for_them(
    built: Path, serve: Callable[..., Any], picture: bytes
) -> None:
    running = serve(built, seconds=0.5)
    stalled = _stall(running)
    asks = _encoding(running, picture)[:6]
    with hanging(asks) as futures:
        answers = [one.result(20) for one in futures]
    assert {one.status_code for one in answers} == {503}
    assert all("took longer than 0.5 s" in one.text for one in answers)
    assert len(stalled.calls) == 1
    stalled.released.set()
    deadline = time.monotonic() + 20
    while running.client.get("/api/v1/games/neonoir/similar?mirror=1").status_code != 200:
        assert time.monotonic() < deadline
    assert len(stalled.calls) <= 3  # none of those that nobody waits for any more


def test_lists_that_are_computed_once_leave_threads_to_others(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from steamdino.present.web import served_lists

    entered, released = threading.Event(), threading.Event()
    unique = served_lists.unique_at_hand

    def slow(*arguments: Any, **options: Any) -> Any:
        entered.set()
        assert released.wait(60)
        return unique(*arguments, **options)

    monkeypatch.setattr(served_lists, "unique_at_hand", slow)
    running = serve(built)
    many = [
        partial(running.client.get, path) for path in ("/unique", "/api/v1/unique") for _ in range(THREADS)
    ]
    with hanging(many) as futures:
        assert entered.wait(30)
        refused = _done(futures, len(many) - COMPUTING)
        assert {(one.status_code, one.headers["retry-after"]) for one in refused} == {(503, "10")}
        for path in ("/healthz", "/api/v1/games/neonoir/similar", "/games/neonoir", "/matches?n=3"):
            assert running.client.get(path, timeout=QUICK).status_code == 200, path
        waiting = [one for one in futures if not one.done()]
        assert len(waiting) == COMPUTING
        released.set()
        assert [one.result(60).status_code for one in waiting] == [200] * COMPUTING
    assert running.client.get("/unique").status_code == 200


@pytest.mark.slow
def test_slow_servers_of_pictures_delay_nobody_else(built: Path, serve: Callable[..., Any]) -> None:
    released = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        released.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnone")

    with answering_slowly(answer) as port:
        fetch = partial(fetch_public, largest=1000, seconds=60, allow=lambda _: True, ports=(port,))
        running = serve(built, fetch=fetch)
        _everything_else(running.client)
        params = {"url": f"http://127.0.0.1:{port}/x.png"}
        many = [partial(running.client.get, "/api/v1/similar", params=params) for _ in range(THREADS)]
        many += [
            partial(running.client.post, "/picture", data={"address": params["url"]}) for _ in range(THREADS)
        ]
        with hanging(many) as futures:
            refused = _done(futures, len(many) - FETCHING)
            assert {(one.status_code, one.headers["retry-after"]) for one in refused} == {(503, "5")}
            assert all("busy with fetching other pictures" in one.text for one in refused)
            _everything_else(running.client)
            waiting = [one for one in futures if not one.done()]
            assert len(waiting) == FETCHING
            released.set()
            assert {one.result(60).status_code for one in waiting} == {422}  # what came was no picture
        after = running.client.get("/api/v1/similar", params=params)
        assert (after.status_code, "not a picture" in after.text) == (422, True)


def test_a_picture_that_is_fetched_waits_for_the_model_without_keeping_others_from_being_fetched(
    built: Path, serve: Callable[..., Any], picture: bytes
) -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return picture

    running = serve(built, fetch=fetch)
    stalled = _stall(running)
    params = {"url": "https://x.example/x.png"}
    many = [partial(running.client.get, "/api/v1/similar", params=params) for _ in range(FETCHING + 3)]
    with hanging(many) as futures:
        deadline = time.monotonic() + 20
        while len(fetched) < len(many):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stalled.released.set()
        assert {one.result(60).status_code for one in futures} == {200}
