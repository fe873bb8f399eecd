"""onnxruntime-web is downloaded once, checked, and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.fakes.static_host import static_host

from steamdino.errors import NetworkError, SteamDinoError, UsageError
from steamdino.present.export.picture_search import runtime_files
from steamdino.present.export.picture_search.runtime_files import FILES, is_kept, runtime_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime_files, "TRIES", 1)
    return tmp_path / "cache"


@pytest.mark.slow
def test_it_is_downloaded_once(archive: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with static_host(archive.parent) as host:
        monkeypatch.setattr(runtime_files, "ADDRESS", host.address + archive.name)
        assert not is_kept()
        folder = runtime_folder()
        assert {path.name for path in folder.iterdir()} == set(FILES)
        assert is_kept()
        assert runtime_folder() == folder
        assert len(host.asked) == 1
    assert runtime_folder() == folder  # without a connection
    (folder / runtime_files.SCRIPT).write_text("altered", "utf-8")
    with pytest.raises(NetworkError):
        runtime_folder()
    assert runtime_folder(archive) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_another_file_than_the_expected_one_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "files" / "other.tgz"
    other.parent.mkdir()
    other.write_bytes(b"other")
    with static_host(other.parent) as host:
        for name, reason in (("other.tgz", "sent another file"), ("none.tgz", "answered 404")):
            monkeypatch.setattr(runtime_files, "ADDRESS", host.address + name)
            with pytest.raises(NetworkError, match=f"{reason}.*npm pack onnxruntime-web@"):
                runtime_folder()
    with pytest.raises(UsageError, match=r"other\.tgz is not the archive of onnxruntime-web"):
        runtime_folder(other)
    with pytest.raises(UsageError, match=r"none\.tgz cannot be read"):
        runtime_folder(tmp_path / "none.tgz")
    assert not is_kept()


def test_without_a_place_to_keep_it_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_files, "cache_folder", lambda: None)
    with pytest.raises(SteamDinoError, match="set STEAMDINO_CACHE"):
        runtime_folder()


Run = Callable[..., "CompletedProcess[str]"]


def test_what_does_not_fit_together_is_refused_before_anything_is_downloaded(
    run: Run, built: Path, tmp_path: Path
) -> None:
    site = ("export", "site", "-o", tmp_path / "site", "-g", built)
    for options, reason in (
        (("--picture-search", "--pictures", "steam"), "would tell Steam's servers"),
        (("--onnxruntime-web", tmp_path / "x.tgz"), "is for sites with --picture-search"),
        (("--picture-search", "--onnxruntime-web", tmp_path / "x.tgz"), "cannot be read"),
    ):
        done = run(*site, *options)
        assert (done.returncode, reason in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "site").exists()
