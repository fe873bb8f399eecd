"""The program says how it was installed, and a message about a missing library names a command that works there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import steamdino

ROOT = Path(__file__).parents[1]
PACKAGE = Path(steamdino.__file__).parent

# The extra "web" needs a library that no machine has, so that it is missing everywhere.
METADATA = """Metadata-Version: 2.4
Name: steam-dino
Version: 0.1.0
Provides-Extra: hub
Requires-Dist: numpy>=1.26; extra == 'hub'
Provides-Extra: web
Requires-Dist: numpy>=1.26; extra == 'web'
Requires-Dist: surely-not-installed[standard]>=0.34; (python_version > '3') and extra == 'web'
Requires-Dist: openvino>=2025.0
"""

Install = Callable[..., list[str]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment without pip of its own, which finds the libraries of the one that runs the tests."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    venv.create(folder, symlinks=os.name != "nt")
    return folder


@pytest.fixture
def install(environment: Path) -> Install:
    """Leaves in the environment what an installer leaves there, and returns the lines of `steam-dino --version`."""

    def install(
        url: dict[str, Any] | None,
        installer: str = "pip",
        marks: tuple[str, ...] = (),
        cwd: Path | None = None,
    ) -> list[str]:
        site = Path(
            sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)})
        )
        info = site / "steam_dino-0.1.0.dist-info"
        shutil.rmtree(info, ignore_errors=True)
        info.mkdir()
        (info / "METADATA").write_text(METADATA)
        (info / "INSTALLER").write_text(f"{installer}\n")
        if url is not None:
            (info / "direct_url.json").write_text(json.dumps(url))
        package = site / "steamdino"
        package.unlink(missing_ok=True)
        libraries = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        if url and url.get("dir_info", {}).get("editable"):
            libraries.append(str(PACKAGE.parent))
        else:
            package.symlink_to(PACKAGE)
        (site / "libraries.pth").write_text("\n".join(dict.fromkeys(libraries)))
        for mark in ("pipx_metadata.json", "uv-receipt.toml"):
            (environment / mark).unlink(missing_ok=True)
        for mark in marks:
            (environment / mark).touch()
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        done = subprocess.run(
            [python, "-m", "steamdino", "--version"],
            cwd=cwd or environment,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return install


def _pip(environment: Path) -> str:
    return f"{environment / 'bin' / 'python'} -m pip"


posix = pytest.mark.skipif(os.name == "nt", reason="the commands are quoted for another shell")


@posix
def test_each_way_of_installing_is_told_with_a_command_for_it(
    install: Install, environment: Path, tmp_path: Path
) -> None:
    wheel = tmp_path / "steam_dino-0.1.0-py3-none-any.whl"
    sdist = tmp_path / "steam dino" / "steam_dino-0.1.0.tar.gz"
    sdist.parent.mkdir()
    wheel.touch()
    sdist.touch()
    served = "https://example.org/steam_dino-0.1.0-py3-none-any.whl"
    repository = {"url": "https://example.org/fork.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    of_fork = "git+https://example.org/fork.git@abc123"
    for url, kind, requirement in (
        ({"url": ROOT.as_uri(), "dir_info": {"editable": True}}, f"editable clone {ROOT}", f"{ROOT}[web]"),
        ({"url": ROOT.as_uri(), "dir_info": {}}, f"folder {ROOT}", f"{ROOT}[web]"),
        ({"url": wheel.as_uri(), "archive_info": {}}, f"wheel {wheel}", f"{wheel}[web]"),
        ({"url": sdist.as_uri(), "archive_info": {}}, f"sdist {sdist}", f"{sdist}[web]"),
        ({"url": served, "archive_info": {}}, f"wheel {served}", f"steam-dino[web] @ {served}"),
        (repository, f"repository {of_fork}", f"steam-dino[web] @ {of_fork}"),
    ):
        printed = install(url)
        assert printed[1] == f"Installed from: {kind}, by pip"
        assert printed[3] == "Extras: hub"
        editable = "--editable " if "editable" in kind else ""
        told = f"run: {_pip(environment)} install {editable}'{requirement}'"
        assert printed[4] == f"Missing extras: web; to install one, {told}"


@posix
def test_what_cannot_be_installed_again_names_the_libraries(
    install: Install, environment: Path, tmp_path: Path
) -> None:
    libraries = "'numpy>=1.26' 'surely-not-installed[standard]>=0.34'"
    gone = {"url": (tmp_path / "steam_dino-0.1.0-py3-none-any.whl").as_uri(), "archive_info": {}}
    for url, told in ((None, "package index, by pip"), (gone, f"wheel {tmp_path}/steam_dino-0.1.0-py3-")):
        printed = install(url)
        assert printed[1].startswith(f"Installed from: {told}")
        assert printed[4].endswith(f"run: {_pip(environment)} install {libraries}")


@posix
def test_in_a_clone_its_folder_is_a_dot(install: Install, environment: Path) -> None:
    printed = install({"url": ROOT.as_uri(), "dir_info": {"editable": True}}, cwd=ROOT)
    assert printed[4].endswith(f"run: {_pip(environment)} install --editable '.[web]'")


@posix
def test_tools_that_manage_an_environment_of_their_own_are_named(
    install: Install, environment: Path, tmp_path: Path
) -> None:
    url = {"url": ROOT.as_uri(), "dir_info": {}}
    printed = install(url, marks=("pipx_metadata.json",))
    assert printed[4].endswith(f"run: pipx install --force '{ROOT}[web]'")
    printed = install(url, "uv", marks=("uv-receipt.toml",))
    assert printed[1].endswith(", by uv")
    assert printed[4].endswith(f"run: uv tool install '{ROOT}[web]'")
    printed = install(None, marks=("pipx_metadata.json",))
    assert "run: pipx inject steam-dino 'numpy>=1.26' " in printed[4]


def test_a_package_on_the_path_is_not_taken_for_the_installed_one(install: Install, tmp_path: Path) -> None:
    other = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    assert install(other)[1] == f"Installed from: source folder {ROOT}, not installed"


def test_only_one_place_names_the_command_for_an_extra() -> None:
    named = re.compile(r"install[^\n]*steam-dino\[(?!\{)")
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *PACKAGE.rglob("*.py"), *ROOT.glob("deploy/*")]
    assert len(pages) > 100
    found = {page.name for page in pages if named.search(page.read_text("utf-8"))}
    assert found == {"install.md"}


def test_the_page_about_installing_has_every_extra() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    page = (ROOT / "docs/how-to/install.md").read_text("utf-8")
    assert re.findall(r"(?m)^\| `(\w+)` \|", page) == sorted(project["optional-dependencies"])
