"""Users without a usable home folder, as services and containers have them, as whole processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.homeless import STRANGER, homeless, readable_folder, started, stranger

UNKNOWN = "the home folder of this user is unknown"
HINT = "set STEAMDINO_CACHE to a writable folder"

NOWHERE = {
    "no home": ({}, UNKNOWN),
    "a home that cannot be written": ({"HOME": "/proc"}, "/proc/.cache cannot be written"),
    "a cache that is a file": ({"STEAMDINO_CACHE": "/proc/version"}, "/proc/version/models"),
    "a cache that cannot be written": ({"STEAMDINO_CACHE": "/proc/x"}, "/proc/x cannot be written"),
    "a cache that cannot even be looked for": (
        {"STEAMDINO_CACHE": f"/{'x' * 300}"},
        "cannot be written: File name too long",
    ),
    "a cache of nobody": ({"STEAMDINO_CACHE": "~nobody-here/x"}, "STEAMDINO_CACHE is '~nobody-here/x'"),
}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("name", NOWHERE)
def test_the_bundled_model_needs_no_folder_of_the_users(built: Path, tmp_path: Path, name: str) -> None:
    environ, reason = NOWHERE[name]
    picture = sorted((built.parent / "store/banners").rglob("*.jpg"))[0]
    asked = homeless(
        "similar", picture, "-g", built, "-k", 1, "--format", "ids", environ=environ, cwd=tmp_path
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.strip()
    for command in (
        ("models", "pull", "dinov2-small"),
        ("models", "pull", "dinov2-small", "--weights", picture),
    ):
        refused = homeless(*command, environ=environ, cwd=tmp_path)
        assert (refused.returncode, refused.stdout) == (1, "")
        (line,) = refused.stderr.splitlines()
        assert reason in line
        assert line.endswith(HINT)
    assert list(tmp_path.iterdir()) == []  # no folder called "~" either


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no home", "a cache that cannot be written"])
def test_a_training_says_before_the_work_that_its_model_cannot_be_kept(
    built: Path, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("torch")
    environ, reason = NOWHERE[name]
    refused = homeless("train", "-g", built, "--out", "run", environ=environ, cwd=tmp_path)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert reason in line
    assert line.endswith(HINT)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_another_user_of_the_machine_searches_builds_and_lists(built: Path) -> None:
    prefix = stranger()
    with readable_folder() as folder:
        gallery, own = folder / "gallery", folder / "own"
        shutil.copytree(built, gallery)
        own.mkdir()
        picture = own / "a.jpg"
        shutil.copyfile(sorted((built.parent / "store/banners").rglob("*.jpg"))[0], picture)
        if prefix:
            os.chown(own, STRANGER, STRANGER)

        def run(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
            command = [*prefix, sys.executable, "-m", "steamdino", *map(str, arguments)]
            return started(command, environ, own)

        closed = folder / "closed"  # somebody else's home, as after `sudo -u`
        (closed / ".cache").mkdir(parents=True)
        closed.chmod(0o700 if prefix else 0)
        for environ in ({}, {"HOME": "/"}, {"HOME": str(closed)}):
            asked = run("similar", picture, "-g", gallery, "-k", 1, "--format", "ids", **environ)
            assert (asked.returncode, asked.stderr) == (0, "")
        closed.chmod(0o700)
        for command in (("add", own, "-g", own / "g"), ("build", "-g", own / "g"), ("models", "list")):
            done = run(*command)
            assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_server_answers_a_picture_without_a_home(built: Path, tmp_path: Path) -> None:
    code = (
        "import pwd, sys\n"
        "from tests.fakes.homeless import unknown\n"
        "pwd.getpwuid = unknown\n"
        "from pathlib import Path\n"
        "from fastapi.testclient import TestClient\n"
        "from steamdino.present.web.app import create_app\n"
        "from steamdino.settings import Settings, WebSettings\n"
        "with TestClient(create_app(Settings(gallery=Path(sys.argv[1])), WebSettings())) as web:\n"
        "    sent = {'picture': Path(sys.argv[2]).read_bytes()}\n"
        "    print(web.post('/api/v1/similar?k=1', files=sent).status_code)\n"
    )
    picture = sorted((built.parent / "store/banners").rglob("*.jpg"))[0]
    done = started([sys.executable, "-c", code, str(built), str(picture)], {}, tmp_path)
    assert done.stdout == "200\n", done.stderr
