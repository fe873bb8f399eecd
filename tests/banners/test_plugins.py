"""HEIC and JPEG XL are read where Pillow's plug-ins are installed; elsewhere people are told what helps."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steamdino.banners.decode import decode, header
from steamdino.errors import PictureError
from steamdino.installation import extra_command
from steamdino.picture_formats import PLUGINS, SUFFIXES, suffix_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FORMS = {"HEIF": "heic", "JXL": "jxl"}


def art(size: tuple[int, int] = (120, 180), seed: int = 1) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def encoded(form: str, image: Image.Image) -> bytes:
    plugin = PLUGINS[form]
    module = pytest.importorskip(plugin.module, reason="needs the extra formats")
    if plugin.opener:
        getattr(module, plugin.opener)()
    file = io.BytesIO()
    image.save(file, form, quality=95)
    return file.getvalue()


def without_plugins(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line where no plug-in is installed."""
    code = (
        "import sys; sys.modules.update(pillow_heif=None, pillow_jxl=None)\n"
        "from steamdino.present.cli.main import run; run()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_of_the_format_is_decoded(form: str) -> None:
    data = encoded(form, art())
    found = header(data)
    assert (found.format, found.width, found.height) == (form, 120, 180)
    difference = np.asarray(decode(data), np.int16) - np.asarray(art(), np.int16)
    assert np.abs(difference).mean() < 4
    assert f".{FORMS[form]}" in SUFFIXES
    assert suffix_of(form, ".jpg") == f".{FORMS[form]}"
    for broken in (data[:40], data[: len(data) // 2]):
        with pytest.raises(PictureError):
            decode(broken)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("form", FORMS)
def test_one_is_added_built_and_found_by_its_copy(form: str, tmp_path: Path, run: Run) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    (covers / f"one.{FORMS[form]}").write_bytes(encoded(form, art()))
    for n in range(3):
        art(seed=n).save(covers / f"{n}.png")
    assert "4 new, " in run("add", covers, "-g", tmp_path / "g").stdout
    assert run("build", "-g", tmp_path / "g").returncode == 0
    assert "0.99" in run("similar", "one", "-k", 1, "-g", tmp_path / "g").stdout


@pytest.mark.slow
def test_without_the_plug_ins_they_are_counted_and_people_are_told_what_helps(tmp_path: Path) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    art().save(covers / "a.png")
    for name in ("b.HEIC", "c.heif", "d.jxl"):
        (covers / name).write_bytes(b"x")
    told = without_plugins("add", covers, "-g", tmp_path / "g").stderr
    assert told == (
        f"Not read: 2 HEIC, 1 JPEG XL. To read HEIC and JPEG XL, run: {extra_command('formats')}\n"
    )
    (covers / "e.psd").write_bytes(b"x")
    told = without_plugins("add", covers, "-g", tmp_path / "g").stderr
    assert told.endswith(f"{extra_command('formats')}. Convert the others to PNG, WebP or JPEG.\n")


@pytest.mark.parametrize("form", FORMS)
def test_a_query_of_the_format_is_told_what_it_is(form: str, tmp_path: Path, built: Path) -> None:
    picture = tmp_path / "query.png"
    picture.write_bytes(encoded(form, art()))
    done = without_plugins("similar", picture, "-g", built)
    assert done.returncode == 1
    assert f"it is {PLUGINS[form].label}; to read that, run: {extra_command('formats')}" in done.stderr
