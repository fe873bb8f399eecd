"""Clients that others' generators make of the OpenAPI document, used for every operation against a real server."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.fakes.clip import gallery_of_words
from tests.present.web.conftest import Running

from steamdino import Snapshot

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "clients"
INSTALLED = Path(sys.prefix) / "clients"
"""What `make .venv/clients` installs: openapi-python-client, and the packages of `typescript/package.json`."""
PYTHON = INSTALLED / ("Scripts" if os.name == "nt" else "bin")
MODULES = INSTALLED / "node_modules"
HOW = "run: make .venv/clients"


def _run(*command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **more},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def draft(built: Path) -> bytes:
    """A part of a game's banner."""
    picture = Snapshot.open(built).game("neonoir").picture
    assert picture is not None
    file = io.BytesIO()
    with Image.open(picture) as image:
        image.crop((20, 30, 280, 420)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def running(built: Path, draft: bytes) -> Iterator[Running]:
    """A server that can fetch one picture."""
    started = Running(built, fetch=lambda _: draft)
    yield started
    started.close()


@pytest.fixture
def arguments(
    running: Running,
    built: Path,
    draft: bytes,
    tmp_path: Path,
    paint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[..., Any],
) -> list[str]:
    """What the clients are given: two servers, of which one knows words if PyTorch is here, and pictures."""
    words = running.address
    if importlib.util.find_spec("torch"):
        words = serve(gallery_of_words(tmp_path / "words", paint, monkeypatch)).address
    picture = tmp_path / "draft.png"
    picture.write_bytes(draft)
    return [running.address, words, str(picture), Snapshot.open(built).game("neonoir").sha256]


def _operations(running: Running) -> set[str]:
    paths = running.client.get("/openapi.json").json()["paths"]
    found = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(found) == len(set(found)) >= 34
    return set(found)


def _document(running: Running, folder: Path) -> Path:
    path = folder / "openapi.json"
    path.write_bytes(running.client.get("/openapi.json").content)
    return path


def test_a_python_client_is_generated_without_a_warning_and_knows_every_operation(
    running: Running, arguments: list[str], tmp_path: Path
) -> None:
    generator = PYTHON / "openapi-python-client"
    if not shutil.which(generator):
        pytest.skip(f"openapi-python-client is not installed; {HOW}")
    document = _document(running, tmp_path)
    made = _run(
        generator,
        "generate",
        *("--path", document, "--output-path", tmp_path / "client", "--meta", "none", "--fail-on-warning"),
        cwd=tmp_path,
        PATH=f"{PYTHON}{os.pathsep}{os.environ['PATH']}",  # it formats its output with ruff
    )
    assert (made.returncode, "arning" in made.stdout + made.stderr) == (0, False), made.stdout + made.stderr
    script = HERE / "python" / "use_client.py"
    used = _run(PYTHON / "python", "-W", "error", script, *arguments, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert used.returncode == 0, used.stderr
    assert set(json.loads(used.stdout)) == _operations(running)


def test_a_typescript_client_is_generated_type_checked_and_knows_every_operation(
    running: Running, arguments: list[str], tmp_path: Path
) -> None:
    if not shutil.which("node"):
        pytest.skip("node is not installed; install Node.js with npm")
    if not MODULES.is_dir():
        pytest.skip(f"openapi-typescript is not installed; {HOW}")
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    for name in ("package.json", "tsconfig.json", "use-client.ts"):
        shutil.copy(HERE / "typescript" / name, tmp_path)
    document = _document(running, tmp_path)

    def node(script: str, *parts: str | Path) -> subprocess.CompletedProcess[str]:
        return _run("node", script, *parts, cwd=tmp_path)

    made = node("node_modules/openapi-typescript/bin/cli.js", document, "-o", "api.d.ts")
    assert (made.returncode, made.stderr.strip()) == (0, ""), made.stdout + made.stderr
    assert "warn" not in made.stdout.lower()
    checked = node("node_modules/typescript/bin/tsc")
    assert checked.returncode == 0, checked.stdout
    used = node("use-client.js", *arguments)
    assert used.returncode == 0, used.stderr
    assert set(json.loads(used.stdout)) == _operations(running)
    # The types are those of the answers: a key that is not there does not compile.
    script = tmp_path / "use-client.ts"
    script.write_text(script.read_text("utf-8").replace("why.similarity", "why.likeness"), "utf-8")
    wrong = node("node_modules/typescript/bin/tsc", "--noEmit")
    assert wrong.returncode != 0 and "'likeness' does not exist" in wrong.stdout
