from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from steamdino.errors import BlockedError, NetworkError, ReplyError
from steamdino.net.client import Client, ClientPolicy, Reply, host_of

Answer = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Run a server that answers the n-th request as told; yield its address and the headers of each request."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append({"path": self.path, **dict(self.headers.items())})
            answer(self, len(seen))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def client(address: str, *, tries: int = 4, backoff: float = 0.02, timeout: float = 5.0) -> Client:
    policy = ClientPolicy(0, 2, backoff, tries, timeout, "steam-dino test")
    return Client((host_of(address),), policy)


def body(reply: Reply) -> bytes:
    return reply.body


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_request_to_a_busy_server_is_retried_until_it_answers(status: int) -> None:
    with (
        answering(lambda h, n: send(h, status) if n < 3 else send(h, 200, b"here")) as (address, seen),
        client(address) as asking,
    ):
        assert asking.get(f"{address}/x", largest=100, read=body) == b"here"
        assert len(seen) == asking.requests == 3
        assert seen[0]["User-Agent"] == "steam-dino test"


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(as_date: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        after = formatdate(time.time() + 2, usegmt=True) if as_date else "1"
        send(handler, 429, Retry_After=after) if number == 1 else send(handler, 200, b"ok")

    with answering(answer) as (address, _), client(address) as asking:
        began = time.monotonic()
        asking.get(address, largest=100, read=body)
        assert time.monotonic() - began >= 0.95


def test_a_too_long_retry_after_is_an_error() -> None:
    with (
        answering(lambda h, n: send(h, 503, Retry_After="86400")) as (address, seen),
        client(address) as asking,
    ):
        with pytest.raises(NetworkError, match="asks to wait 86,400 s"):
            asking.get(address, largest=100, read=body)
        assert len(seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_raises_at_once(status: int) -> None:
    with answering(lambda h, n: send(h, status)) as (address, seen), client(address) as asking:
        with pytest.raises(BlockedError, match=f"answered {status}.*STEAM_API_KEY"):
            asking.get(f"{address}/x?key=SECRET", largest=100, read=body)
        assert len(seen) == 1


def test_404_is_an_answer_and_is_not_retried() -> None:
    with answering(lambda h, n: send(h, 404)) as (address, seen), client(address) as asking:
        assert asking.get(address, largest=100, read=lambda reply: reply.status) == 404
        assert len(seen) == 1


def test_after_all_tries_the_error_names_the_servers_answer() -> None:
    with answering(lambda h, n: send(h, 500)) as (address, seen), client(address) as asking:
        with pytest.raises(NetworkError, match="answered 500"):
            asking.get(address, largest=100, read=body)
        assert len(seen) == 4


def test_the_waits_double_with_jitter() -> None:
    times: list[float] = []

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        times.append(time.monotonic())
        send(handler, 500)

    with (
        answering(answer) as (address, _),
        client(address, backoff=0.1) as asking,
        pytest.raises(NetworkError),
    ):
        asking.get(address, largest=100, read=body)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    for n, wait in enumerate(waits):
        assert 0.5 * 0.1 * 2**n <= wait  # the least that jitter leaves
    assert waits[2] > waits[0]


def test_an_invalid_reply_is_retried() -> None:
    def read(reply: Reply) -> bytes:
        if reply.body != b"sense":
            raise ReplyError("nonsense")
        return reply.body

    with (
        answering(lambda h, n: send(h, 200, b"sense" if n == 2 else b"<html>")) as (address, _),
        client(address) as asking,
    ):
        assert asking.get(address, largest=100, read=read) == b"sense"


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    def announced(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "200000000")
        handler.end_headers()

    def unannounced(handler: BaseHTTPRequestHandler, number: int) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(200):
                handler.wfile.write(bytes(1 << 20))
                sent += 1
        except OSError:
            pass

    for answer in (announced, unannounced):
        with answering(answer) as (address, seen), client(address) as asking:
            with pytest.raises(NetworkError, match="sends more than 1,048,576 bytes"):
                asking.get(address, largest=1 << 20, read=body)
            assert len(seen) == 1
    assert 0 < sent < 100


def test_a_slow_response_times_out_and_is_retried() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 1:
            return send(handler, 200, b"x" * 100)
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.close_connection = True
        for _ in range(100):  # each byte comes well within any timeout of a single read
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return None
            time.sleep(0.05)
        return None

    with answering(answer) as (address, seen), client(address, timeout=1.0) as asking:
        began = time.monotonic()
        assert len(asking.get(address, largest=1000, read=body)) == 100
        assert time.monotonic() - began < 4.5  # all bytes take 5 s
        assert len(seen) == 2


def test_a_truncated_body_is_retried() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 1:
            return send(handler, 200, b"whole")
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True
        return None

    with answering(answer) as (address, _), client(address) as asking:
        assert asking.get(address, largest=1000, read=body) == b"whole"


def test_redirects_are_followed_on_the_same_host_and_refused_elsewhere() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if handler.path == "/moved":
            send(handler, 302, Location="/here")
        elif handler.path == "/away":
            send(handler, 302, Location="http://169.254.169.254/secret")
        elif handler.path == "/loop":
            send(handler, 302, Location="/loop")
        else:
            send(handler, 200, b"here")

    with answering(answer) as (address, seen), client(address) as asking:
        assert asking.get(f"{address}/moved", largest=100, read=body) == b"here"
        with pytest.raises(NetworkError, match=r"169\.254\.169\.254/secret is not on an allowed host"):
            asking.get(f"{address}/away", largest=100, read=body)
        with pytest.raises(NetworkError, match="redirects more than 3 times"):
            asking.get(f"{address}/loop", largest=100, read=body)
        assert [one["path"] for one in seen].count("/away") == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x",
        "http://api.steampowered.com/x",  # not encrypted
        "https://api.steampowered.com:444/x",
        "https://user@api.steampowered.com/x",
        "https://api.steampowered.com.evil.example/x",
        "file:///etc/passwd",
        "//api.steampowered.com/x",
        "",
        "http://[",
    ],
)
def test_no_other_host_is_ever_asked(url: str) -> None:
    policy = ClientPolicy(0, 1, 0.01, 1, 1.0, "test")
    with Client(("api.steampowered.com",), policy) as asking:
        with pytest.raises(NetworkError):
            asking.get(url, largest=10, read=body)
        assert asking.requests == 0


def test_an_unreachable_server_is_an_error_of_one_line() -> None:
    with (
        client("http://127.0.0.1:9", tries=2) as asking,
        pytest.raises(NetworkError, match="cannot be reached") as error,
    ):
        asking.get("http://127.0.0.1:9/x?key=SECRET", largest=10, read=body)
    assert "SECRET" not in str(error.value)


def test_a_key_in_an_address_reaches_no_log_and_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 403, 404, 500):
        with (
            answering(lambda h, n, status=status: send(h, status)) as (address, seen),
            client(address) as asking,
        ):
            try:
                asking.get(f"{address}/list?key=SECRET", largest=100, read=body)
            except NetworkError as error:
                assert "SECRET" not in str(error) + repr(error)
            assert "key=SECRET" in seen[0]["path"]
    assert "SECRET" not in caplog.text


def test_a_key_in_an_address_reaches_no_log_even_if_somebody_logs_every_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering(lambda h, n: send(h, 200, b"here")) as (address, seen), client(address) as asking:
        for name in ("httpx2", "httpcore2"):
            caplog.set_level(logging.DEBUG, logger=name)
        asking.get(f"{address}/list?key=SECRET", largest=100, read=body)
    assert "key=SECRET" in seen[0]["path"]
    assert f"HTTP Request: GET {address}/list " in caplog.text
    assert "SECRET" not in caplog.text


def test_a_redirect_to_another_allowed_host_does_not_send_the_key_there() -> None:
    with answering(lambda h, n: send(h, 200, b"here")) as (other, seen_there):
        away = other.replace("http:", "")  # from "//host": a redirect that names a host and nothing else
        with answering(lambda h, n: send(h, 302, Location=[f"{other}/x", away][n - 1])) as (address, seen):
            policy = ClientPolicy(0, 2, 0.02, 1, 5.0, "test")
            with Client((host_of(address), host_of(other)), policy) as asking:
                for _ in range(2):
                    assert asking.get(f"{address}/list?key=SECRET", largest=100, read=body) == b"here"
    assert [one["path"] for one in seen] == ["/list?key=SECRET"] * 2
    assert [one["path"] for one in seen_there] == ["/x", "/"]
    assert "SECRET" not in str(seen_there)


@pytest.mark.parametrize(
    "location", ["", "http://[", "http://1.2.3.999/", "x" * 70_000, "mailto:a@b.example"]
)
def test_a_redirect_to_nowhere_is_an_error_of_one_line(location: str) -> None:
    with (
        answering(lambda h, n: send(h, 302, Location=location)) as (address, _),
        client(address, tries=1) as asking,
        pytest.raises(NetworkError) as error,
    ):
        asking.get(f"{address}/list?key=SECRET", largest=100, read=body)
    assert "SECRET" not in str(error.value)
    assert "\n" not in str(error.value)


def test_stopping_ends_a_wait_at_once() -> None:
    stopped = threading.Event()
    with answering(lambda h, n: send(h, 500)) as (address, _):
        asking = Client((host_of(address),), ClientPolicy(0, 1, 60.0, 4, 5.0, "test"), stopped)
        threading.Timer(0.2, stopped.set).start()
        began = time.monotonic()
        with asking, pytest.raises(NetworkError):
            asking.get(address, largest=10, read=body)
        assert time.monotonic() - began < 5
