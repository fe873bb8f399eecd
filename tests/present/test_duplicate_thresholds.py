"""How alike duplicates must be is a person's to say: by options, the environment and the file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import steamdino
from steamdino import add, build
from steamdino.thresholds import DuplicateThresholds

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def drawn(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((300, 450), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, the same with a small dark spot, and others."""
    root = tmp_path_factory.mktemp("thresholds")
    (root / "covers").mkdir()
    for n in range(12):
        drawn(n).save(root / f"covers/other{n}.png")
    one = drawn(99)
    one.save(root / "covers/a.png")
    ImageDraw.Draw(one).rectangle([140, 200, 170, 230], fill=(0, 0, 0))
    one.save(root / "covers/b.jpg", quality=90)
    add(root / "g", root / "covers")
    build(root / "g")
    return root / "g"


def tier(run: Run, gallery: Path, *options: str) -> str:
    done = run("duplicates", "--format", "json", "-g", gallery, *options)
    assert done.returncode == 0, done.stderr
    groups = json.loads(done.stdout)
    of_group = [
        {one["representative"]["game_id"], *(other["game_id"] for other in one["others"])} for one in groups
    ]
    found = [one["tier"] for one, ids in zip(groups, of_group, strict=True) if {"a", "b"} <= ids]
    return found[0] if found else ""


def test_a_pair_is_in_the_tier_that_the_thresholds_say(run: Run, gallery: Path) -> None:
    assert tier(run, gallery) == "near"
    loose = ("--threshold", "colour=255", "--threshold", "spot=255")
    assert tier(run, gallery, *loose) == "re-encoded"
    assert tier(run, gallery, *loose, "--threshold", "hash-bits=0") == "near"


def test_options_win_over_the_environment_and_that_over_the_file(
    run: Run, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("steamdino.toml").write_text("[duplicates]\ncolour = 255\nspot = 255\n")
    assert tier(run, gallery) == "re-encoded"
    monkeypatch.setenv("STEAMDINO_DUPLICATES_SPOT", "0")
    assert tier(run, gallery) == "near"
    assert tier(run, gallery, "--threshold", "spot=255") == "re-encoded"


def test_the_function_takes_them_too(gallery: Path) -> None:
    loose = DuplicateThresholds(colour=255, spot=255)
    tiers = {one.tier for one in steamdino.duplicate_pairs(gallery, thresholds=loose)}
    assert tiers == {"re-encoded"}
    assert {one.tier for one in steamdino.duplicates(gallery)} == {"near"}


def test_what_is_no_threshold_is_refused(run: Run, gallery: Path) -> None:
    for text, told in (
        ("ugly=1", "--threshold is 'ugly=1'; it must be like near=0.6, for one of: near, certain, hash-bits"),
        ("spot", "after spot= must come a number from 0 to 255"),
        ("near=2", "--threshold near is 2.0; it must be a number from 0 to 1"),
        ("hash-bits=257", "--threshold hash-bits is 257.0; it must be a number from 0 to 256"),
    ):
        done = run("duplicates", "--threshold", text, "-g", gallery)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
