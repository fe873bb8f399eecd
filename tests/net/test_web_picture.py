"""Pictures on web servers, by a fake transport, and by a real server over TLS."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import BusyError, PictureError
from steamdino.net import web_picture
from steamdino.net.public_fetch import FetchError, PublicReply, request_public
from steamdino.net.web_picture import WebPicture, WebServers

ADDRESS = "https://pictures.example/covers/portal.jpg?key=a-secret-key"
CERTIFICATE = Path(__file__).with_name("pictures.example.pem")

Told = PublicReply | Exception


def ok(body: bytes = b"picture", **headers: str) -> PublicReply:
    return PublicReply(200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def failed(status: int, **headers: str) -> PublicReply:
    return PublicReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


LATE = FetchError("the address", "takes too long; the fetch was stopped after 30 s", passing=True)
PRIVATE = FetchError("'host' is not public", "leads to no public server; nothing was requested")


class Script:
    """Answers in order, the last one again and again."""

    def __init__(self, *told: Told) -> None:
        self.told, self.asked = list(told), 0

    def __call__(self, method: str, address: str) -> PublicReply:
        found = self.told[min(self.asked, len(self.told) - 1)]
        self.asked += 1
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which are not waited for."""
    taken: list[float] = []
    monkeypatch.setattr(web_picture.time, "sleep", taken.append)
    return taken


def place(script: Script) -> WebPicture:
    return WebPicture(ADDRESS, WebServers(0, script))


def test_the_picture_has_a_name_an_address_and_a_mark_of_its_etag() -> None:
    picture = place(Script(ok(etag='"1"', content_length="7")))
    content, status = picture.read(), picture.status()
    assert (picture.name, picture.path, picture.address) == ("portal.jpg", None, ADDRESS)
    assert (content.data, status.size) == (b"picture", 7)
    assert (content.mtime_ns, content.ctime_ns) == (status.mtime_ns, status.ctime_ns)


VALIDATORS = st.builds(str.__add__, st.sampled_from(["", "W/"]), st.sampled_from(['"1"', '"2"']))


@given(VALIDATORS, VALIDATORS, st.sampled_from(["etag", "last-modified"]))
def test_two_marks_are_equal_if_the_validators_are(one: str, other: str, header: str) -> None:
    def mark(value: str) -> int:
        reply = PublicReply(200, {header: value, "content-length": "7"}, b"picture")
        return WebPicture(ADDRESS, WebServers(0, lambda *_: reply)).status().ctime_ns

    weak = "W/" if header == "etag" else "there is no weak time"
    assert (mark(one) == mark(other)) == (one.removeprefix(weak) == other.removeprefix(weak))


@pytest.mark.parametrize("told", [LATE, failed(503), failed(429), BusyError("busy", 5)])
def test_what_may_pass_is_tried_again_after_growing_pauses(told: Told, naps: list[float]) -> None:
    script = Script(told, told, told, ok())
    assert place(script).read().data == b"picture"
    assert (script.asked, naps) == (4, [1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("told", "reason", "asked"),
    [
        (failed(404), "its server has no such picture (404)", 1),
        (failed(403), "its server refuses access (403)", 1),
        (PRIVATE, "its address leads to no public server; nothing was requested", 1),
        (failed(503), "its server answers with an error (503)", 4),
        (
            failed(429, retry_after="3600"),
            "its server answers with an error (429) and asks to wait 3,600 s",
            1,
        ),
        (LATE, "its address takes too long; the fetch was stopped after 30 s", 4),
        (ok(b""), "its server sends nothing", 1),
    ],
)
def test_what_fails_is_a_picture_error_that_does_not_name_the_address(
    told: Told, reason: str, asked: int
) -> None:
    script = Script(told)
    with pytest.raises(PictureError) as caught:
        place(script).read()
    assert (str(caught.value), script.asked) == (reason, asked)


def test_a_server_that_asks_to_wait_is_asked_no_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[float] = []
    script = Script(failed(429, retry_after="1"), ok())

    def request(method: str, address: str) -> PublicReply:
        times.append(time.monotonic())
        return script(method, address)

    WebPicture(ADDRESS, WebServers(0, request)).read()
    assert times[1] - times[0] >= 0.99


def test_a_server_that_fails_again_and_again_is_given_up_and_others_are_not() -> None:
    script = Script(LATE)
    servers = WebServers(
        0, lambda method, address: script(method, address) if "pictures" in address else ok()
    )
    for _ in range(25):
        with pytest.raises(PictureError) as caught:
            WebPicture(ADDRESS, servers).read()
    assert str(caught.value) == "its server failed 20 times in a row and is not asked again in this run"
    assert script.asked == 20 * 4
    assert WebPicture("https://other.example/a.jpg", servers).read().data == b"picture"


def test_a_server_that_names_no_version_is_no_news() -> None:
    for headers in ({"content_length": "7"}, {"etag": '"1"'}):
        with pytest.raises(PictureError, match="does not say which version it has"):
            place(Script(ok(**headers))).status()


@pytest.mark.slow
def test_a_server_gets_few_requests_a_second_and_at_a_time() -> None:
    lock, at_once, most, times = threading.Lock(), 0, 0, []

    def request(method: str, address: str) -> PublicReply:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            times.append(time.monotonic())
        threading.Event().wait(0.5)
        with lock:
            at_once -= 1
        return ok()

    servers = WebServers(20, request)
    threads = [threading.Thread(target=WebPicture(ADDRESS, servers).read) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= web_picture.CONNECTIONS
    assert times[25] - times[0] >= 1.0


class Handler(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.command)
        self.send_response(302 if self.path == "/to" else 200)
        self.send_header("Location", "http://pictures.example/x")
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "7")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"picture")

    do_HEAD = do_GET  # noqa: N815 (the name that http.server calls)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], WebServers]]:
    """What asks a real server over TLS, which is on loopback, as if that were public."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def asked(url: str, **options: object) -> PublicReply:
        assert options["ports"] == (443,)
        given: Mapping[str, object] = {
            **options,
            "resolve": lambda *_: ["127.0.0.1"],
            "allow": lambda _: True,
            "ports": (running.server_port,),
        }
        return request_public(url.replace(".example/", f".example:{running.server_port}/"), **given)  # type: ignore[arg-type]

    monkeypatch.setattr("steamdino.net.public_fetch.request_public", asked)
    yield partial(WebServers, 0)
    running.shutdown()
    running.server_close()


def test_a_picture_is_read_over_tls_and_asked_about_without_its_bytes(
    servers: Callable[[], WebServers],
) -> None:
    Handler.asked.clear()
    picture = WebPicture("https://pictures.example/x.jpg", servers())
    content, status = picture.read(), picture.status()
    assert (content.data, content.ctime_ns, status.size) == (b"picture", status.ctime_ns, 7)
    assert Handler.asked == ["GET", "HEAD"]
    with pytest.raises(PictureError, match="its address uses port 80, which is not allowed"):
        WebPicture("https://pictures.example/to", servers()).read()


def test_an_address_in_a_private_network_is_not_requested() -> None:
    with pytest.raises(PictureError, match="its address leads to no (public )?server"):
        WebPicture("https://localhost.localdomain/x.jpg", WebServers(0)).read()
