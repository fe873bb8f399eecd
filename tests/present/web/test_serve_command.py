"""`steam-dino serve` as whole processes."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from PIL import Image
from tests import forks

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(gallery: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, once it answers, and its address; ended politely."""
    port = _free_port()
    command = [sys.executable, "-m", "steamdino", "serve", "-g", str(gallery), "--port", str(port), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).text == "ready\n"
                break
            except httpx.TransportError:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        try:
            yield child, f"http://127.0.0.1:{port}"
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


def test_two_processes_serve_one_gallery_and_end_politely(built: Path) -> None:
    with serving(built, "--workers", "2") as (child, address):
        found = httpx.get(f"{address}/api/v1/games/neonoir/similar", params={"k": 1}, timeout=60)
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=30)
    assert found.json()["matches"][0]["id"] == "hollow-avenue"
    assert errors.startswith(f"Serving {built} at {address}\n")
    assert errors.count('"event": "snapshot"') == 2  # each process has opened it
    assert '"route": "/api/v1/games/{game_id:path}/similar"' in errors
    assert "Traceback" not in errors


def test_a_free_port_is_told(built: Path) -> None:
    transport = httpx.HTTPTransport(retries=8)  # it listens soon after it has told
    with (
        forks.start("serve", "-g", built, "--port", 0) as child,
        httpx.Client(transport=transport, timeout=60) as client,
    ):
        try:
            assert child.stderr is not None
            address = child.stderr.readline().split()[-1]
            assert not address.endswith(":0")
            assert client.get(f"{address}/readyz").text == "ready\n"
        finally:
            child.terminate()


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc, which is Linux's"
)
def test_memory_stays_flat_whatever_is_sent(built: Path, tmp_path: Path) -> None:
    noise = io.BytesIO()
    Image.effect_noise((1200, 1800), 90).save(noise, "JPEG")
    sent = [
        noise.getvalue(),
        noise.getvalue()[:9000],
        b"<svg/>",
        b"\0" * (9 << 20),
        b"GIF89a" + b"\xff" * 5000,
    ]

    def resident(pid: int) -> float:
        return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024

    with serving(built, "--rate", "0") as (child, address):

        def attack(rounds: int) -> set[int]:
            statuses = set()
            for _ in range(rounds):
                for data in sent:
                    statuses.add(
                        httpx.post(
                            f"{address}/api/v1/similar", files={"picture": data}, timeout=60
                        ).status_code
                    )
            return statuses

        attack(3)  # what is loaded once is loaded
        before = resident(child.pid)
        assert attack(9) == {200, 422}
        after = resident(child.pid)
    print(f"{before:.0f} MB before, {after:.0f} MB after 60 hostile uploads")
    assert after < before + 40, f"{before:.0f} MB became {after:.0f} MB"
    assert after < 400


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
