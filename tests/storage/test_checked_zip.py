"""Zips with one defect each; `zipfile`, which wrote them, is the oracle."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.storage.checked_zip import LARGEST_ENTRY, CheckedZip

MEMBERS = {"a": False, "b": True}
Edit = Callable[[bytearray], None]


def _zip(*members: tuple[str, bytes, int], comment: bytes = b"", zip64: bool = False) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = comment
        for name, data, method in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(data)
    return bytearray(file.getvalue())


A, B = ("a", b"12345", zipfile.ZIP_STORED), ("b", b"x" * 1000, zipfile.ZIP_DEFLATED)


def _open(data: bytes | bytearray, swelling: int = 1000) -> CheckedZip:
    return CheckedZip(io.BytesIO(data), MEMBERS, swelling=swelling)


@given(st.binary(max_size=3000), st.binary(max_size=3000), st.booleans(), st.booleans())
def test_a_zip_that_zipfile_wrote_is_read(a: bytes, b: bytes, zip64: bool, deflated: bool) -> None:
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    data = _zip(("a", a, zipfile.ZIP_STORED), ("b", b, method), zip64=zip64)
    with _open(data, 3000) as archive:
        assert archive.size == len(data)
        assert (archive.bytes_of("a"), archive.bytes_of("b")) == (len(a), len(b))
        assert (archive.open("a").read(), archive.open("b").read()) == (a, b)


def test_a_zip64_is_read_and_checked_like_a_small_zip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # so that zipfile writes the records of large ones
    data = _zip(A, B)
    at = data.index(b"PK\x06\x06")
    with _open(data) as archive:
        assert archive.open("b").read() == B[1]
    for place, value in ((32, 3), (40, 1 << 40)):
        changed = bytearray(data)
        changed[at + place : at + place + 8] = struct.pack("<Q", value)
        with pytest.raises(ValueError, match=r"its directory lists|not a readable zip"):
            _open(changed)
    changed = bytearray(data)
    changed[at:at] = b"\0" * 16  # the record is not where the locator says
    with pytest.raises(ValueError, match="like a large zip|not a readable zip"):
        _open(changed)


def test_a_missing_member_is_reported_by_name() -> None:
    with _open(_zip(A)) as archive:
        assert "a" in archive
        assert "b" not in archive
        for ask in (archive.bytes_of, archive.open):
            with pytest.raises(ValueError, match="it has no b"):
                ask("b")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_zip(A, ("c", b"", 0)), "'c', which is not expected there"),
        (_zip(A, ("../b", b"", 0)), "'../b', which is not expected there"),
        (_zip(("a", b"x" * 99, zipfile.ZIP_DEFLATED)), "a is compressed by a method"),
        (_zip(("b", b"x" * 99, zipfile.ZIP_BZIP2)), "b is compressed by a method"),
        (_zip(("b", b"x" * 99, zipfile.ZIP_LZMA)), "b is compressed by a method"),
        (_zip(("b", b"x" * 1001, zipfile.ZIP_DEFLATED)), "would unpack to 1,001 bytes; at most 1,000"),
        (_zip(A, comment=b"x"), "does not end like a zip"),
        (_zip(*[(str(n), b"", 0) for n in range(3)]), "its directory lists 3 members"),
        (_zip(("a" * 2000, b"", 0)), "its directory lists 1 members in 2,046 bytes"),
        (bytearray(), "does not end like a zip"),
        (bytearray(b"PK"), "does not end like a zip"),
    ],
)
def test_unexpected_members_are_refused(data: bytearray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        _open(data)


def _entry(data: bytearray, number: int) -> int:
    at = -1
    for _ in range(number + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    return at


def _set(number: int, place: int, form: str, value: int) -> Edit:
    def edit(data: bytearray) -> None:
        struct.pack_into(form, data, _entry(data, number) + place, value)

    return edit


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_set(0, 8, "<H", 1), "a is encrypted"),
        (_set(0, 24, "<I", 1 << 31), "a has 5 bytes but declares 2,147,483,648"),
        (
            lambda data: (_set(0, 24, "<I", 1 << 31)(data), _set(0, 20, "<I", 1 << 31)(data)),
            "Overlapped|declares more bytes",
        ),
        (_set(1, 24, "<I", 1 << 31), "would unpack to"),
        (_set(1, 42, "<I", 0), "overlaps|not a readable zip"),
        (_set(1, 42, "<I", 10), "overlaps|not a readable zip"),
        (
            lambda data: data.__setitem__(slice(_entry(data, 1) + 46, _entry(data, 1) + 47), b"a"),
            "holds a twice|not a readable zip",
        ),
        (
            lambda data: struct.pack_into("<H", data, len(data) - 12, 60000),
            "its directory lists 60,000 members",
        ),
        (lambda data: struct.pack_into("<I", data, len(data) - 10, 60000), "60,000 bytes"),
    ],
)
def test_a_directory_that_lies_is_refused_before_anything_is_read(edit: Edit, reason: str) -> None:
    data = _zip(A, B)
    edit(data)
    with pytest.raises(ValueError, match=reason):
        _open(data)


def test_a_directory_of_just_the_size_that_is_allowed_is_read() -> None:
    for length in (LARGEST_ENTRY - 46, LARGEST_ENTRY - 45):  # an entry has 46 bytes besides the name
        name = "x" * length
        data = io.BytesIO(_zip((name, b"", zipfile.ZIP_STORED)))
        if length + 46 == LARGEST_ENTRY:
            with CheckedZip(data, {name: False}, swelling=0) as archive:
                assert name in archive
        else:
            with pytest.raises(ValueError, match="its directory lists 1 members in 513 bytes"):
                CheckedZip(data, {name: False}, swelling=0)


def test_all_deflated_members_together_may_unpack_to_the_limit() -> None:
    for size in (400, 401):
        data = _zip(("a", bytes(600), zipfile.ZIP_DEFLATED), ("b", bytes(size), zipfile.ZIP_DEFLATED))
        if size == 400:
            with CheckedZip(io.BytesIO(data), {"a": True, "b": True}, swelling=1000) as archive:
                assert archive.bytes_of("b") == 400
        else:
            with pytest.raises(ValueError, match="would unpack to 1,001 bytes; at most 1,000"):
                CheckedZip(io.BytesIO(data), {"a": True, "b": True}, swelling=1000)


@pytest.mark.parametrize("zip64", [False, True])
def test_a_member_may_reach_to_the_directory_and_not_one_byte_into_it(zip64: bool) -> None:
    """With zip64, its local header has an extra field, which counts as well."""
    data = _zip(A, zip64=zip64)
    with _open(data) as archive:
        assert archive.open("a").read() == A[1]
    for place in (20, 24):
        _set(0, place, "<I", 6)(data)
    with pytest.raises(ValueError, match="a declares more bytes than the file has|Overlapped"):
        _open(data)


def test_members_may_be_listed_in_another_order_than_they_are_stored() -> None:
    data = _zip(A, B)
    first, second, end = _entry(data, 0), _entry(data, 1), data.index(b"PK\x05\x06")
    data[first:end] = data[second:end] + data[first:second]
    with _open(data) as archive:
        assert (archive.open("a").read(), archive.open("b").read()) == (A[1], B[1])


def test_a_name_is_not_cut_off_at_a_null_byte() -> None:
    data = _zip(("b!x", b"", zipfile.ZIP_STORED)).replace(b"b!x", b"b\0x")
    with pytest.raises(ValueError, match=r"it holds 'b\\x00x', which is not expected there"):
        _open(data)


def test_a_comment_that_is_declared_and_missing_is_refused() -> None:
    data = _zip(A)
    data[-2:] = b"\x05\0"
    with pytest.raises(ValueError, match="does not end like a zip"):
        _open(data)


@pytest.mark.parametrize("place", [b"PK\x06\x06", b"PK\x06\x07"])
def test_the_end_of_a_large_zip_must_be_where_it_is_said_to_be(
    place: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = _zip(A, B)
    data[data.index(place) + (2 if place.endswith(b"\x06") else 8)] += (
        1  # the signature, or where that record is
    )
    with pytest.raises(ValueError, match="does not end like a large zip"):
        _open(data)


def test_overlapping_members_are_refused() -> None:
    # Both local headers are intact and lie in the content of one another, as in a bomb of overlapping files.
    inner = _zip(A)[: 30 + 1 + 5]
    data = _zip(("b", bytes(inner), zipfile.ZIP_STORED), A)
    _set(1, 42, "<I", 31)(data)
    with pytest.raises(ValueError, match="overlaps|Overlapped"):
        _open(data)


def test_a_member_never_returns_more_than_its_size() -> None:
    data = _zip(B)
    _set(0, 24, "<I", 10)(data)
    with _open(data) as archive, archive.open("b") as member, pytest.raises(zipfile.BadZipFile):
        member.read()  # the CRC is that of all of it


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_damage_is_refused_or_raises_on_reading(place: int, change: bytes) -> None:
    data = _zip(A, B)
    place %= len(data)
    data[place : place + len(change)] = change
    try:
        with _open(bytes(data)) as archive:
            for name in MEMBERS:
                if name in archive:
                    assert len(archive.open(name).read(2000)) <= archive.bytes_of(name) <= 1000
    except (
        ValueError,
        zipfile.BadZipFile,
        zipfile.zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ):
        return
