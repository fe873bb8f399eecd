"""Fetching addresses from users, with real servers on loopback, which only a test may allow."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import ClassVar

import pytest
from httpcore2._backends.sync import SyncStream

from fakes.slow import Answer, answering_slowly
from steamdino.errors import BusyError, NetworkError
from steamdino.net.public_fetch import AGENT, LOOKUPS, Resolve, _Deadline, _LateError, _Stream, fetch_public

CERTIFICATE = Path(__file__).with_name("pictures.example.pem")
"""A certificate of pictures.example that it signed itself, with its private key."""


class Handler(http.server.BaseHTTPRequestHandler):
    seen: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        type(self).seen = dict(self.headers.items())
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


def test_dns_rebinding_has_no_effect(server: int) -> None:
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


def test_the_connection_goes_to_the_address_that_was_checked(server: int) -> None:
    """A connection to another one, or to none at all, would reach the server on 127.0.0.1."""
    with pytest.raises(NetworkError, match="cannot be reached|takes too long"):
        _fetch(f"http://localhost:{server}/x", server, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])


@pytest.mark.parametrize("found", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], []])
def test_a_name_with_any_private_address_is_refused(server: int, found: list[str]) -> None:
    """Which address is used would depend on chance. Here, 127.0.0.1 stands for a public one."""
    with pytest.raises(NetworkError, match=r"'mixed\.example' is not a public server"):
        _fetch(
            f"http://mixed.example:{server}/x",
            server,
            resolve=lambda *_: found,
            allow=lambda address: address != ipaddress.ip_address("10.0.0.1"),
        )


def test_the_scope_of_an_address_is_ignored(server: int) -> None:
    seen: list[object] = []

    def allow(address: object) -> bool:
        seen.append(address)
        return False

    with pytest.raises(NetworkError, match="not a public server"):
        _fetch(f"http://x.example:{server}/", server, resolve=lambda *_: ["fe80::1%eth0"], allow=allow)
    assert seen == [ipaddress.ip_address("fe80::1")]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("none", "answers 404"),
        ("large", "more than 1,000 bytes"),
        ("drip", "takes too long"),
    ],
)
def test_an_unusable_answer_is_reported(server: int, path: str, told: str) -> None:
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
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(NetworkError):
        fetch_public(url, largest=10, seconds=1, resolve=lambda *_: pytest.fail("it was looked up"))


def test_redirect_loops_end(server: int) -> None:
    address = f"http://127.0.0.1:{server}/to/" * 6 + "x"
    with pytest.raises(NetworkError, match="redirects too many times"):
        _fetch(address, server)


def test_a_body_of_exactly_the_maximum_is_fetched_and_one_byte_more_is_not(server: int) -> None:
    address = f"http://127.0.0.1:{server}/x"  # ten bytes
    assert _fetch(address, server, largest=10) == b"x" * 10
    with pytest.raises(NetworkError, match="has more than 9 bytes; name a smaller picture"):
        _fetch(address, server, largest=9)


def _two_chunks(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"6\r\nfirst-\r\n6\r\nsecond\r\n0\r\n\r\n")


def test_a_body_in_several_parts_is_joined_and_its_maximum_holds_for_the_whole() -> None:
    with answering_slowly(_two_chunks) as port:
        assert _fetch(f"http://127.0.0.1:{port}/x", port, largest=12) == b"first-second"
        with pytest.raises(NetworkError, match="has more than 11 bytes"):
            _fetch(f"http://127.0.0.1:{port}/x", port, largest=11)


def test_a_redirect_that_names_no_address_leads_to_the_same_one_again() -> None:
    asked: list[bytes] = []

    def nowhere(connection: socket.socket) -> None:
        asked.append(connection.recv(1 << 16).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")

    with answering_slowly(nowhere) as port, pytest.raises(NetworkError, match="redirects too many times"):
        _fetch(f"http://127.0.0.1:{port}/x?y", port)
    assert asked == [b"GET /x?y HTTP/1.1"] * 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(status: int) -> None:
    def answer(connection: socket.socket) -> None:
        first = connection.recv(1 << 16).startswith(b"GET /first ")
        connection.sendall(
            b"HTTP/1.1 %d Moved\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n" % status
            if first
            else b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
        )

    with answering_slowly(answer) as port:
        assert _fetch(f"http://127.0.0.1:{port}/first", port) == b"body"


@pytest.mark.parametrize("status", [201, 204, 300, 304, 305, 309])
def test_a_location_with_any_other_status_is_not_followed(status: int) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection.recv(1 << 16))
        connection.sendall(b"HTTP/1.1 %d Odd\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n" % status)

    with answering_slowly(answer) as port, pytest.raises(NetworkError, match=f"answers {status}; name"):
        _fetch(f"http://127.0.0.1:{port}/first", port)
    assert len(asked) == 1


def test_an_error_names_the_address_and_the_start_of_a_long_one(server: int) -> None:
    address = f"http://127.0.0.1:{server}/none"
    with pytest.raises(NetworkError) as caught:
        _fetch(address, server)
    assert str(caught.value) == f"'{address}' answers 404; name the address of a picture"
    long = f"{address}?{'x' * 200}"
    with pytest.raises(NetworkError) as caught:
        _fetch(long, server)
    assert str(caught.value) == f"'{long[:100]}' answers 404; name the address of a picture"


@pytest.fixture
def secure_server() -> Iterator[int]:
    """A server that speaks TLS and shows the certificate of pictures.example."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running.server_port
    running.shutdown()
    running.server_close()


def test_over_tls_a_server_must_prove_its_name_to_a_trusted_authority(
    secure_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(host: str) -> bytes:
        address = f"https://{host}:{secure_server}"
        return _fetch(f"{address}/to/{address}/x", secure_server, resolve=lambda *_: ["127.0.0.1"])

    with pytest.raises(NetworkError, match=r"its certificate was refused \(self-signed certificate\)"):
        fetch("pictures.example")  # nobody trusts its certificate yet
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert fetch("pictures.example") == b"x" * 10
    with pytest.raises(NetworkError, match=r"its certificate was refused \(Hostname mismatch"):
        fetch("other.example")


def test_three_redirects_are_followed_and_a_fourth_is_not(server: int) -> None:
    base = f"http://127.0.0.1:{server}"
    assert _fetch(base + "/to/" * 3 + "/x", server) == b"x" * 10
    with pytest.raises(NetworkError, match="redirects too many times"):
        _fetch(base + "/to/" * 4 + "/x", server)


def test_a_redirect_to_another_port_scheme_or_user_is_checked_like_the_first_address(server: int) -> None:
    base = f"http://127.0.0.1:{server}"
    for target, told in (
        ("http://127.0.0.1:22/", "port 22, which is not allowed"),
        ("file:///etc/passwd", "is not the address of a picture"),
        (f"http://user@127.0.0.1:{server}/x", "is not the address of a picture"),
        ("http://[", "redirects to an invalid address"),
    ):
        with pytest.raises(NetworkError, match=told):
            _fetch(f"{base}/to/{target}", server)


@pytest.mark.parametrize("host", ["a..b", ".a", "x" * 70 + ".example"])
def test_a_name_that_cannot_be_looked_up_is_an_error_of_one_line(host: str, server: int) -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        fetch_public(f"http://{host}:{server}/x", largest=10, seconds=5, ports=[server])


def test_a_look_up_that_gives_no_address_is_an_error_of_one_line(server: int) -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        _fetch(f"http://odd.example:{server}/x", server, resolve=lambda *_: ["nonsense"])


def test_only_the_needed_headers_are_sent(server: int) -> None:
    _fetch(f"http://127.0.0.1:{server}/seen?a=b", server)
    assert Handler.seen == {
        "Host": f"127.0.0.1:{server}",
        "User-Agent": AGENT,
        "Accept": "image/*",
    }


def _drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte at a time, each well within the timeout of a single read."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def _slow_headers(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    _drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X-Padding: 0\r\n" * 20)


def _slow_handshake(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    _drip(
        connection, b"\x16\x03\x03\x40\x00\x02" + bytes(200)
    )  # a record that is announced and never complete


def _slow_chunks(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    _drip(connection, b"0001\r\nx\r\n" * 50)


def _informed_again_and_again(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    for _ in range(200):
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(0.05)


def _silence(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    time.sleep(20)


def _slow_redirects(connection: socket.socket) -> None:
    """Each redirect is fast enough by itself; all of them together are not."""
    connection.recv(1 << 16)
    time.sleep(0.3)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("http", _slow_headers),
        ("http", _slow_chunks),
        ("http", _informed_again_and_again),
        ("http", _silence),
        ("http", _slow_redirects),
        ("https", _slow_handshake),
        ("https", _silence),
    ],
)
def test_the_deadline_holds_for_every_part_of_an_exchange(scheme: str, answer: Answer) -> None:
    with answering_slowly(answer) as port:
        began = time.monotonic()
        with pytest.raises(NetworkError, match="takes too long; the fetch was stopped after 0.5 s"):
            _fetch(f"{scheme}://127.0.0.1:{port}/x", port, seconds=0.5)
        assert 0.45 < time.monotonic() - began < 9  # each answer takes longer


def test_the_deadline_holds_for_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        port = full.getsockname()[1]
        for _ in range(8):  # nobody accepts them, and the queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(NetworkError, match="takes too long"):
            _fetch(f"http://127.0.0.1:{port}/x", port, seconds=0.4)
        assert time.monotonic() - began < 9


def test_the_deadline_holds_for_sending_to_a_server_that_reads_little_by_little() -> None:
    """Each time that it reads, there is room for a little more, long before the timeout of a single write."""
    data = bytes(32 << 20)
    arrived: SimpleQueue[int] = SimpleQueue()

    def reads_slowly(connection: socket.socket) -> None:
        count = 0
        while part := connection.recv(1 << 16):
            count += len(part)
            time.sleep(0.01)
        arrived.put(count)

    with answering_slowly(reads_slowly) as port:
        stream = _Stream(SyncStream(socket.create_connection(("127.0.0.1", port))), _Deadline(1))
        with pytest.raises(_LateError):
            stream.write(data)
        stream.close()
        assert 0 < arrived.get(timeout=30) < len(data)


def test_the_deadline_holds_for_sending_to_a_server_that_reads_nothing() -> None:
    late = threading.Event()

    def reads_nothing(connection: socket.socket) -> None:
        with connection:
            late.wait(10)

    with answering_slowly(reads_nothing) as port:
        stream = _Stream(SyncStream(socket.create_connection(("127.0.0.1", port))), _Deadline(0.5))
        with pytest.raises(_LateError):
            stream.write(bytes(32 << 20))  # more than the system keeps
        stream.close()
        late.set()


def test_everything_is_sent_in_order() -> None:
    data = bytes(range(256)) * 300
    arrived: SimpleQueue[bytes] = SimpleQueue()

    def reads(connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            arrived.put(file.read())

    with answering_slowly(reads) as port:
        stream = _Stream(SyncStream(socket.create_connection(("127.0.0.1", port))), _Deadline(10))
        stream.write(data)
        stream.close()
        assert arrived.get(timeout=30) == data


@pytest.fixture
def slow_names() -> Iterator[tuple[Resolve, list[str], threading.Event]]:
    """Return a resolver that waits for the event, and the names that it was asked for."""
    asked: list[str] = []
    answered = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        answered.wait(30)
        return ["127.0.0.1"]

    yield resolve, asked, answered
    answered.set()
    deadline = time.monotonic() + 10
    while any(thread.name == "look up" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_deadline_holds_for_looking_up_a_name(
    server: int, slow_names: tuple[Resolve, list[str], threading.Event]
) -> None:
    began = time.monotonic()
    with pytest.raises(NetworkError, match="takes too long"):
        _fetch(f"http://slow.example:{server}/x", server, resolve=slow_names[0], seconds=0.3)
    assert time.monotonic() - began < 9


UNANSWERED = """
import threading
from steamdino.errors import NetworkError
from steamdino.net.public_fetch import fetch_public
try:
    fetch_public("http://slow.example/x", largest=1, seconds=0.1, resolve=lambda *_: threading.Event().wait())
except NetworkError as error:
    print(error)
"""


def test_an_unanswered_look_up_does_not_keep_the_program_from_ending() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", UNANSWERED], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "'http://slow.example/x' takes too long; the fetch was stopped after 0.1 s\n"


def test_unanswered_look_ups_do_not_pile_up(
    server: int, slow_names: tuple[Resolve, list[str], threading.Event]
) -> None:
    resolve, asked, answered = slow_names

    def fetch(number: int) -> str:
        try:
            _fetch(f"http://{number}.example:{server}/x", server, resolve=resolve, seconds=0.3)
        except NetworkError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(LOOKUPS) as pool:
        assert all("takes too long" in told for told in pool.map(fetch, range(LOOKUPS)))
    # They are given up, and still looked up.
    with pytest.raises(BusyError, match="too many name look-ups") as busy:
        _fetch(f"http://more.example:{server}/x", server, resolve=resolve)
    assert busy.value.retry == 5
    assert len(asked) == LOOKUPS
    answered.set()
    deadline = time.monotonic() + 10
    while True:
        try:
            assert _fetch(f"http://127.0.0.1:{server}/x", server) == b"x" * 10
            break
        except BusyError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.slow
def test_an_unknown_name_is_reported(server: int) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(NetworkError, match=r"there is no server 'none\.example'"):
        _fetch(f"http://none.example:{server}/x", server, resolve=resolve)
    # As often as one likes: a look-up that fails is over.
    for _ in range(2 * LOOKUPS):
        with pytest.raises(NetworkError, match="there is no server"):
            _fetch(f"http://none.example:{server}/x", server, resolve=resolve)


def test_an_unreachable_server_is_reported() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(NetworkError, match=r"cannot be reached \(ConnectError\)"):
            _fetch(f"http://127.0.0.1:{port}/x", port)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://a.example/x", ("a.example", 80)),
        ("https://a.example/x", ("a.example", 443)),
        ("http://a.example:443/x", ("a.example", 443)),
        ("https://a.example:80", ("a.example", 80)),
        ("https://[2606:4700::1]/x", ("2606:4700::1", 443)),
    ],
)
def test_only_the_standard_ports_are_allowed(url: str, asked: tuple[str, int]) -> None:
    seen: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        seen.append((host, port))
        return []

    with pytest.raises(NetworkError, match="is not a public server"):
        fetch_public(url, largest=10, seconds=2, resolve=resolve)
    assert seen == [asked]
    for port in (79, 81, 442, 444, 8080):
        with pytest.raises(NetworkError, match=f"uses port {port}, which is not allowed"):
            fetch_public(f"http://a.example:{port}/", largest=10, seconds=2, resolve=resolve)
    assert len(seen) == 1
