"""Which recipe answers where a request names none, while others are built beside it."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steamdino.errors import NoSnapshotError
from steamdino.pipeline import add, build
from steamdino.present.web.app import create_app
from steamdino.settings import Settings, WebSettings

FIRST, EXPERIMENT = "bundled", "bundled/patches"
Serve = Callable[..., Any]


@pytest.fixture
def gallery(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    for number in range(5):
        paint(tmp_path / "covers" / f"{number}.png", number)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g", recipe=FIRST)
    return tmp_path / "g"


def _wait_for(client: Any, recipes: set[str]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        info: dict[str, Any] = client.get("/api/v1/info").json()
        if {one["name"] for one in info["recipes"]} == recipes:
            return info
        assert time.monotonic() < deadline, info
        time.sleep(0.02)


def _served(client: Any) -> tuple[str, str]:
    """Return the recipe of an answer that was asked for without one, and of one that was."""
    asked = "/api/v1/games/1/similar"
    return tuple(client.get(asked, params=params).json()["recipe"] for params in ({}, {"recipe": EXPERIMENT}))  # type: ignore[return-value]


def test_a_build_of_another_recipe_does_not_change_the_pinned_one(gallery: Path, serve: Serve) -> None:
    client = serve(gallery, recipe=FIRST).client
    before = client.get("/api/v1/games/1/similar").json()
    build(gallery, recipe=EXPERIMENT)
    info = _wait_for(client, {FIRST, EXPERIMENT})
    assert (info["default"], info["recipes"][0]["name"]) == (FIRST, FIRST)
    assert client.get("/api/v1/games/1/similar").json() == before
    assert _served(client) == (FIRST, EXPERIMENT)
    # A newer snapshot of the pinned recipe is taken.
    shutil.copy(gallery.parent / "covers" / "1.png", gallery.parent / "covers" / "6.png")
    add(gallery, gallery.parent / "covers")
    build(gallery, recipe=FIRST)
    deadline = time.monotonic() + 30
    while client.get("/api/v1/info").json()["games"] != 6:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _served(client) == (FIRST, EXPERIMENT)


def test_without_a_pin_the_last_build_is_public_and_the_log_says_so(
    gallery: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(gallery).client
    with caplog.at_level(logging.INFO, "steamdino.web"):
        build(gallery, recipe=EXPERIMENT)
        assert _wait_for(client, {FIRST, EXPERIMENT})["default"] == EXPERIMENT
    told = [one.facts for one in caplog.records if one.getMessage() == "public recipe"]  # type: ignore[attr-defined]
    assert told == [{"recipe": EXPERIMENT, "before": FIRST}]


def test_a_pinned_recipe_stays_in_service_when_its_snapshots_are_removed(gallery: Path, serve: Serve) -> None:
    client = serve(gallery, recipe=FIRST).client
    build(gallery, recipe=EXPERIMENT)
    _wait_for(client, {FIRST, EXPERIMENT})
    for folder in (gallery / "snapshots").iterdir():
        if EXPERIMENT.replace("/", "-") not in folder.name and "patches" not in folder.name:
            shutil.rmtree(folder)
    time.sleep(0.3)  # it looks every 0.1 s
    assert _served(client) == (FIRST, EXPERIMENT)


def test_a_pinned_recipe_that_is_not_built_is_an_error(gallery: Path, tmp_path: Path) -> None:
    with pytest.raises(
        NoSnapshotError, match=r"the public recipe 'none' has no snapshot in .*; built are: bundled"
    ):
        create_app(Settings(gallery=gallery), WebSettings(recipe="none"))


def test_the_command_says_which_recipe_is_public_and_refuses_one_that_is_not_built(
    gallery: Path, run: Callable[..., Any]
) -> None:
    done = run("serve", "-g", gallery, "--recipe", "none")
    assert done.returncode == 1
    assert done.stderr == (
        f"steam-dino: the public recipe 'none' has no snapshot in {gallery}; built are: bundled\n"
    )
