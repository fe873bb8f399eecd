"""An S3 server in a process of its own (moto's), and a proxy before it that delays, refuses, resets and truncates."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2 as httpx

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
KEPT_HEADERS = ("content-type", "content-range", "etag", "last-modified")
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=a-key-id/20261128/us-east-1/s3/aws4_request,"
    " SignedHeaders=host, Signature=none"
}


@dataclass
class ObjectStorage:
    """The server, which does not check signatures."""

    url: str

    def bucket(self, name: str) -> None:
        """Makes a bucket."""
        httpx.put(f"{self.url}/{name}", headers=SIGNED, timeout=60).raise_for_status()

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Stores an object."""
        httpx.put(f"{self.url}/{bucket}/{key}", headers=SIGNED, content=data, timeout=60).raise_for_status()

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object."""
        httpx.delete(f"{self.url}/{bucket}/{key}", headers=SIGNED, timeout=60).raise_for_status()

    def content(self, bucket: str) -> dict[str, bytes]:
        """All objects of a bucket, at most 1,000."""
        text = httpx.get(f"{self.url}/{bucket}?list-type=2", headers=SIGNED, timeout=60).text
        keys = [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]
        return {
            key: httpx.get(f"{self.url}/{bucket}/{key}", headers=SIGNED, timeout=60).content for key in keys
        }

    def environment(self, url: str | None = None) -> dict[str, str]:
        """What a user sets to use this server, or a proxy before it."""
        return {
            "AWS_ACCESS_KEY_ID": "a-key-id",
            "AWS_SECRET_ACCESS_KEY": "a-secret-key",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url or self.url,
        }


@contextmanager
def serving() -> Iterator[ObjectStorage]:
    """Runs moto's server until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/moto-api/", timeout=60).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield ObjectStorage(url)
    finally:
        server.kill()
        server.wait()


@dataclass
class Faults:
    """What happens to requests, by the order of their arrival: "slow down", "reset", "truncate"; others pass.

    A write that is reset or truncated may have reached the server: "reset" passes it on and loses the answer.

    Attributes:
        planned: the fault of the n-th request.
        delay: seconds before each answer.
        requests: how many arrived.
        signed_by: the ids of the keys that signed them.
    """

    planned: dict[int, str] = field(default_factory=dict)
    delay: float = 0.0
    requests: int = 0
    signed_by: set[str] = field(default_factory=set)


@contextmanager
def faulty(storage: ObjectStorage, faults: Faults) -> Iterator[str]:
    """Runs a proxy before the server, and gives its address."""
    lock = threading.Lock()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                fault = faults.planned.get(faults.requests)
                faults.requests += 1
                faults.signed_by |= set(
                    re.findall("Credential=([^/]+)/", self.headers.get("Authorization", ""))
                )
            time.sleep(faults.delay)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault == "reset" and self.command == "PUT":
                self._ask(body)  # it is stored, and the answer is lost
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.close_connection = True
                self.connection.close()
                return
            if fault == "slow down":
                self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN, len(SLOW_DOWN))
                return
            status, kept, data, length = self._ask(body)
            self._answer(status, kept, data[: len(data) // 2] if fault == "truncate" else data, length)
            self.close_connection = self.close_connection or fault == "truncate"

        do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 (the names that http.server calls)

        def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes, int]:
            host = storage.url.removeprefix("http://")
            upstream = http.client.HTTPConnection(host, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            upstream.request(self.command, self.path, body or None, headers=headers)
            reply = upstream.getresponse()
            data = reply.read()
            kept = [(name, value) for name, value in reply.getheaders() if name.lower() in KEPT_HEADERS]
            length = int(reply.getheader("Content-Length") or len(data))
            upstream.close()
            return reply.status, kept, data, length

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, length: int) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(data if self.command != "HEAD" else b"")

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that was killed
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
