"""A host of static files, as plain as they come, below a path; it notes what it is asked for."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class StaticHost:
    """A running host.

    Attributes:
        address: of the folder's page.
        origin: of the host.
        asked: the paths that it was asked for.
    """

    origin: str
    address: str
    server: http.server.ThreadingHTTPServer
    asked: list[str] = field(default_factory=list)

    def stop(self) -> None:
        """Leave its visitors without a connection."""
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def static_host(folder: Path, below: str = "/", policy: str = "") -> Iterator[StaticHost]:
    """Serve a folder.

    Args:
        folder: what to serve.
        below: the path that it is served at, with a slash at both ends.
        policy: sent as Content-Security-Policy with every file, so that it holds for workers, too.
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            if not path.startswith(below):
                return str(folder / "outside of the site")
            return super().translate_path("/" + path.removeprefix(below))

        def end_headers(self) -> None:
            if policy:
                self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_: Any) -> None:
            host.asked.append(self.path)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    origin = f"http://127.0.0.1:{server.server_port}"
    host = StaticHost(origin, origin + below, server)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield host
    finally:
        host.stop()
