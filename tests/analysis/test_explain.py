"""Explanations: exact where they say so, and pointing at what was copied."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from fakes.clip import DIM
from fakes.clip import make as make_clip
from fakes.transformer import imported
from steamdino import Snapshot
from steamdino.analysis.cell_matching import covered, likeness, regions
from steamdino.analysis.explain import EXACT, OCCLUSION, Explainer, Side
from steamdino.banners.decode import decode
from steamdino.errors import RecipeError
from steamdino.features import model_files
from steamdino.features.attention import attention
from steamdino.features.cells import CellEncoder
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import Model, models
from steamdino.features.recipe_parser import named
from steamdino.features.transform import prepare
from steamdino.sample import FictionalGame

Store = tuple[Path, tuple[FictionalGame, ...]]
SIZE = (300, 450)


@pytest.fixture(scope="module")
def banners(fictional_store: Store) -> dict[str, Image.Image]:
    """Ordinary banners by id."""
    folder, games = fictional_store
    return {game.id: decode((folder / game.file).read_bytes()) for game in games if not game.defect}


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Model]]:
    """A cache with two tiny transformers: one of DINO's small kind, and one of its large kind."""
    pytest.importorskip("torch", reason="the tiny models are PyTorch's")
    folder, made = tmp_path_factory.mktemp("vits"), []
    for kind in ("vit", "registers"):
        _, model, files = imported(kind, tmp_path_factory)
        shutil.copytree(files.folder.parents[2], folder, dirs_exist_ok=True)
        made.append(replace(model, complex="mean" if kind == "registers" else model.complex))
    return folder, made


@pytest.fixture
def known(vits: tuple[Path, list[Model]], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Their names, while they are known."""
    monkeypatch.setenv("STEAMDINO_CACHE", str(vits[0]))
    for model in vits[1]:
        monkeypatch.setitem(models(), model.name, model)
    yield [model.name for model in vits[1]]


@pytest.mark.parametrize("recipe", ["bundled", "bundled/raw", "bundled/patches", "bundled/squash/96x144"])
def test_the_parts_of_the_cells_add_up_to_the_vector(recipe: str, banners: dict[str, Image.Image]) -> None:
    known = named(recipe)
    pixels = prepare(next(iter(banners.values())), known.transform)
    cells = CellEncoder(known)(pixels)
    assert cells.parts is not None and cells.rest is not None
    assert len(cells.parts) == cells.grid[0] * cells.grid[1]
    (expected,) = Encoder(known, batch_size=1)([pixels])
    np.testing.assert_allclose(cells.parts.sum(axis=0) + cells.rest, expected, atol=1e-5)


@pytest.mark.slow
def test_so_do_those_of_a_transformers_patches_with_its_cls_token_apart(
    known: list[str], banners: dict[str, Image.Image]
) -> None:
    image = next(iter(banners.values()))
    small, large = known
    for recipe, has_rest in ((f"{small}/gem", True), (f"{small}/patches", False), (f"{large}/complex", True)):
        chosen = named(recipe)
        pixels = prepare(image, chosen.transform)
        cells = CellEncoder(chosen)(pixels)
        assert cells.parts is not None and cells.rest is not None
        (expected,) = Encoder(chosen, batch_size=1)([pixels])
        np.testing.assert_allclose(cells.parts.sum(axis=0) + cells.rest, expected, atol=1e-5)
        assert bool(cells.rest.any()) == has_rest
    for recipe in (f"{small}/simple", f"{small}/complex", f"{small}/multiscale"):
        cells = CellEncoder(named(recipe))(prepare(image, named(recipe).transform))
        assert cells.parts is None


def test_shares_add_up_to_the_similarity_that_a_search_prints(
    built: Path, banners: dict[str, Image.Image]
) -> None:
    snapshot = Snapshot.open(built)
    explain = Explainer(snapshot.recipe)
    query = "neonoir"
    match = snapshot.similar(query, 1)[0]
    found = explain(banners[query], banners[match.id])
    assert found.method == EXACT
    assert found.similarity == pytest.approx(match.similarity, abs=1e-4)
    for side in (found.first, found.second):
        assert side.shares.sum() + found.unlocated == pytest.approx(found.similarity, abs=1e-9)
        assert regions(side.shares).sum() == pytest.approx(side.shares.sum(), abs=1e-9)
        assert (side.weights >= 0).all()


def _recoloured(image: Image.Image, by: int) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point(lambda level: (level + by) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _inside(side: Side, box: tuple[int, int, int, int]) -> tuple[float, float]:
    """The share of the weight inside a box of the picture, and the share of the picture that it covers."""
    mask = Image.new("L", SIZE)
    mask.paste(255, box)
    rows, columns = side.weights.shape
    share = np.asarray(mask.resize((columns, rows), Image.Resampling.BOX)) / 255
    return float((side.weights * share).sum() / side.weights.sum()), float(share.mean())


@pytest.mark.slow
def test_a_recoloured_and_moved_piece_of_another_banner_is_pointed_at(
    banners: dict[str, Image.Image],
) -> None:
    rng = np.random.default_rng(7)
    explain, ids = Explainer(named("bundled")), sorted(banners)
    found, hits = [], []
    for _ in range(40):
        one, other = rng.choice(ids, 2, replace=False)
        width, height = int(rng.integers(120, 200)), int(rng.integers(150, 230))
        (x, y), (to_x, to_y) = (
            (int(rng.integers(0, SIZE[0] - width)), int(rng.integers(0, SIZE[1] - height))) for _ in range(2)
        )
        source, target = banners[one].resize(SIZE), banners[other].resize(SIZE)
        piece = source.crop((x, y, x + width, y + height))
        target.paste(_recoloured(piece, int(rng.integers(20, 60))), (to_x, to_y))
        said = explain(source, target)
        boxes = (x, y, x + width, y + height), (to_x, to_y, to_x + width, to_y + height)
        found += [_inside(side, box) for side, box in zip((said.first, said.second), boxes, strict=True)]
        for pair in said.pairs[:5]:
            spots = [(px * SIZE[0], py * SIZE[1]) for px, py in (pair.first, pair.second)]
            hits.append(
                all(b[0] <= sx < b[2] and b[1] <= sy < b[3] for (sx, sy), b in zip(spots, boxes, strict=True))
            )
    weight, area = np.mean(found, axis=0)
    assert area < 0.25
    assert weight > 2 * area, f"{weight:.2f} of the weight in {area:.2f} of the picture"
    assert np.mean(hits) > 0.7, f"{np.mean(hits):.2f} of the pairs lie in the piece, in both pictures"


def test_a_picture_and_itself_correspond_place_by_place(banners: dict[str, Image.Image]) -> None:
    found = Explainer(named("bundled"))(banners["neonoir"], banners["neonoir"])
    assert found.similarity == pytest.approx(1, abs=1e-6)
    assert len(found.pairs) == 10
    assert all(pair.first == pair.second for pair in found.pairs)
    np.testing.assert_allclose(found.first.weights, found.second.weights)


def test_padding_is_nothing_that_two_pictures_share(banners: dict[str, Image.Image]) -> None:
    square = named("bundled/fit/240x240")
    found = Explainer(square)(banners["neonoir"], banners["hollow-avenue"])
    grid = found.first.weights.shape
    assert grid == (15, 15)
    assert not found.first.weights[:, :2].any() and not found.first.weights[:, -2:].any()
    assert found.first.weights[:, 3:-3].any()
    assert found.pairs
    assert all(0.15 < place[0] < 0.85 for pair in found.pairs for place in (pair.first, pair.second))


@pytest.mark.slow
def test_a_cls_token_is_explained_by_covering_parts_and_by_its_heads(
    known: list[str], banners: dict[str, Image.Image]
) -> None:
    recipe = named(f"{known[0]}/simple/squash/224x320")
    images = [banners["neonoir"], banners["hollow-avenue"]]
    found = Explainer(recipe)(*images)
    assert found.method == OCCLUSION
    encoder = Encoder(recipe, batch_size=1)
    pixels = [prepare(image, recipe.transform) for image in images]
    one, two = (encoder([picture])[0] for picture in pixels)
    assert found.similarity == pytest.approx(float(one @ two), abs=1e-6)
    without = covered(pixels[0])
    assert found.first.shares.shape == (6, 4)
    for number in (0, 13, 23):
        expected = float(one @ two) - float(encoder([without[number]])[0] @ two)
        assert found.first.shares.flat[number] == pytest.approx(expected, abs=1e-5)
    assert found.first.attention is not None
    np.testing.assert_allclose(found.first.attention, attention(recipe, pixels[0]))
    assert found.first.weights.shape == (20, 14)


@pytest.mark.slow
def test_a_model_with_one_embedding_is_explained_by_covering_parts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, banners: dict[str, Image.Image]
) -> None:
    pytest.importorskip("torch", reason="the tiny model is PyTorch's")
    made = make_clip(tmp_path)
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    model = replace(models()["clip-vitb32"], dim=DIM)
    monkeypatch.setitem(models(), model.name, model)
    folder = model_files.working_folder(model)
    for name in ("model.onnx", "text.onnx", "tokenizer.json"):
        shutil.copy(made.folder / name, folder / name)
    model_files.keep(model, folder, origin={"test": True})
    found = Explainer(named("clip"))(banners["neonoir"], banners["hollow-avenue"])
    assert (found.method, found.pairs, found.first.attention) == (OCCLUSION, (), None)
    assert found.first.weights.shape == (6, 4)
    with pytest.raises(RecipeError, match="nothing is known of its parts"):
        CellEncoder(named("clip"))


def test_covering_changes_one_part_and_nothing_else() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    made = covered(pixels)
    assert len(made) == 24
    changed = [(one != pixels).any(axis=2) for one in made]
    assert np.sum(changed, axis=0).max() == 1
    assert all(one.sum() <= 100 for one in changed)


@given(
    npst.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.floats(-10, 10)),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_regions_keep_the_sum_of_any_map(values: np.ndarray, rows: int, columns: int) -> None:
    summed = regions(values, rows, columns)
    assert summed.shape == (rows, columns)
    assert summed.sum() == pytest.approx(values.sum(), abs=1e-6)


def test_cells_are_compared_with_their_surroundings(banners: dict[str, Image.Image]) -> None:
    recipe = named("bundled")
    encode = CellEncoder(recipe)
    one, two = (encode(prepare(banners[key], recipe.transform)) for key in ("neonoir", "hollow-avenue"))
    table = likeness(one, two)
    rows, columns = one.grid
    middle = (one.descriptors.mean(axis=0) + two.descriptors.mean(axis=0)) / 2
    first, second = (
        (cells.descriptors - middle) / np.linalg.norm(cells.descriptors - middle, axis=1, keepdims=True)
        for cells in (one, two)
    )
    for a, b in ((0, 0), (37, 64), (0, 149), (149, 3)):
        around = [
            first[a + down * columns + across] @ second[b + down * columns + across]
            for down in (-1, 0, 1)
            for across in (-1, 0, 1)
            if all(
                0 <= cell // columns + down < rows and 0 <= cell % columns + across < columns
                for cell in (a, b)
            )
        ]
        assert table[a, b] == pytest.approx(np.mean(around), abs=1e-9)
    np.testing.assert_allclose(table, likeness(two, one).T, atol=1e-9)


@pytest.mark.slow
def test_threads_share_one_explainer_which_makes_one_encoder(
    banners: dict[str, Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Slow(Encoder):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            made.append(self)
            time.sleep(0.1)  # so that the others come while it is being made
            super().__init__(*arguments, **options)

    monkeypatch.setattr("steamdino.analysis.explain.Encoder", Slow)
    first, second = list(banners.values())[:2]
    explainer = Explainer(named("bundled", pooling="multiscale"))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: explainer(first, second), range(2)))
    assert len(made) == 1
    for one in found:
        assert (one.method, one.similarity) == (OCCLUSION, found[0].similarity)
        np.testing.assert_array_equal(one.first.shares, found[0].first.shares)
