"""PyTorch weights from a hub on loopback, exported on arrival."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the hub serves PyTorch weights")

import torch
from huggingface_hub import constants

from fakes.hub import COMMIT, Hub, serving
from fakes.transformer import known_as, make
from steamdino.errors import ModelError
from steamdino.features import model_files
from steamdino.features.model_registry import Model
from steamdino.features.pull import pull

REPO = "facebook/dino-vits16"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as server:
        monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            server.address + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server


@pytest.fixture
def model(hub: Hub, tmp_path: Path) -> Iterator[Model]:
    module, record = make("vit")
    module.save_pretrained(tmp_path / "weights")
    for path in (tmp_path / "weights").iterdir():
        hub.files[f"{REPO}/{path.name}"] = path.read_bytes()
    with known_as(record):
        yield record


@pytest.mark.slow
def test_pytorch_weights_are_exported_on_arrival(hub: Hub, model: Model) -> None:
    seen: list[tuple[int, int]] = []
    files = pull(model, torch=True, progress=lambda done, total: seen.append((done, total)))
    assert {"model.onnx", "checkpoint/model.safetensors", "checkpoint/config.json"} <= set(files.files)
    assert (files.origin["repo"], files.origin["revision"]) == (REPO, COMMIT)
    assert set(files.origin["files"]) == {"config.json", "model.safetensors"}
    assert seen[-1][0] == seen[-1][1] == len(hub.files[f"{REPO}/model.safetensors"])
    assert model_files.find(model) == files


@pytest.mark.slow
def test_an_older_repository_has_its_weights_in_another_file(hub: Hub, model: Model) -> None:
    module, _ = make("vit")
    del hub.files[f"{REPO}/model.safetensors"]
    older = Path(constants.HF_HUB_CACHE).parent / "pytorch_model.bin"
    torch.save(module.state_dict(), older)
    hub.files[f"{REPO}/pytorch_model.bin"] = older.read_bytes()
    files = pull(model, torch=True)
    assert set(files.origin["files"]) == {"config.json", "pytorch_model.bin"}


def test_a_failed_download_leaves_nothing(hub: Hub, model: Model, tmp_path: Path) -> None:
    hub.files[f"{REPO}/model.safetensors"] = hub.files[f"{REPO}/model.safetensors"][:1000]
    with pytest.raises(ModelError, match="cannot be read as dino-vits16"):
        pull(model, torch=True)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
