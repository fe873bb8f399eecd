"""Archives and tables in object storage are read as if they were files."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.fakes.buckets import SECRET, banner, put
from tests.fakes.object_storage import ObjectStorage

from steamdino import Snapshot, add, build
from steamdino.errors import NetworkError, SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.pipeline.doctor import examine

ROWS = [
    {"id": "portal", "name": "Portal", "path": "covers/portal.png"},
    {"id": "doom", "name": "Doom", "path": "covers\\doom.png"},
    {"id": "quake", "name": "Quake", "path": ""},
]


def packed(suffix: str, pictures: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in pictures.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=file, mode="w:gz" if suffix == ".tar.gz" else "w") as tar:
            for name, data in pictures.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def written(suffix: str, rows: list[dict[str, str]]) -> bytes:
    if suffix == ".jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    if suffix == ".parquet":
        file = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows), file)
        return file.getvalue()
    between = "," if suffix == ".csv" else "\t"
    return "\n".join(
        between.join(row) for row in [list(rows[0]), *(list(row.values()) for row in rows)]
    ).encode()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip"])
def test_an_archive_is_copied_into_the_gallery_and_seen_to_change(
    storage: ObjectStorage, address: str, tmp_path: Path, temporary: Path, suffix: str
) -> None:
    pictures = {f"{n}.png": banner(n) for n in range(5)}
    place = f"{address}/deep/covers{suffix}"
    put(storage, address, f"deep/covers{suffix}", packed(suffix, pictures))
    summary = add(tmp_path / "g", place)
    assert (summary.new, summary.problems, summary.source) == (5, (), f"covers{suffix}")
    assert add(tmp_path / "g", place).unchanged == 5
    put(storage, address, f"deep/covers{suffix}", packed(suffix, pictures | {"1.png": banner(9)}))
    summary = add(tmp_path / "g", place)
    assert (summary.changed, summary.unchanged) == (1, 4)
    storage.delete(address.removeprefix("s3://"), f"deep/covers{suffix}")
    assert build(tmp_path / "g").games == 5
    assert examine(tmp_path / "g", deep=True) == []
    assert list(temporary.iterdir()) == []
    with Gallery.open(tmp_path / "g") as opened:
        (source,) = opened.report().sources
        assert (source.kind, source.location) == ("archive", place)
        origins = {one.origin.address for one in opened.banners.known() if one.origin}
    assert origins == {f"{place}/{n}.png" for n in range(5)}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("folder", ["", "lists/2026/"])
def test_the_paths_of_a_table_are_relative_to_its_prefix(
    storage: ObjectStorage, address: str, tmp_path: Path, temporary: Path, suffix: str, folder: str
) -> None:
    put(storage, address, f"{folder}games{suffix}", written(suffix, ROWS))
    put(storage, address, f"{folder}covers/portal.png", banner(1))
    put(storage, address, f"{folder}covers/doom.png", banner(2))
    summary = add(tmp_path / "g", f"{address}/{folder}games{suffix}")
    assert (summary.new, summary.without_banner, summary.problems) == (3, 1, ())
    put(storage, address, f"{folder}covers/doom.png", banner(3))
    summary = add(tmp_path / "g", f"{address}/{folder}games{suffix}")
    assert (summary.changed, summary.unchanged) == (1, 2)
    assert build(tmp_path / "g").games == 2
    location = Snapshot.open(tmp_path / "g").game("portal").location
    assert location is not None
    assert location.address == f"{address}/{folder}covers/portal.png"
    assert list(temporary.iterdir()) == []


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/portal.png", "its path is one of a machine, and the table is in object storage; write it"),
        ("C:\\covers\\portal.png", "its path is one of a machine"),
        ("\\\\server\\portal.png", "its path is one of a machine"),
        ("../portal.png", "its path leads outside the table's folder; allow that with --allow-outside"),
        ("a/../../portal.png", "its path leads outside the table's folder"),
        ("../liststoo/portal.png", "its path leads outside the table's folder"),
        ("../../portal.png", "its path leads outside s3://"),
        ("..", "its path leads outside s3://"),
        ("por\0tal.png", "its path contains a NUL byte"),
        ("nothing.png", "the object does not exist"),
    ],
)
def test_a_path_that_a_stored_table_must_not_name_is_a_problem_of_its_row(
    storage: ObjectStorage, address: str, tmp_path: Path, path: str, reason: str
) -> None:
    rows = [
        {"id": "1", "path": path},
        {"id": "2", "path": "fine.png"},
        {"id": "3", "path": f"{address}/far.png"},
    ]
    put(storage, address, "lists/games.jsonl", written(".jsonl", rows))
    put(storage, address, "lists/fine.png", banner(1))
    put(storage, address, "far.png", banner(2))
    summary = add(tmp_path / "g", f"{address}/lists/games.jsonl", outside="s3://" in reason)
    assert [(one.where, one.id) for one in summary.problems] == [("line 1", "1")]
    assert summary.problems[0].reason.startswith(reason)
    assert summary.new - summary.without_banner == 2


def test_a_path_outside_a_stored_table_s_prefix_is_followed_if_allowed(
    storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    put(storage, address, "lists/games.csv", b"id,path\n1,../far.png\n")
    put(storage, address, "far.png", banner(2))
    assert add(tmp_path / "g", f"{address}/lists/games.csv", outside=True).problems == ()


def test_what_is_wrong_with_a_stored_source_is_told_by_its_address(
    storage: ObjectStorage, address: str, tmp_path: Path, temporary: Path
) -> None:
    put(storage, address, "names.csv", b"title\nPortal\n")
    put(storage, address, "broken.parquet", b"-")
    put(storage, address, "broken.zip", b"-")
    put(storage, address, "broken.tgz", b"-")
    attempts: list[tuple[str, type[Exception], str]] = [
        ("names.csv", SourceError, "/names.csv has no column 'id'; its columns are title"),
        ("broken.parquet", SourceError, "/broken.parquet is not a readable Parquet file"),
        ("broken.zip", SourceError, "/broken.zip is not a readable zip archive"),
        ("broken.tgz", SourceError, "/broken.tgz is not a readable tar archive"),
        ("missing.zip", NetworkError, "/missing.zip cannot be read: the object does not exist"),
        ("names.csv/", UsageError, "there is nothing below .*/names.csv; name a bucket or a prefix"),
    ]
    for name, error, told in attempts:
        with pytest.raises(error, match=f"({address}{told}|{told})") as caught:
            add(tmp_path / "g", f"{address}/{name}")
        assert str(temporary) not in str(caught.value)
        assert SECRET not in str(caught.value)
    assert not (tmp_path / "g").exists()
    assert list(temporary.iterdir()) == []


def test_an_archive_for_which_there_is_no_room_is_told_in_one_line(
    storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    pytest.importorskip("resource", reason="needs a limit on the size of files")
    put(storage, address, "covers.tar", packed(".tar", {f"{n}.png": banner(n) for n in range(30)}))
    script = tmp_path / "limited.py"
    script.write_text(
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "from steamdino.catalogue.source_file import downloaded\n"
        "from steamdino.errors import SourceError\n"
        "try:\n"
        "    with downloaded(sys.argv[1]): pass\n"
        "except SourceError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, script, f"{address}/covers.tar"], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{address}/covers.tar is read from a copy in ")
    assert done.stdout.endswith("which cannot be written: File too large; name another folder with TMPDIR\n")


def test_the_command_line_adds_what_is_stored(
    storage: ObjectStorage, address: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    put(storage, address, "covers.zip", packed(".zip", {"a.png": banner(1), "b.png": banner(2)}))
    added = run("add", f"{address}/covers.zip", "-g", tmp_path / "g")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout.startswith("covers.zip: 2 new")
    refused = run("add", f"{address}/nothing.zip", "-g", tmp_path / "g")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert "nothing.zip cannot be read: the object does not exist" in refused.stderr
