"""The client's limits at their exact boundaries: sizes, waits, redirects, connections."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest
from test_client import answering, body, client, send

from steamdino.errors import NetworkError, ReplyError
from steamdino.net.client import (
    LONGEST_WAIT,
    REDIRECTS,
    Client,
    ClientPolicy,
    Reply,
    TransientError,
    _retry_after,
    _shown,
    host_of,
)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_just_the_size_is_read_and_one_byte_more_is_not(announced: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        data = b"x" * (1000 if number == 1 else 1001)
        if announced:
            return send(handler, 200, data)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True
        return None

    with answering(answer) as (address, seen), client(address) as asking:
        assert asking.get(address, largest=1000, read=body) == b"x" * 1000
        with pytest.raises(NetworkError, match="sends more than 1,000 bytes; the download was stopped"):
            asking.get(address, largest=1000, read=body)
        assert len(seen) == 2


def test_headers_are_sent_and_returned_by_lower_case_names() -> None:
    with (
        answering(lambda h, n: send(h, 418, b"tea", X_Some_Thing="Value")) as (address, seen),
        client(address) as asking,
    ):
        got = asking.get(address, largest=9, headers={"If-None-Match": '"x"'}, read=lambda reply: reply)
    assert isinstance(got, Reply)
    assert (got.status, got.body, got.headers["x-some-thing"]) == (418, b"tea", "Value")
    assert (seen[0]["If-None-Match"], seen[0]["User-Agent"]) == ('"x"', "steam-dino test")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_each_kind_of_redirect_is_followed(status: int) -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, status, Location="/there") if handler.path == "/" else send(handler, 200, b"there")

    with answering(answer) as (address, seen), client(address) as asking:
        assert asking.get(f"{address}/", largest=9, read=body) == b"there"
        assert [one["path"] for one in seen] == ["/", "/there"]


@pytest.mark.parametrize("status", [204, 304, 300, 402, 410])
def test_no_other_status_is_a_redirect_or_retried(status: int) -> None:
    with (
        answering(lambda h, n: send(h, status, Location="/there")) as (address, seen),
        client(address) as asking,
    ):
        assert asking.get(f"{address}/", largest=9, read=lambda reply: reply.status) == status
        assert len(seen) == 1


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        left = int(handler.path[1:])
        send(handler, 302, Location=f"/{left - 1}") if left else send(handler, 200, b"there")

    with answering(answer) as (address, seen), client(address) as asking:
        assert asking.get(f"{address}/{REDIRECTS}", largest=9, read=body) == b"there"
        with pytest.raises(NetworkError, match="redirects more than 3 times"):
            asking.get(f"{address}/{REDIRECTS + 1}", largest=9, read=body)
        assert asking.requests == len(seen) == 2 * (REDIRECTS + 1)


@pytest.mark.parametrize(("status", "asked"), [(499, 1), (500, 2), (599, 2), (429, 2), (428, 1), (430, 1)])
def test_only_429_and_5xx_are_retried(status: int, asked: int) -> None:
    with answering(lambda h, n: send(h, status)) as (address, seen), client(address, tries=2) as asking:
        if asked == 1:
            assert asking.get(address, largest=9, read=lambda reply: reply.status) == status
        else:
            with pytest.raises(TransientError, match=f"answered {status}"):
                asking.get(address, largest=9, read=body)
        assert len(seen) == asked


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_the_number_of_tries_is_respected(tries: int) -> None:
    def read(reply: Reply) -> None:
        raise ReplyError("nonsense")

    with answering(lambda h, n: send(h, 200)) as (address, seen), client(address, tries=tries) as asking:
        with pytest.raises(ReplyError, match="nonsense"):
            asking.get(address, largest=9, read=read)
        assert len(seen) == tries


def test_the_longest_wait_is_accepted_and_a_longer_one_is_an_error() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, 503, Retry_After="600" if number == 1 else "601")

    with answering(answer) as (address, _), client(address, tries=1) as asking:
        with pytest.raises(TransientError, match="answered 503") as borne:
            asking.get(address, largest=9, read=body)
        assert borne.value.wait == LONGEST_WAIT == 600
        with pytest.raises(NetworkError, match="asks to wait 601 s; try again later") as longer:
            asking.get(address, largest=9, read=body)
        assert not isinstance(longer.value, TransientError)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("Wed, 99 Nov 2026", 0),
    ],
)
def test_retry_after_is_read_as_a_number(text: str, seconds: float) -> None:
    assert _retry_after(text) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    assert 28 < _retry_after(formatdate(time.time() + 30, usegmt=True)) <= 30
    assert _retry_after(formatdate(time.time() - 30, usegmt=True)) == 0


def test_waits_double_are_spread_by_half_and_end_at_the_longest() -> None:
    with Client((), ClientPolicy(0, 1, 2.0, 4, 5.0, "test")) as asking:
        for attempt in (1, 2, 3):
            state = SimpleNamespace(attempt_number=attempt, outcome=None)
            waits = [asking._wait(state) for _ in range(400)]  # type: ignore[arg-type]
            middle = 2.0 * 2 ** (attempt - 1)
            assert 0.5 * middle <= min(waits) < 0.6 * middle
            assert 1.4 * middle < max(waits) <= 1.5 * middle
        late = SimpleNamespace(attempt_number=40, outcome=None)
        assert asking._wait(late) == LONGEST_WAIT  # type: ignore[arg-type]
        told = SimpleNamespace(exception=lambda: TransientError("", 77.0))
        assert asking._wait(SimpleNamespace(attempt_number=1, outcome=told)) == 77.0  # type: ignore[arg-type]


def test_at_429_all_requests_wait_and_at_503_only_the_refused_one() -> None:
    with answering(lambda h, n: send(h, 429 if h.path == "/429" else 503, Retry_After="9")) as (address, _):
        for path, held in (("/429", [9.0]), ("/503", [])):
            with client(address, tries=1) as asking:
                seen: list[float] = []
                asking._pace.hold = seen.append  # type: ignore[method-assign, assignment]
                with pytest.raises(TransientError) as error:
                    asking.get(f"{address}{path}", largest=9, read=body)
                assert (seen, error.value.wait) == (held, 9.0)
    with (
        answering(lambda h, n: send(h, 429)) as (address, _),
        client(address, tries=1, backoff=3.0) as asking,
    ):
        seen = []
        asking._pace.hold = seen.append  # type: ignore[method-assign, assignment]
        with pytest.raises(TransientError):
            asking.get(address, largest=9, read=body)
        assert seen == [3.0]  # who says nothing means the usual time


def test_the_limit_of_connections_is_respected() -> None:
    lock, inside, most = threading.Lock(), 0, 0

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        with lock:
            inside -= 1
        send(handler, 200, b"ok")

    with answering(answer) as (address, seen):
        policy = ClientPolicy(0, 2, 0.02, 1, 10.0, "test")
        with Client((host_of(address),), policy) as asking, ThreadPoolExecutor(6) as pool:
            assert set(pool.map(lambda _: asking.get(address, largest=9, read=body), range(12))) == {b"ok"}
    assert (len(seen), most) == (12, 2)


def test_stopping_ends_a_body_that_drips() -> None:
    stopped = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.close_connection = True
        stopped.set()
        try:
            for _ in range(500):
                handler.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            pass

    with answering(answer) as (address, seen):
        asking = Client((host_of(address),), ClientPolicy(0, 1, 5.0, 3, 60.0, "test"), stopped)
        began = time.monotonic()
        with asking, pytest.raises(NetworkError):
            asking.get(address, largest=9999, read=body)
        assert time.monotonic() - began < 5
        assert len(seen) == 1


def test_a_stopped_client_sends_no_request() -> None:
    stopped = threading.Event()
    stopped.set()
    with answering(lambda h, n: send(h, 200)) as (address, seen):
        with (
            Client((host_of(address),), ClientPolicy(0, 1, 0.01, 3, 5.0, "test"), stopped) as asking,
            pytest.raises(NetworkError, match="stopped"),
        ):
            asking.get(address, largest=9, read=body)
        assert (seen, asking.requests) == ([], 0)


def test_a_shown_address_has_no_secrets_and_is_shortened() -> None:
    import httpx2 as httpx

    assert (
        _shown(httpx.URL("https://a.example:8443/list/x?key=SECRET#part")) == "https://a.example:8443/list/x"
    )
    assert len(_shown(httpx.URL("https://a.example/" + "x" * 500))) == 200
    assert host_of("https://a.example/x") == "a.example"
    assert host_of("https://a.example:8443/x") == "a.example:8443"
