"""A model hub on loopback: serves files as huggingface.co does, or misbehaves as told."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "beef"


@dataclass
class Hub:
    """What it serves, how it behaves, and what it was asked.

    Attributes:
        files: "owner/name/path" -> bytes.
        mode: "", "gated", "html", "broken" (500), "truncated" (stops half way), "slow" (sends nothing),
            "altered" (other bytes of the same length), "once" (breaks off once, then behaves), "stuck" (sends half of
            what is asked for and goes silent), or "whole" (breaks off, and answers a range with the whole file).
        token: what a gated file demands.
        requests: (method, path, range) of each.
        sent: bytes of files, all requests together.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    mode: str = ""
    token: str = "hf_secret"  # noqa: S105 (of the test's own hub)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    sent: int = 0
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving() -> Iterator[Hub]:
    """Runs a hub for the length of the block."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            hub.requests.append((self.command, self.path, self.headers.get("Range")))
            if hub.mode == "broken":
                return self._send(500, b"oops", {})
            if hub.mode == "html":
                return self._send(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
            # /owner/name/resolve/revision/file; the client may ask for other things, which this hub does not have.
            parts = self.path.lstrip("/").split("/", 4)
            data = hub.files.get(f"{parts[0]}/{parts[1]}/{parts[4]}") if len(parts) == 5 else None
            if hub.mode == "gated" and self.headers.get("Authorization") != f"Bearer {hub.token}":
                return self._send(401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
            if data is None:
                return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            digest = hashlib.sha256(data).hexdigest()
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
            if hub.mode == "altered":
                data = bytes([data[0] ^ 1]) + data[1:]
            status = 200
            if (wanted := self.headers.get("Range")) and hub.mode != "whole":
                start = int(wanted.removeprefix("bytes=").split("-")[0])
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                data, status = data[start:], 206
            return self._send(status, data, headers)

        def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if hub.mode == "slow":
                hub.closing.wait(60)
                self.close_connection = True
                return
            breaks = hub.mode in ("truncated", "once", "stuck")
            breaks |= hub.mode == "whole" and not self.headers.get("Range")
            if breaks and status in (200, 206) and len(data) > 1:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                hub.sent += len(data) // 2
                if hub.mode == "stuck":
                    hub.closing.wait(60)
                self.close_connection = True
                if hub.mode == "once":
                    hub.mode = ""
                return
            self.wfile.write(data)
            hub.sent += len(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
