"""A command in a fork is, to all who look, the command in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tests import forks
from tests.fakes.nginx import free_port


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def _anew(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*forks.PROGRAM, *map(str, arguments)]
    options = {"env": dict(os.environ), **options}  # without what C libraries have set
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_it_ends_and_says_what_a_new_interpreter_does(built: Path) -> None:
    wide = {**os.environ, "COLUMNS": "150", "STEAMDINO_GALLERY": str(built)}
    for arguments, options in (
        (["--version"], {}),
        ([], {}),
        (["nonsense"], {}),
        (["similar", "nobody"], {"cwd": built.parent}),
        (["similar", "neonoir"], {"env": wide}),
    ):
        forked, anew = forks.run(*arguments, **options), _anew(*arguments, **options)  # type: ignore[arg-type]
        assert (forked.returncode, forked.stdout, forked.stderr) == (
            anew.returncode,
            anew.stdout,
            anew.stderr,
        )


@pytest.mark.slow
def test_it_writes_files_as_the_umask_and_the_folder_say(built: Path, tmp_path: Path, umask: None) -> None:
    for name, run in (("forked", forks.run), ("anew", _anew)):
        done = run("export", "csv", "neonoir", "-g", built, "-o", f"{name}.csv", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    forked, anew = tmp_path / "forked.csv", tmp_path / "anew.csv"
    assert forked.stat().st_mode == anew.stat().st_mode
    assert forked.read_bytes() == anew.read_bytes()


def _start_anew(*arguments: object) -> subprocess.Popen[str]:
    command = [*forks.PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.TransportError:
        time.sleep(0.05)
        return False


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_by_a_signal(built: Path, number: signal.Signals) -> None:
    outcomes = set()
    for start in (forks.start, _start_anew):
        port = free_port()
        with start("serve", "-g", built, "--port", port) as process:
            # Before it serves, the moment of the signal decides how it ends.
            while not _answers(port):
                assert process.poll() is None
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.01)
            process.send_signal(number)
            assert process.wait(60) == process.poll()
            outcomes.add(process.returncode)
    assert len(outcomes) == 1


def test_nothing_is_lost_by_a_timeout(built: Path) -> None:
    command = ["similar", "neonoir", "-g", built]
    with forks.start(*command) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.001)
        output, messages = process.communicate(timeout=60)
    anew = _anew(*command)
    assert (output, messages) == (anew.stdout, anew.stderr)
    assert process.returncode == 0
