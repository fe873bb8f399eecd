"""The version, the repository's address and what is tested where are said once; every other mention agrees."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

import steamdino

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/tests.yaml").read_text("utf-8"))


def test_the_changelog_dates_this_version() -> None:
    dated = re.findall(r"(?m)^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert dated[0] == steamdino.__version__


def test_no_file_names_another_version_or_repository() -> None:
    addresses = runpy.run_path(str(ROOT / "docs/addresses.py"))
    assert addresses["stale"]() == {}, "run: python docs/addresses.py"
    assert all(url.startswith(PROJECT["urls"]["Repository"]) for url in PROJECT["urls"].values())


def test_a_fork_gives_the_notebook_its_own_address(tmp_path: Path) -> None:
    copied = (
        "pyproject.toml",
        "CHANGELOG.md",
        "CITATION.cff",
        "docs/addresses.py",
        "docs/how-to/install.md",
        "notebooks/match_steam_banners.ipynb",
    )
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    fork = "https://github.com/somebody/of-mine"
    command = [sys.executable, tmp_path / "docs/addresses.py", fork]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, check=True, capture_output=True, env=environ, timeout=60)
    old = PROJECT["urls"]["Repository"]
    for name in ("pyproject.toml", "CITATION.cff", "notebooks/match_steam_banners.ipynb"):
        text = (tmp_path / name).read_text("utf-8")
        assert fork in text and old not in text, name
    notebook = (tmp_path / "notebooks/match_steam_banners.ipynb").read_text("utf-8")
    assert "colab.research.google.com/github/somebody/of-mine/blob/main/notebooks/match" in notebook


def test_the_workflow_tests_every_version_of_python_that_is_claimed() -> None:
    tested = WORKFLOW["jobs"]["quick"]["strategy"]["matrix"]["python"]
    claimed = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert set(claimed) <= set(tested)
    assert f">={tested[0]}" == PROJECT["requires-python"]


def test_what_the_workflow_runs_is_there() -> None:
    commands = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
    assert ".ci/run" in commands
    assert os.access(ROOT / ".ci/run", os.X_OK)
    for command in commands:
        for target in re.findall(r"^make (?:\S+=\S+ )?([a-z]+)$", command):
            subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True, timeout=60)
