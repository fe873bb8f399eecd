"""`steam-dino publish`, and searches of what it published, as whole processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.object_storage import Faults, ObjectStorage, faulty

from steamdino.index.published_gallery import CONTENTS
from steamdino.storage import object_files

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytest.importorskip("obstore", reason="needs the extra objects")


@pytest.mark.slow
def test_a_published_gallery_is_searched_like_the_gallery(run: Run, built: Path, bucket: str) -> None:
    done = run("publish", f"{bucket}/store/", "-g", built)
    assert re.fullmatch(
        rf"Published 1 snapshot of 476 games at {bucket}/store, \d+\.\d MB uploaded\.\n", done.stdout
    ), done.stderr
    for arguments in (
        ("similar", "neonoir", "-k", 3),
        ("similar", "Neonoir", "-k", 3, "--exact"),
        ("explain", "neonoir", "hollow-avenue"),
        ("unique", "-k", 3),
        ("export", "json", "neonoir", "-o", "-"),
        ("export", "csv", "neonoir", "-o", "-"),
    ):
        here, there = (run(*arguments, "-g", place) for place in (built, f"{bucket}/store"))
        assert (there.returncode, there.stdout) == (here.returncode, here.stdout), there.stderr
        assert here.returncode == 0
    for arguments, made in (
        (("map",), "map.png"),
        (("export", "site"), "site"),
        (("export", "npy"), "npy"),
        (("export", "html", "neonoir"), "alike.html"),
        (("export", "sheet", "neonoir"), "sheet.png"),
        (("pack",), "pack.steamdino"),
    ):
        done = run(*arguments, "-g", f"{bucket}/store", "-o", made)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_needs_the_gallery_itself_says_so(run: Run, built: Path, bucket: str) -> None:
    run("publish", f"{bucket}/store", "-g", built)
    before = dict(object_files.sizes(f"{bucket}/store"))
    for arguments in (
        ("add", built),
        ("build",),
        ("check",),
        ("changes",),
        ("doctor",),
        ("duplicates",),
        ("evaluate",),
        ("info",),
        ("prune",),
        ("remove", "neonoir"),
        ("sync", "730"),
        ("train",),
        ("publish", f"{bucket}/other"),
    ):
        done = run(*arguments, "-g", f"{bucket}/store")
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr == (
            f"steam-dino: {bucket}/store is a published gallery, which can be searched and served only; for this,"
            " name the folder of a gallery with -g\n"
        )
    assert dict(object_files.sizes(f"{bucket}/store")) == before


@pytest.mark.slow
def test_what_is_wrong_is_told_in_one_line_without_secrets(
    run: Run, built: Path, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    object_files.write(f"{bucket}/damaged/{CONTENTS}", b"{}")
    for arguments, code, told in (
        (("publish", "store", "-g", built), 2, "'store' is not an address of object storage"),
        (("publish", "https://example.com/x", "-g", built), 2, "is not an address of object storage"),
        (("publish", bucket, "-g", built, "--grace", "-1"), 2, "-1"),
        (("publish", bucket, "-g", tmp_path / "none"), 1, "there is no gallery"),
        (("publish", "s3://nobodys-bucket", "-g", built), 1, "cannot be listed: it does not exist"),
        (("similar", "neonoir", "-g", f"{bucket}/empty"), 1, "nothing is published at"),
        (("serve", "-g", f"{bucket}/empty", "--port", 0), 1, "nothing is published at"),
        (("similar", "neonoir", "-g", f"{bucket}/damaged"), 1, f"{CONTENTS} is damaged"),
    ):
        done = run(*arguments)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
        assert done.stderr.count("\n") == 1
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = run("similar", "neonoir", "-g", f"{bucket}/store")
    assert done.returncode == 1
    assert "the object store does not answer; check the endpoint in the environment" in done.stderr
    assert "a-secret-key" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_a_publication_that_is_ended_early_shows_what_was_there_and_is_continued(
    ended_by: signal.Signals, run: Run, built: Path, bucket: str, object_storage: ObjectStorage
) -> None:
    with faulty(object_storage, Faults(delay=0.02)) as slow:
        environment = {**object_storage.environment(slow), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-m", "steamdino", "publish", bucket, "-g", str(built)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as child:
            deadline = time.monotonic() + 60
            while len(dict(object_files.sizes(bucket))) < 50:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            child.send_signal(ended_by)
            _, told = child.communicate(timeout=60)
    uploaded = dict(object_files.sizes(bucket))
    assert CONTENTS not in uploaded
    if ended_by == signal.SIGINT:
        assert child.returncode == 130
        assert told.startswith("Stopped. What is shown is what was shown before; what was uploaded is kept.")
    assert run("similar", "neonoir", "-g", bucket).returncode == 1

    done = run("publish", bucket, "-g", built)
    assert done.returncode == 0, done.stderr
    whole = dict(object_files.sizes(bucket))
    sent = float(re.search(r"([\d.]+) MB uploaded", done.stdout)[1])  # type: ignore[index]
    assert sent * 1e6 < sum(whole.values()) - sum(uploaded.values()) + 100_000
    assert run("similar", "neonoir", "-g", bucket, "-k", 1).returncode == 0


def test_the_setting_can_name_a_published_gallery(
    run: Run, built: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("publish", f"{bucket}/store", "-g", built)
    Path("steamdino.toml").write_text(f"gallery = {json.dumps(f'{bucket}/store')}\n")
    assert "Hollow Avenue" in run("similar", "neonoir", "-k", 1).stdout
    monkeypatch.setenv("STEAMDINO_GALLERY", f"{bucket}/store/")
    assert "Hollow Avenue" in run("similar", "neonoir", "-k", 1).stdout
