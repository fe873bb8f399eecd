"""A model's files, from the hub or from a file that somebody has, into the cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from steamdino.errors import ModelError, SteamDinoError
from steamdino.features import cache, pooling
from steamdino.features.cache import DATA, TEXT, TOKENIZER, WEIGHTS, ModelFiles
from steamdino.features.hub import download
from steamdino.features.registry import Model
from steamdino.records import Progress

FILES = {"weights": WEIGHTS, "data": DATA, "text": TEXT, "tokenizer": TOKENIZER}
"""What the files of a record's `hub` are called in the cache."""

ONNX_BEGINS = b"\x08"
"""The tag of an ONNX file's first field, its version."""


def pull(model: Model, *, revision: str = "main", progress: Progress | None = None) -> ModelFiles:
    """Fetches a model's ONNX files from the hub.

    Args:
        model: its record.
        revision: a branch, a tag or a commit of the hub's repository.
        progress: called with (bytes done, bytes in all) of each file in turn.

    Raises:
        ModelError: the hub has none, a file cannot be had, or it is not what it should be; the cache is as before.
    """
    if not model.hub:
        source = model.torch.get("original") or f"https://huggingface.co/{model.torch.get('repo')}"
        raise ModelError(
            f"no ONNX file of {model.name} is known on the hub; export one from {source} (input (B, 3, H, W), output"
            f" tokens) and name it: {cache.pull_command(model.name)} --weights FILE"
        )
    repo = model.hub["repo"]
    before = cache.find(model)

    def fill(folder: Path) -> dict[str, Any]:
        files = {}
        for key, name in FILES.items():
            if key not in model.hub:
                continue
            expected = model.hub.get("sha256") if key == "weights" else None
            found = download(repo, model.hub[key], revision=revision, expected=expected, progress=progress)
            known = before.origin.get("files", {}).get(model.hub[key]) if before else None
            if before and known and before.origin.get("revision") == found.revision and known != found.sha256:
                raise ModelError(
                    f"{repo}/{model.hub[key]} has changed within the revision {found.revision[:12]}: its sha256 is"
                    f" {found.sha256}, and was {known}; the files that are here stay"
                )
            shutil.copyfile(found.path, folder / name)
            files[model.hub[key]] = found.sha256
        return {"repo": repo, "revision": found.revision, "files": files}

    return _into_cache(model, fill)


def take(model: Model, file: Path) -> ModelFiles:
    """Takes a model's weights from an ONNX file.

    Args:
        model: its record.
        file: input (B, 3, H, W) float32, output tokens (see `runtimes.graph`); what the graph keeps outside must lie
            beside it as ``model.onnx_data``.

    Raises:
        ModelError: it cannot be read, or does not give what the model should; the cache is as before.
    """

    def fill(folder: Path) -> dict[str, Any]:
        try:
            shutil.copyfile(file, folder / WEIGHTS)
            if (data := file.parent / DATA).is_file():
                shutil.copyfile(data, folder / DATA)
        except OSError as error:
            raise ModelError(
                f"{file} cannot be read: {error.strerror}; name another file with --weights"
            ) from None
        return {"file": file.name}

    return _into_cache(model, fill)


def _into_cache(model: Model, fill: Callable[[Path], dict[str, Any]]) -> ModelFiles:
    try:
        folder = cache.working_folder(model)
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be written: {error.strerror}; set STEAMDINO_CACHE"
        ) from None
    try:
        origin = fill(folder)
        _prove(model, folder / WEIGHTS)
        return cache.keep(model, folder, origin=origin)
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be written: {error.strerror}; set STEAMDINO_CACHE"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prove(model: Model, weights: Path) -> None:
    """Lets the model look at a grey picture: what cannot be used shall not enter the cache."""
    from steamdino.features.runtimes.openvino import OpenVinoModel

    with weights.open("rb") as file:
        if (
            file.read(1) != ONNX_BEGINS
        ):  # OpenVINO would try all its other formats on it, and complain of each
            raise ModelError(f"what came for {model.name} is not an ONNX file")
    size = model.transform
    try:
        run = OpenVinoModel(
            weights,
            model,
            size,
            outputs=pooling.outputs(model.pooling, model),
            batch_size=1,
            precision="f32",
        )
        (given,) = run(np.full((1, size.height, size.width, 3), 128, np.uint8))
    except SteamDinoError:
        raise
    except RuntimeError as error:
        raise ModelError(
            f"it cannot be used for {model.name}: {str(error).strip().splitlines()[-1]}"
        ) from None
    if given.shape[-1] != model.dim or not np.isfinite(given).all():
        raise ModelError(
            f"it is not {model.name}: it gives {given.shape[-1]} numbers a token where {model.dim} are due"
        )
