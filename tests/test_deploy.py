"""The files for a deployment: what they start is started for real."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import yaml
from tests.fakes.nginx import free_port, nginx_before

DEPLOY = Path(__file__).parents[1] / "deploy"
PROGRAM = [sys.executable, "-m", "steamdino"]


@contextmanager
def started(arguments: list[str], folder: Path, **options: str) -> Iterator[str]:
    """Start the program with arguments, some of which are replaced, and yield its address once it is ready."""
    port = free_port()
    replaced = {"port": str(port), "host": "127.0.0.1", **options}
    for name, value in replaced.items():
        arguments = _replaced(arguments, name, value)
    with subprocess.Popen([*PROGRAM, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True) as child:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 100
        try:
            while True:
                try:
                    assert httpx.get(f"{address}/readyz", timeout=60).text == "ready\n"
                    break
                except httpx.TransportError:
                    assert child.poll() is None, child.stderr and child.stderr.read()
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield address
        finally:
            child.send_signal(signal.SIGTERM)
            _, errors = child.communicate(timeout=60)
        assert "Traceback" not in errors, errors


def _replaced(arguments: list[str], name: str, value: str) -> list[str]:
    """Replace the value of an option, in either of its forms; it must be there."""
    found = list(arguments)
    for place, one in enumerate(found):
        if one == f"--{name}":
            found[place + 1] = value
            return found
        if one.startswith(f"--{name}="):
            found[place] = f"--{name}={value}"
            return found
    raise AssertionError(f"there is no --{name} in {arguments}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_the_unit_is_one_for_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here; it comes with systemd")
    unit = tmp_path / "steam-dino.service"
    text = (DEPLOY / "steam-dino.service").read_text()
    assert "/opt/steam-dino/bin/steam-dino" in text
    # The program of the unit has to be there to be verified.
    unit.write_text(text.replace("/opt/steam-dino/bin/steam-dino", sys.executable))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    unit.write_text(text.replace("PrivateTmp=yes", "PrivateTemp=yes"))
    bad = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert "PrivateTemp" in bad.stderr


def test_what_the_unit_starts_serves_the_gallery_in_its_folder(built: Path, tmp_path: Path) -> None:
    (line,) = re.findall(r"(?m)^ExecStart=(.+)$", (DEPLOY / "steam-dino.service").read_text())
    program, *arguments = shlex.split(line)
    assert Path(program).name == "steam-dino"
    (tmp_path / "gallery").symlink_to(built)
    with started(arguments, tmp_path) as address:
        assert httpx.get(f"{address}/api/v1/info", timeout=60).json()["default"] == "bundled"
        # Both of its processes count together.
        metrics = ""
        for _ in range(20):
            assert httpx.get(f"{address}/api/v1/games/neonoir", timeout=60).status_code == 200
        metrics = httpx.get(f"{address}/metrics", timeout=60).text
    assert "steamdino_workers 2.0" in metrics
    assert 'route="/api/v1/games/{game_id:path}",status="200"} 20.0' in metrics


@pytest.mark.slow
def test_what_compose_starts_serves_one_site_from_two_servers(
    built: Path, tmp_path: Path, compose: dict[str, Any]
) -> None:
    server, proxy = compose["services"]["server"], compose["services"]["proxy"]
    assert "./nginx.conf:/etc/nginx/conf.d/default.conf:ro" in proxy["volumes"]
    assert server["deploy"]["replicas"] == 2 and "ports" not in server
    assert compose["services"]["update"]["build"] == server["build"]  # it may be what is run first
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).is_file()
    command = [*server["command"], "--rate=30"]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                started(command, tmp_path, **{"gallery": str(built), "trusted-proxies": "127.0.0.1"})
            )
            for _ in range(server["deploy"]["replicas"])
        ]
        # By turns, so that each page comes from another server than the one before.
        turns = {"hash $remote_addr consistent;": ""}
        address = stack.enter_context(nginx_before(tmp_path / "turns", *servers, changes=turns))
        pages = [httpx.get(f"{address}/games/games/neonoir", timeout=60) for _ in range(4)]
        assert {got.status_code for got in pages} == {200}
        assert len({got.text for got in pages}) == 1
        assert len({got.headers["etag"] for got in pages}) == 1  # what one server sent, the other knows
        known = {"if-none-match": pages[0].headers["etag"]}
        again = [
            httpx.get(f"{address}/games/games/neonoir", headers=known, timeout=60).status_code
            for _ in range(4)
        ]
        assert again == [304] * 4
        counted = [httpx.get(f"{one}/metrics", timeout=60).text for one in servers]
        for metrics in counted:  # each server tells its own figures, of both of its processes
            assert "steamdino_workers 2.0" in metrics
            assert 'route="/games/{game_id:path}",status="200"} 2.0' in metrics
        # As it is offered, a client stays with one server.
        address = stack.enter_context(nginx_before(tmp_path / "hash", *servers))
        limits = [httpx.get(f"{address}/games/healthz", timeout=60).headers["ratelimit"] for _ in range(5)]
        lefts = [int(re.findall(r"r=(\d+)", one)[0]) for one in limits]
        # Its limit holds for both of its processes together: each new connection is accepted by either.
        client = {"x-forwarded-for": "203.0.113.77"}
        since = time.monotonic()
        statuses = [
            httpx.get(f"{servers[0]}/healthz", headers=client, timeout=60).status_code for _ in range(60)
        ]
        refilled = (time.monotonic() - since) * 30 / 60
    assert lefts[-1] < lefts[0]
    # Two processes that count apart would allow up to 60.
    assert 30 <= statuses.count(200) <= 31 + refilled
    assert statuses.count(200) + statuses.count(429) == 60


@pytest.mark.slow
def test_the_health_check_of_compose_tells_whether_a_server_is_ready(
    built: Path, tmp_path: Path, compose: dict[str, Any]
) -> None:
    kind, python, *arguments = compose["services"]["server"]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")
    with started(compose["services"]["server"]["command"], tmp_path, gallery=str(built)) as address:
        checked = [one.replace("http://127.0.0.1:8000", address) for one in arguments]
        assert checked != arguments
        done = subprocess.run([sys.executable, *checked], capture_output=True, check=False, timeout=60)
    gone = subprocess.run([sys.executable, *checked], capture_output=True, check=False, timeout=60)
    assert (done.returncode, gone.returncode) == (0, 1)


def test_the_image_starts_the_program_with_arguments_that_it_knows(
    compose: dict[str, Any], run: Any, tmp_path: Path
) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["steam-dino"]' in text
    (default,) = re.findall(r"(?m)^CMD (\[.+\])$", text)
    # The image checks itself as compose does, which another test tries.
    (health,) = re.findall(r"(?m)^HEALTHCHECK .*CMD (\[.+\])$", text)
    assert ["CMD", *yaml.safe_load(health)] == compose["services"]["server"]["healthcheck"]["test"]
    assert re.findall(r"(?m)^USER (\S+)$", text) == ["1000"]
    root = DEPLOY.parent
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", text)
    assert all((root / name).exists() for line in copied for name in line.split())
    # Without a gallery, each ends with a message about that, and not about its options.
    for arguments in (yaml.safe_load(default), compose["services"]["server"]["command"]):
        done = run(*[one.replace("/data", str(tmp_path)) for one in arguments], cwd=tmp_path)
        assert (done.returncode, "there is no gallery in" in done.stderr) == (1, True), done.stderr
