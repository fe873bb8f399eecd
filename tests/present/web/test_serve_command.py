"""`steam-dino serve` as whole processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_processes_serve_one_gallery_and_end_politely(built: Path) -> None:
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "steamdino",
        "serve",
        "-g",
        str(built),
        "--port",
        str(port),
        "--workers",
        "2",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + 60
        while True:
            try:
                ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        found = httpx.get(f"http://127.0.0.1:{port}/api/v1/games/neonoir/similar", params={"k": 1})
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=30)
    assert ready.text == "ready\n"
    assert found.json()["matches"][0]["id"] == "hollow-avenue"
    assert errors.startswith(f"Serving {built} at http://127.0.0.1:{port}\n")
    assert errors.count('"event": "snapshot"') == 2  # each process has opened it
    assert '"route": "/api/v1/games/{game_id:path}/similar"' in errors
    assert "Traceback" not in errors


def test_what_cannot_be_served_is_told_in_one_line(run: Run, built: Path, tmp_path: Path) -> None:
    for arguments, code, told in (
        (("-g", tmp_path / "none"), 1, "there is no gallery"),
        (("-g", built, "--port", 99999), 2, "port is 99999"),
        (("-g", built, "--pictures", "elsewhere"), 2, "pictures is 'elsewhere'"),
        (("-g", built, "--workers", 0), 2, "workers is 0"),
    ):
        done = run("serve", *arguments)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
        assert done.stderr.count("\n") == 1
