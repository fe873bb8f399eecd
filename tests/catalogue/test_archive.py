from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue import archive
from steamdino.catalogue.archive import LARGEST_MEMBER, read
from steamdino.catalogue.ids import refusal
from steamdino.errors import SourceError
from steamdino.records import Entry, Problem

Member = tuple[str, bytes]


def _tar(path: Path, members: list[Member], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def _tar_gz(path: Path, members: list[Member]) -> Path:
    return _tar(path, members, "w:gz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def _zip(path: Path, members: list[Member]) -> Path:
    import warnings

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name are what some tests are about
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path


KINDS: dict[str, Callable[[Path, list[Member]], Path]] = {
    "a.tar": _tar,
    "a.tar.gz": _tar_gz,
    "a.tgz": _tar_gz,
    "a.zip": _zip,
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def _found(path: Path, **options: object) -> tuple[list[Entry], dict[str, str]]:
    found = list(read(path, **options))  # type: ignore[arg-type]
    return [f for f in found if isinstance(f, Entry)], {
        f.where: f.reason for f in found if isinstance(f, Problem)
    }


@each_kind
def test_pictures_come_with_their_content_and_ids_from_their_paths(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](
        tmp_path / kind, [("x/a.jpg", b"one"), ("b.PNG", b"two"), ("notes.txt", b""), (".h/c.jpg", b"")]
    )
    entries, problems = _found(path)
    assert [(e.id, e.name, e.data) for e in entries] == [("x/a", "a", b"one"), ("b", "b", b"two")]
    assert problems == {}
    entries, _ = _found(path, by_name=True, prefix="p/")
    assert [e.id for e in entries] == ["p/a", "p/b"]


@each_kind
def test_names_that_leave_the_archive_are_absolute_or_repeated_are_problems(
    kind: str, tmp_path: Path
) -> None:
    names = ["../a.jpg", "x/../../b.jpg", "/etc/c.jpg", "C:/d.jpg", "ok.jpg", "ok.jpg", "ok.png"]
    entries, problems = _found(KINDS[kind](tmp_path / kind, [(name, b"data") for name in names]))
    assert [e.id for e in entries] == ["ok", "ok.png"]
    assert "leaves the archive" in problems["../a.jpg"]
    assert "leaves the archive" in problems["x/../../b.jpg"]
    assert "absolute" in problems["/etc/c.jpg"]
    assert "absolute" in problems["C:/d.jpg"]
    assert "already used by ok.jpg" in problems["ok.jpg"]
    assert "ok.png" not in problems


@each_kind
def test_a_problem_names_the_member_and_the_id_that_its_picture_would_have(kind: str, tmp_path: Path) -> None:
    """The game of that id is then known to have a banner that cannot be used, not to be missing."""
    names = ["ok.jpg", "ok.jpg", "c:/d.jpg", "x" * 501 + ".jpg", "last.jpg"]
    found = list(read(KINDS[kind](tmp_path / kind, [(name, b"data") for name in names])))
    assert [one.id for one in found if isinstance(one, Entry)] == ["ok", "last"]
    assert [one for one in found if isinstance(one, Problem)] == [
        Problem("ok.jpg", "its id 'ok' is already used by ok.jpg", "ok"),
        Problem("c:/d.jpg", "its path is absolute", "c:/d"),
        Problem("x" * 501 + ".jpg", refusal("x" * 501) or "", "x" * 501),
    ]


def test_links_and_devices_are_problems(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (
            ("link.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("fifo.jpg", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    entries, problems = _found(tmp_path / "a.tar")
    assert entries == []
    assert set(problems.values()) == {"it is a link or a device, not a file"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
    assert _found(tmp_path / "a.zip") == ([], {"link.jpg": "it is a link or a device, not a file"})


@each_kind
def test_a_member_that_is_too_large_is_not_read(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](
        tmp_path / kind, [("a.jpg", b"x"), ("bomb.jpg", bytes(LARGEST_MEMBER + 1)), ("z.jpg", b"x")]
    )
    entries, problems = _found(path)
    assert "a" in [e.id for e in entries]
    assert "bomb" not in [e.id for e in entries]
    assert "bomb" in problems["bomb.jpg"] or "at most 67,108,864" in problems["bomb.jpg"]


@each_kind
def test_members_after_an_unusable_one_are_read(kind: str, tmp_path: Path) -> None:
    bad = ["notes.txt", ".hidden.jpg", "x/.git/a.jpg", "../climbs.jpg", "a.jpg", "a.jpg", "back\\slash.jpg"]
    names = [name for number, one in enumerate(bad) for name in (one, f"after {number}.jpg")]
    entries, problems = _found(KINDS[kind](tmp_path / kind, [(name, b"data") for name in names]))
    assert [e.id for e in entries] == [
        *(f"after {n}" for n in range(4)), "a", *(f"after {n}" for n in range(4, 7))
    ]  # fmt: skip
    assert set(problems) == {"../climbs.jpg", "a.jpg", "back\\slash.jpg"}


def test_a_member_that_may_not_be_opened_does_not_end_the_reading(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", [("locked.jpg", b"x"), ("good.jpg", b"x")])
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # encrypted, says the directory
    path.write_bytes(data)
    good, locked = sorted(read(path), key=lambda one: one.where)
    assert isinstance(good, Entry)
    assert isinstance(locked, Problem)
    assert (locked.where, locked.id) == ("locked.jpg", "locked")
    assert "is encrypted" in locked.reason


@pytest.mark.parametrize("mode", [0o100755, 0o100644, 0o755, 0])
def test_a_file_of_a_zip_may_have_any_permissions_or_none(mode: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("a.jpg")
        info.external_attr = mode << 16
        archive.writestr(info, b"x")
    entries, problems = _found(tmp_path / "a.zip")
    assert ([e.data for e in entries], problems) == ([b"x"], {})


def test_folders_and_links_do_not_end_the_reading(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tarred, zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        for name, type_, mode in (
            ("folder.jpg/", tarfile.DIRTYPE, 0o040755),
            ("link.jpg", tarfile.SYMTYPE, 0o120777),
            ("fifo.jpg", tarfile.FIFOTYPE, 0o010644),
            ("good.jpg", tarfile.REGTYPE, 0o100644),
        ):
            tar_info, zip_info = tarfile.TarInfo(name), zipfile.ZipInfo(name)
            tar_info.type, tar_info.linkname = type_, "good.jpg" if type_ == tarfile.SYMTYPE else ""
            zip_info.external_attr = mode << 16
            tarred.addfile(tar_info)
            zipped.writestr(zip_info, b"")
    for kind in ("a.tar", "a.zip"):
        entries, problems = _found(tmp_path / kind)
        assert [e.id for e in entries] == ["good"]
        assert problems == dict.fromkeys(("link.jpg", "fifo.jpg"), "it is a link or a device, not a file")


def test_a_damaged_member_of_a_zip_does_not_end_the_reading(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(500)
    path = _zip(tmp_path / "a.zip", [("a.jpg", b"one"), ("b.jpg", noise), ("c.jpg", b"three")])
    data = bytearray(path.read_bytes())
    data[data.index(noise[100:120]) + 5] ^= 0xFF  # what deflate cannot make smaller it stores as it is
    path.write_bytes(data)
    entries, problems = _found(path)
    assert [e.id for e in entries] == ["a", "c"]
    assert "it cannot be read: " in problems["b.jpg"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_member_of_any_compression_does_not_end_the_reading(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.jpg", random.Random(0).randbytes(500))
        archive.writestr("b.jpg", b"good")
        place = archive.getinfo("b.jpg").header_offset
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[100:place] = b"\xff" * (place - 100)
    (tmp_path / "a.zip").write_bytes(data)
    entries, problems = _found(tmp_path / "a.zip")
    assert [(e.id, e.data) for e in entries] == [("b", b"good")]
    assert list(problems) == ["a.jpg"]
    assert problems["a.jpg"].startswith("it cannot be read: ")


@each_kind
def test_a_member_as_large_as_the_limit_is_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST_MEMBER", 1000)
    path = KINDS[kind](tmp_path / kind, [("a.jpg", bytes(1000)), ("b.jpg", bytes(1001)), ("c.jpg", b"x")])
    entries, problems = _found(path)
    assert (entries[0].id, len(entries[0].data or b"")) == ("a", 1000)
    assert list(problems) == ["b.jpg"]
    # A zip knows where the next member begins; in a tar that was packed, one must read up to it.
    assert [e.id for e in entries][1:] == (["c"] if kind == "a.zip" else [])


def test_an_oversized_picture_takes_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_MEMBER", 1000)
    problem, entry = read(_zip(tmp_path / "a.zip", [("a.jpg", bytes(1001)), ("a.png", b"x")]))
    assert problem == Problem("a.jpg", "it has 1,001 bytes; at most 1,000 are read", "a")
    assert entry.id == "a.png"


@pytest.mark.parametrize(
    ("kind", "unpacked"),
    [("a.zip", 600), ("a.tar.gz", 2048)],  # a tar has a header of 512 bytes and fills its last block
)
def test_what_an_archive_may_unpack_to_is_a_limit_that_it_may_reach(
    kind: str, unpacked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_RATIO", 0)
    path = KINDS[kind](tmp_path / kind, [("a.jpg", bytes(300)), ("b.jpg", bytes(300))])
    monkeypatch.setattr(archive, "HARMLESS", unpacked)
    entries, problems = _found(path)
    assert ([e.id for e in entries], problems) == (["a", "b"], {})
    monkeypatch.setattr(archive, "HARMLESS", unpacked - 1)
    first, bomb = read(path)
    assert first.id == "a"
    assert isinstance(bomb, Problem)
    assert bomb.where == ("the archive" if kind == "a.zip" else "b.jpg")
    assert "looks like a decompression bomb" in bomb.reason
    assert bomb.id is None


@pytest.mark.parametrize("kind", ["a.tar.gz", "a.zip"])
def test_a_small_or_moderately_compressed_archive_is_read_completely(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = [
        (f"{n:03}.jpg", bytes(50_000)) for n in range(20)
    ]  # a thousandth when packed, and a megabyte in all
    entries, problems = _found(KINDS[kind](tmp_path / kind, plain))
    assert (len(entries), problems) == (20, {})
    monkeypatch.setattr(archive, "HARMLESS", 1000)
    noise = random.Random(0)
    mixed = [(f"{n:03}.jpg", noise.randbytes(1000) + bytes(9000)) for n in range(100)]  # a tenth
    entries, problems = _found(KINDS[kind](tmp_path / kind, mixed))
    assert (len(entries), problems) == (100, {})


@pytest.mark.parametrize("kind", ["a.tar.gz", "a.zip"])
def test_a_decompression_bomb_ends_the_reading(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "HARMLESS", 1_000_000)
    members = [(f"{n:03}.jpg", bytes(200_000)) for n in range(100)]
    entries, problems = _found(KINDS[kind](tmp_path / kind, members))
    assert 0 < len(entries) < 100
    assert any("looks like a decompression bomb" in reason for reason in problems.values())


def test_a_zip_that_declares_wrong_sizes_is_not_trusted(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", [("a.jpg", b"x" * 5000)])
    data = bytearray(path.read_bytes())
    # The uncompressed size in the central directory: 24 bytes behind its signature.
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    entries, problems = _found(path)
    assert entries == [] or entries[0].data == b"x" * 10
    assert entries or problems


def test_a_member_that_ends_too_early_is_a_problem_with_a_reason(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"x")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    place = data.index(b"PK\x01\x02") + 20
    data[place : place + 8] = (1000).to_bytes(4, "little") * 2  # bytes that are not there
    (tmp_path / "a.zip").write_bytes(data)
    (problem,) = read(tmp_path / "a.zip")
    assert isinstance(problem, Problem)
    assert (problem.where, problem.id) == ("a.jpg", "a")
    # Newer releases of Python find out before they read.
    assert problem.reason == "it cannot be read: EOFError" or "Overlapped entries" in problem.reason


@each_kind
def test_a_truncated_archive_yields_what_came_before(kind: str, tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(200_000)
    path = KINDS[kind](tmp_path / kind, [("a.jpg", b"first"), ("b.jpg", noise), ("c.jpg", b"last")])
    path.write_bytes(path.read_bytes()[:-100_000])
    if kind == "a.zip":  # its directory stands at its end
        with pytest.raises(SourceError, match="not a readable zip"):
            _found(path)
        return
    entries, problems = _found(path)
    assert [e.id for e in entries] == ["a"]
    assert list(problems)[-1] == "the archive"
    assert problems["the archive"].startswith("it is damaged: ")
    assert problems["the archive"].endswith("; only what came before was read")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_a_file_that_is_not_an_archive_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(SourceError, match="not a readable"):
        _found(tmp_path / name)


@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30), max_size=5
    )
)
def test_no_member_name_makes_an_unsafe_id_or_raises(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("a")
    members = [(name + ".jpg", b"x") for name in names]
    for kind in ("a.tar", "a.zip"):
        entries, _ = _found(KINDS[kind](folder / kind, members))
        for entry in entries:
            assert ".." not in entry.id.split("/")
            assert not entry.id.startswith("/")
        assert len({e.id for e in entries}) == len(entries)


@given(
    data=st.binary(max_size=200),
    kind=st.sampled_from(["a.tar", "a.tar.gz", "a.zip"]),
    place=st.integers(0, 5000),
)
def test_damaged_bytes_raise_only_our_own_error(
    data: bytes, kind: str, place: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = KINDS[kind](
        tmp_path_factory.mktemp("a") / kind, [("a.jpg", b"one" * 100), ("b/c.jpg", b"two" * 100)]
    )
    content = bytearray(path.read_bytes())
    content[place : place + len(data)] = data
    path.write_bytes(content)
    try:
        list(read(path))
    except SourceError as error:
        assert "\n" not in str(error)


def test_a_member_without_a_name_is_skipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("", "a.jpg", "/", "folder/"):
            archive.writestr(zipfile.ZipInfo(name), b"x" * 8 if name.endswith("jpg") else b"")
    assert [found.id for found in read(tmp_path / "x.zip")] == ["a"]
