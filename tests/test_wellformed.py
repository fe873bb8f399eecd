from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.wellformed import (
    as_line,
    content_path,
    is_https,
    is_line,
    is_sha256,
    names_a_path,
    shown,
)

SHA256 = "0123456789abcdef" * 4


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=20))
def test_ordinary_text_of_any_script_is_a_line(text: str) -> None:
    assert is_line(text, 20)
    assert as_line(text, 20) == text


@given(st.text(st.characters(), max_size=30), st.integers(1, 20))
def test_any_text_becomes_a_line(text: str, longest: int) -> None:
    line = as_line(text, longest)
    assert is_line(line, longest)
    assert len((line + "x").splitlines()) == 1
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in line)
    line.encode()


@pytest.mark.parametrize(
    "value", ["a\nb", "\x7f", "\x85", "a\u202eb", "\u2066", "\u2028", "\ud800", "\0", "xx", 7, None]
)
def test_what_ends_or_turns_a_line_or_is_too_long_is_none(value: object) -> None:
    assert not is_line(value, 1 if value == "xx" else 10)


@pytest.mark.parametrize(
    "value", ["", SHA256[:-1], SHA256 + "0", SHA256.upper(), SHA256[:-1] + "\n", SHA256 + "\n", None, 7]
)
def test_what_is_no_sha256_names_no_file(value: str) -> None:
    assert not is_sha256(value)
    with pytest.raises(ValueError, match="not a sha256"):
        content_path(value, ".jpg")


def test_a_digest_that_climbs_names_no_file() -> None:
    with pytest.raises(ValueError, match="not a sha256"):
        content_path("../" * 21 + "x", ".jpg")


@given(st.text(st.characters(codec="utf-8"), max_size=10))
def test_a_file_named_by_its_content_stays_in_its_folder_whatever_the_suffix(suffix: str) -> None:
    path = content_path(SHA256, suffix)
    assert path.parts[:-1] == ("01",)
    assert path.name.startswith(SHA256)
    assert path.name == SHA256 + suffix or path == PurePosixPath("01", SHA256)


@pytest.mark.parametrize(
    "address",
    [
        "https://store.steampowered.com/app/730",
        "https://a.example",
        "https://a.example.:8443/x?y=z#w",
        "https://XN--BCHER-KVA.example/%20",
        "https://a.example?q",
    ],
)
def test_an_https_address_of_a_named_host_is_one(address: str) -> None:
    assert is_https(address)
    assert urlsplit(address).hostname


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://a.example/",
        "HTTPS:/a.example/",
        "https://",
        "https:///x",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://user@a.example/",
        "https://a.example:x/",
        "https://-a.example/",
        "https://a..example/",
        "https://a.example/a b",
        "https://a.example/\"onload='x'",
        "https://a.example/<x>",
        "https://a.example\\x",
        "https://a.example/\n",
        "https://a.example/é",
        "javascript:alert(1)//https://a.example/",
        "https://a.example/" + "x" * 2000,
        None,
        7,
    ],
)
def test_anything_else_is_none(address: object) -> None:
    assert not is_https(address)


@pytest.mark.parametrize(
    "text",
    [
        "/home/anna/covers/x.jpg: the file does not exist",
        "C:\\Users\\Anna\\x.jpg: it is a folder",
        "C:/Users/Anna/x.jpg: it is a folder",
        "\\\\server\\share\\x.jpg: no",
        "//server/share/x.jpg: no",
        "'/srv/x' lies outside the table's folder",
        "no such file: '/srv/x'",
        "(/srv/x)",
        "~/covers/x.jpg: no",
        "see file:///srv/x",
        "x=/srv",
    ],
)
def test_an_absolute_path_in_a_reason_is_found(text: str) -> None:
    assert names_a_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "it has no banner",
        "the server has no apps/730/library_600x900.jpg",
        "https://store.steampowered.com/app/730 answered 404",
        "it has 60 x 90 pixels; at most 1 / 2 of them",
        "and/or",
        "its id 'a/b' is already used by a/b.png",
        "it is excluded (dark); steam-dino check --restore takes it back",
        "the ratio is 16:9",
        "N/A: it is hidden",
    ],
)
def test_no_path_is_found_where_there_is_none(text: str) -> None:
    assert not names_a_path(text)


def test_any_value_is_shown_in_one_short_line() -> None:
    for value in (10**5000, "x\n" * 10**6, [[[[[[[[[]]]]]]]]], {"a": ["x" * 1000] * 1000}, b"x" * 1000):
        assert len(shown(value)) < 1000
        assert "\n" not in shown(value)
