"""Tables as spreadsheets write them: their delimiters and encodings are found out, and can be given."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steamdino
from steamdino.catalogue.table import Columns, read
from steamdino.catalogue.text_table import Dialect, encoding_of
from steamdino.errors import SourceError, UsageError
from steamdino.records import Entry

Run = Callable[..., "CompletedProcess[str]"]
Paint = Callable[..., Any]
NAMES = ["Café; Bar", "Ünïted", "1,5 Lives", "Plain"]


def written(delimiter: str, first: str = "", end: str = "\r\n") -> str:
    """A table of games with these names, as a spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(
        [("id", "name", "path"), *((n, name, "") for n, name in enumerate(NAMES, 1))]
    )
    return first + text.getvalue()


def names(path: Path, **options: Any) -> list[str]:
    found = list(read(path, **options))
    assert all(isinstance(one, Entry) for one in found), found
    return [one.name for one in found if isinstance(one, Entry)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_delimiters_and_encodings_are_found_out(
    tmp_path: Path, suffix: str, delimiter: str, encoding: str
) -> None:
    (tmp_path / f"t.{suffix}").write_bytes(written(delimiter).encode(encoding))
    assert names(tmp_path / f"t.{suffix}") == NAMES


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "cp1252"])
def test_the_line_with_which_excel_names_the_delimiter_is_no_header(
    tmp_path: Path, first: str, encoding: str
) -> None:
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    (tmp_path / "t.csv").write_bytes(mark + written(";", first).encode(encoding))
    assert names(tmp_path / "t.csv") == NAMES
    (tmp_path / "t.csv").write_bytes(mark + (written(";", first) + "9;too;many;cells\n").encode(encoding))
    assert [one.where for one in read(tmp_path / "t.csv") if not isinstance(one, Entry)] == ["line 7"]


def test_a_given_delimiter_and_encoding_count(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(written("!").encode("cp1250", "replace"))
    found = names(tmp_path / "t.csv", dialect=Dialect("!", "cp1250"))
    assert found == [name.encode("cp1250", "replace").decode("cp1250") for name in NAMES]
    with pytest.raises(SourceError, match="no column 'id'; its columns are id!name!path"):
        names(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(written(",").encode())
    with pytest.raises(SourceError, match="cannot be read as utf-16; name its encoding"):
        names(tmp_path / "t.csv", dialect=Dialect(encoding="utf-16"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("::", None), "it must be one character"),
        (("", None), "it must be one character"),
        (('"', None), "it must be one character"),
        ((None, "klingon"), "there is no encoding 'klingon'"),
        ((None, "zip"), "there is no encoding 'zip'"),
    ],
)
def test_what_is_no_delimiter_or_encoding_is_an_error(
    options: tuple[str | None, str | None], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        Dialect(*options)


@given(text=st.text(st.characters(codec="utf-8"), max_size=50), strays=st.binary(max_size=3))
def test_text_that_is_right_in_utf8_makes_a_table_utf8(
    text: str, strays: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    content = b"id," + text.encode() + b"\n" + bytes(one | 0x80 for one in strays)
    path.write_bytes(content)
    if encoding_of(path) == "cp1252":
        assert not any(char > "\x7f" for char in content.decode(errors="ignore"))
        content.decode("cp1252")
    else:
        assert encoding_of(path) == "utf-8"


def test_pictures_are_found_whatever_slashes_and_accents_the_table_has(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers" / normalize("NFD", "Café.png"), 0)
    paint(tmp_path / "covers" / "Ümlaut.png", 1)
    composed = normalize("NFC", "Café.png")
    rows = ["id,name,path", f"1,One,covers\\{composed}", "2,Two,.\\covers\\Ümlaut.png"]
    (tmp_path / "t.csv").write_text("\n".join(rows), "utf-8")
    summary = steamdino.add(tmp_path / "g", tmp_path / "t.csv")
    assert (summary.new, summary.without_banner, summary.problems) == (2, 0, ())


def test_a_file_whose_name_has_a_backslash_is_found_first(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a\\b.png", 0)
    paint(tmp_path / "a" / "b.png", 1)
    (tmp_path / "t.csv").write_text("id,path\n1,a\\b.png\n", "utf-8")
    (entry,) = read(tmp_path / "t.csv")
    assert isinstance(entry, Entry) and entry.location is not None
    assert entry.location.path == tmp_path / "a\\b.png"


def test_a_backslash_does_not_lead_out_of_the_tables_folder(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "x.png", 0)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "t.csv").write_text("id,path\n1,..\\x.png\n", "utf-8")
    (problem,) = read(tmp_path / "inner" / "t.csv")
    assert "outside the table's folder" in getattr(problem, "reason", "")


def test_the_command_takes_them_and_refuses_a_table_without_pictures(tmp_path: Path, run: Run) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("id\tname\tfile\n1\tcafé\t\n".encode("cp1252"))
    done = run("add", table, "-g", tmp_path / "g")
    told = "has no column 'path'; its columns are id, name, file. Name the right one with --path"
    assert (done.returncode, told in done.stderr, (tmp_path / "g").exists()) == (1, True, False)
    given = ("--no-pictures", "--delimiter", "tab", "--encoding", "cp1252")
    done = run("add", table, "-g", tmp_path / "g", *given)
    assert (done.returncode, done.stdout.partition(",")[0]) == (0, "t.csv: 1 new")
    refused = run("add", table, "-g", tmp_path / "g", "--delimiter", "::")
    assert (refused.returncode, "it must be one character" in refused.stderr) == (2, True)
    (tmp_path / "t.jsonl").write_text('{"id": 1, "path": ""}\n', "utf-8")
    refused = run("add", tmp_path / "t.jsonl", "-g", tmp_path / "g", "--delimiter", ";")
    assert (refused.returncode, "neither CSV nor TSV" in refused.stderr) == (2, True)


def test_games_without_pictures_need_no_column_of_paths(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,name\n1,One\n", "utf-8")
    assert names(tmp_path / "t.csv", columns=Columns(path=None)) == ["One"]
