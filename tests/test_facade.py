from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import steamdino

HEAVY = (
    "torch",
    "transformers",
    "onnx",
    "onnxruntime",
    "openvino",
    "faiss",
    "pyarrow",
    "rich",
    "jinja2",
    "PIL",
)


def test_all_names_everything_public() -> None:
    public = {name for name in steamdino.__all__ if not name.startswith("_")}
    assert public == set(steamdino._HOMES)
    for name in steamdino.__all__:
        assert getattr(steamdino, name) is not None
    assert dir(steamdino) == sorted(steamdino.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(steamdino, "nonsense")


def test_importing_loads_nothing_heavy() -> None:
    assert _loaded_by("import steamdino") == set()


def test_a_search_by_id_loads_no_model_and_no_decoder(built: Path) -> None:
    arguments = ["similar", steamdino.Snapshot.open(built).ids[0], "-g", str(built), "--format", "json"]
    assert _loaded_by(run_with(arguments)) == set()


def test_a_command_imports_no_other() -> None:
    script = run_with(["similar", "--help"])
    report = "import sys; print([m for m in ('train', 'add') if f'steamdino.present.cli.{m}' in sys.modules])"
    command = [sys.executable, "-c", f"{script}\n{report}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def run_with(arguments: list[str]) -> str:
    """Return the code that runs the command line with these arguments."""
    return f"from steamdino.present.cli.main import app_of\napp_of({arguments})({arguments}, standalone_mode=False)"


def _loaded_by(script: str) -> set[str]:
    report = f"{script}\nimport sys; print(); print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
