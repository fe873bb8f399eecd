from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from steamdino.errors import GalleryError, NoGalleryError
from steamdino.gallery import Gallery, schema

RELEASED = [
    "215507ca719d2add",
    "726eeab5a4efbbc3",
    "040bbf815d39da05",
    "52a0db042157ca49",
    "784170969988693a",
    "e09109098b117f1f",
    "aff903307872cc12",
    "ad20543c55005a5f",
    "4e676cac6ffbb453",
    "649c0a6519d7f53f",
]
"""The beginnings of the migrations' sha256s, written down when each was released."""


def _database(folder: Path, script: str) -> Path:
    folder.mkdir()
    connection = sqlite3.connect(folder / "gallery.sqlite")
    connection.executescript(script)
    connection.close()
    return folder


def test_a_new_gallery_has_the_newest_version_and_its_mark(tmp_path: Path) -> None:
    with Gallery.write(tmp_path / "g", "test", create=True):
        pass
    connection = sqlite3.connect(tmp_path / "g" / "gallery.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("statements", range(len(schema.MIGRATIONS) + 3))
def test_a_gallery_whose_making_was_killed_is_none_until_it_is_made_again(
    statements: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = list(schema.MIGRATIONS)
    if statements <= len(steps):
        steps.insert(statements, "SELECT * FROM a_table_that_does_not_exist;")  # ends the script there
        monkeypatch.setattr(schema, "MIGRATIONS", tuple(steps))
        with pytest.raises(GalleryError), Gallery.write(tmp_path / "g", "test", create=True):
            pass
        monkeypatch.undo()
    else:
        _database(tmp_path / "g", "PRAGMA journal_mode = WAL;" if statements % 2 else "")

    for attempt in (
        lambda: Gallery.open(tmp_path / "g"),
        lambda: Gallery.write(tmp_path / "g", "build").__enter__(),
    ):
        with pytest.raises(NoGalleryError, match="make one with: steam-dino add"):
            attempt()
    with Gallery.write(tmp_path / "g", "add", create=True) as gallery:
        assert gallery.complaints() == []
    with Gallery.open(tmp_path / "g") as gallery:
        assert gallery.games.count() == 0


def test_released_migrations_are_never_edited() -> None:
    digests = [hashlib.sha256(step.encode()).hexdigest()[:16] for step in schema.MIGRATIONS]
    assert digests == RELEASED


def test_a_newer_format_is_refused_by_reader_and_writer_and_left_alone(tmp_path: Path) -> None:
    folder = _database(
        tmp_path / "g", f"PRAGMA application_id={schema.APPLICATION_ID}; PRAGMA user_version=99;"
    )
    before = (folder / "gallery.sqlite").read_bytes()
    for attempt in (lambda: Gallery.open(folder), lambda: Gallery.write(folder, "test").__enter__()):
        with pytest.raises(GalleryError, match="its format is 99, newer than"):
            attempt()
    assert (folder / "gallery.sqlite").read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = _database(tmp_path / "g", "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);")
    before = (folder / "gallery.sqlite").read_bytes()
    for attempt in (lambda: Gallery.open(folder), lambda: Gallery.write(folder, "test").__enter__()):
        with pytest.raises(GalleryError, match="another program's"):
            attempt()
    assert (folder / "gallery.sqlite").read_bytes() == before


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "gallery.sqlite").write_bytes(b"this is not a database" * 100)
    for attempt in (lambda: Gallery.open(folder), lambda: Gallery.write(folder, "test").__enter__()):
        with pytest.raises(GalleryError, match="file is not a database"):
            attempt()
    assert (folder / "gallery.sqlite").read_bytes() == b"this is not a database" * 100


def test_without_a_gallery_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    for attempt in (lambda: Gallery.open(tmp_path), lambda: Gallery.write(tmp_path, "build").__enter__()):
        with pytest.raises(GalleryError, match="there is no gallery in .*steam-dino add"):
            attempt()
    assert not (tmp_path / "gallery.sqlite").exists()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Gallery.write(tmp_path / "g", "test", create=True) as gallery:
        with pytest.raises(RuntimeError), gallery.transaction():
            gallery.games.put_source("folder", tmp_path, steam=False)
            raise RuntimeError
        assert gallery.report().sources == ()


STORED = sorted(
    (Path(__file__).parent / "stored").glob("v*.sql"), key=lambda path: int(path.stem.removeprefix("v"))
)


def test_a_database_of_every_version_is_stored() -> None:
    assert [path.stem for path in STORED] == [f"v{number}" for number in range(1, schema.VERSION + 1)]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_database_is_migrated_and_keeps_its_content(path: Path, tmp_path: Path) -> None:
    folder = _database(tmp_path / "g", path.read_text("utf-8"))
    with Gallery.write(folder, "test") as gallery:
        report = gallery.report()
        assert [(s.name, s.games, s.banners, s.gone) for s in report.sources] == [("covers", 4, 3, 1)]
        assert [(r.name, r.vectors) for r in report.recipes] == [("bundled", {"f32": 3})]
        reasons = {problem.id: problem.reason for _, _, problem in gallery.problems.known()}
        assert reasons["html"] == "it is HTML or XML, not a picture"
        assert "truncated" in reasons["bad"] or "cannot be decoded" in reasons["bad"]
        assert gallery.complaints() == []
    connection = sqlite3.connect(folder / "gallery.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    connection.close()
