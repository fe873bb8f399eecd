"""A server on loopback."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import uvicorn

from steamdino.present.web.app import create_app
from steamdino.settings import Settings, WebSettings

Serve = Callable[..., httpx.Client]


PICTURES = tempfile.TemporaryDirectory(prefix="steamdino-pictures-")
"""Scaled banners, which servers may share: a browser's page has dozens of them."""


class Running:
    """An app on a port, in a thread."""

    def __init__(
        self, gallery: Path | str, *, fetch: Callable[[str], bytes] | None = None, **web: Any
    ) -> None:
        settings = WebSettings(
            **{
                "requests_per_minute": 0.0,
                "pictures_per_minute": 0.0,
                "refresh": 0.1,
                "picture_cache": PICTURES.name,
                **web,
            }
        )
        self.app = create_app(Settings(gallery=gallery), settings, fetch=fetch)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self.app, log_config=None, access_log=False, ws="none", proxy_headers=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.client = httpx.Client(base_url=self.address, timeout=30)

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="module", autouse=True)
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Uploaded pictures are kept where the tests' other files are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("temporary")))
        yield


@pytest.fixture(scope="module")
def server(built: Path) -> Iterator[Running]:
    """The fictional store, served."""
    running = Running(built)
    yield running
    running.close()


@pytest.fixture
def web(server: Running) -> httpx.Client:
    """Asks it."""
    return server.client


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Serves something else."""
    started: list[Running] = []

    def serve(gallery: Path, **settings: Any) -> Running:
        started.append(Running(gallery, **settings))
        return started[-1]

    yield serve
    for running in started:
        running.close()


@pytest.fixture
def browse(browser: Any, server: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page of the server; it must complain of nothing, and ask nobody else."""
    contexts = []
    complaints: list[str] = []

    def browse(path: str, *, expected: tuple[str, ...] = (), address: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: m.text in expected or complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        base = address or server.address
        page.on("request", lambda r: r.url.startswith((base, "data:")) or complaints.append(f"asked {r.url}"))
        page.goto(base + path)
        return page

    yield browse
    for context in contexts:
        context.close()
    assert complaints == []
