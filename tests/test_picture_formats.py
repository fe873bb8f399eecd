"""What is listed as a picture can be read, and what can be read is listed, wherever formats are named."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import steamdino
from steamdino.banners.decode import decode
from steamdino.banners.plugins import register
from steamdino.catalogue import archive, folder
from steamdino.errors import PictureError, QueryError
from steamdino.picture_formats import PLUGINS, SUFFIXES, SUFFIXES_OF, suffix_of
from steamdino.pipeline import add, build
from steamdino.present.web.app import create_app
from steamdino.records import Entry
from steamdino.settings import Settings, WebSettings

Paint = Callable[..., Path]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def _plugins() -> None:
    for form in PLUGINS:
        register(form)


@pytest.fixture
def covers(tmp_path: Path, paint: Paint) -> Path:
    """A folder with a picture of each suffix, each in the format that its suffix says."""
    for form, suffixes in SUFFIXES_OF.items():
        for suffix in suffixes:
            paint(tmp_path / f"covers/{suffix[1:]}{suffix}", SUFFIXES.index(suffix), format=form)
    return tmp_path / "covers"


def test_the_suffixes_are_those_that_pillow_gives_to_the_formats() -> None:
    registered = Image.registered_extensions()
    assert {suffix: registered[suffix] for suffix in SUFFIXES} == {
        suffix: form for form, suffixes in SUFFIXES_OF.items() for suffix in suffixes
    }
    assert len(set(SUFFIXES)) == len(SUFFIXES) == sum(map(len, SUFFIXES_OF.values()))


def test_every_suffix_that_is_listed_can_be_added_built_and_asked_about(tmp_path: Path, covers: Path) -> None:
    summary = add(tmp_path / "g", covers)
    assert (summary.new, summary.problems) == (len(SUFFIXES), ())
    assert build(tmp_path / "g").games == len(SUFFIXES)
    snapshot = steamdino.Snapshot.open(tmp_path / "g")
    for path in covers.iterdir():
        shutil.copy(path, tmp_path / f"query{path.suffix}")
        for query in (tmp_path / f"query{path.suffix}", str(tmp_path / f"query{path.suffix}")):
            (best,) = snapshot.similar(query, 1)
            assert (best.id, best.similarity) == (path.stem, pytest.approx(1, abs=1e-3))


def test_a_file_that_is_not_there_is_known_for_a_picture_by_its_suffix(built: Path) -> None:
    snapshot = steamdino.Snapshot.open(built)
    for suffix in (*SUFFIXES, ".TGA", ".JPG"):
        with pytest.raises(QueryError, match="there is no picture 'no-such"):
            snapshot.similar(f"no-such{suffix}")


def test_every_suffix_that_is_listed_is_found_in_folders_and_archives(tmp_path: Path, covers: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped, tarfile.open(tmp_path / "a.tar", "w") as tarred:
        for path in (*sorted(covers.iterdir()), ROOT / "README.md"):
            zipped.write(path, path.name)
            tarred.add(path, path.name)
    (covers / "README.md").write_text("no picture")
    for found in (folder.scan(covers), archive.read(tmp_path / "a.zip"), archive.read(tmp_path / "a.tar")):
        assert sorted(one.where for one in found if isinstance(one, Entry)) == [
            f"{s[1:]}{s}" for s in SUFFIXES
        ]


def test_a_kept_copy_is_named_by_what_is_in_it(tmp_path: Path, paint: Paint) -> None:
    for number, form in enumerate(SUFFIXES_OF):
        paint(tmp_path / f"covers/{form}.jpg", number, format=form)
    add(tmp_path / "g", tmp_path / "covers", copy=True)
    kept = {}
    for path in (tmp_path / "g/banners").glob("*/*"):
        with Image.open(path) as image:
            kept[image.format] = path.suffix
    assert kept == {form: suffixes[0] for form, suffixes in SUFFIXES_OF.items()}
    assert suffix_of("MPO", ".jpeg") == ".jpeg"


def written(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 24), (200, 100, 50)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", [*SUFFIXES_OF, "MPO"])
def test_what_is_listed_is_decoded(form: str) -> None:
    assert decode(written(form)).size == (16, 24)


@pytest.mark.parametrize("form", ["DDS", "DIB", "EPS", "ICNS", "ICO", "JPEG2000", "PCX", "PDF", "PPM", "SGI"])
def test_nothing_else_that_pillow_writes_is_decoded(form: str) -> None:
    with pytest.raises(PictureError, match="not a picture of a known format"):
        decode(written(form))


def test_the_documentation_and_the_api_list_every_format(built: Path) -> None:
    text = (ROOT / "docs/how-to/own-pictures.md").read_text("utf-8")
    (sentence,) = re.findall(r"Pictures are files whose names end in ([^.]*(?:`\.[^.]*)*)\.\n", text)
    (further,) = re.findall(r"With the \[extra\]\(install\.md#extras\) `formats`, so are ([^()]*) \(", text)
    named = [re.findall(r"`(\S+)`", words) for words in (sentence, further)]
    plugins = {suffix for plugin in PLUGINS.values() for suffix in plugin.suffixes}
    assert named == [[one for one in SUFFIXES if one not in plugins], sorted(plugins)]
    app = create_app(Settings(gallery=built), WebSettings())
    assert f"A picture: {', '.join(SUFFIXES_OF)}." in json.dumps(app.openapi())
