"""Fetching what strangers name: real servers on loopback, which only a test may let through."""

from __future__ import annotations

import http.server
import ipaddress
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import NetworkError
from steamdino.net.public import fetch_public, is_public


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:].replace("%3A", ":"))
            self.end_headers()
            return
        self.send_response(404 if path == "/none" else 200)
        self.end_headers()
        if path == "/drip":
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            self.wfile.write(b"x" * (5000 if path == "/large" else 10))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running.server_port
    running.shutdown()
    running.server_close()


def _fetch(url: str, port: int, **options: object) -> bytes:
    given = {"largest": 1000, "seconds": 2.0, "allow": lambda _: True, "ports": (port,), **options}
    return fetch_public(url, **given)  # type: ignore[arg-type]


def test_a_picture_is_fetched_through_redirects(server: int) -> None:
    base = f"http://127.0.0.1:{server}"
    assert _fetch(f"{base}/x", server) == b"x" * 10
    assert _fetch(f"{base}/to//x", server) == b"x" * 10
    assert _fetch(f"{base}/to/{base}/x", server) == b"x" * 10


def test_private_addresses_are_refused_by_name_number_and_redirect(server: int) -> None:
    for host in (
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "127.1",
    ):
        with pytest.raises(NetworkError, match="not a public server|no server|no address"):
            fetch_public(f"http://{host}:{server}/x", largest=1000, seconds=2, ports=(server,))
    asked = []

    def first_only(address: object) -> bool:
        asked.append(address)
        return len(asked) == 1

    # The second connection is to another origin, looked at anew.
    with pytest.raises(NetworkError, match="not a public server"):
        _fetch(f"http://127.0.0.1:{server}/to/http://localhost:{server}/x", server, allow=first_only)
    assert len(asked) >= 2


def test_a_name_that_points_elsewhere_a_moment_later_changes_nothing(server: int) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    got = _fetch(
        f"http://rebinding.example:{server}/x",
        server,
        resolve=rebinding,
        allow=lambda address: str(address) == "127.0.0.1",
    )
    assert (got, asked) == (b"x" * 10, ["rebinding.example"])
    # One public address among private ones is not enough: which is taken would be chance.
    with pytest.raises(NetworkError, match="not a public server"):
        _fetch(
            f"http://mixed.example:{server}/x",
            server,
            resolve=lambda *_: ["127.0.0.1", "10.0.0.1"],
            allow=is_public,
        )


@pytest.mark.parametrize(
    ("path", "told"),
    [("none", "answers 404"), ("large", "more than 1,000 bytes"), ("drip", "too long|cannot be reached")],
)
def test_what_is_no_picture_to_fetch_is_told(server: int, path: str, told: str) -> None:
    with pytest.raises(NetworkError, match=told):
        _fetch(f"http://127.0.0.1:{server}/{path}", server, seconds=0.5)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://x/y", "gopher://x", "x", "", "http://", "http://user:pw@example.com/", "http://[",
        "http://example.com:22/", "http://example.com:99999/", "http://exa mple.com/", "http://example.com/\r\nHost: y",
        "http://ex\u00e4mple.com/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(NetworkError):
        fetch_public(url, largest=10, seconds=1, resolve=lambda *_: pytest.fail("it was looked up"))


def test_loops_end(server: int) -> None:
    address = f"http://127.0.0.1:{server}/to/" * 6 + "x"
    with pytest.raises(NetworkError, match="redirected again and again"):
        _fetch(address, server)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_private_as_itself(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    assert is_public(mapped) == is_public(address)
    assert not is_public(ipaddress.IPv6Address(f"64:ff9b::{address}"))


def test_known_private_addresses_are_private() -> None:
    for text in (
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2002:7f00:1::", "::ffff:10.0.0.1",
    ):  # fmt: skip
        assert not is_public(ipaddress.ip_address(text)), text
    for text in ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"):
        assert is_public(ipaddress.ip_address(text)), text
