"""Put a model's files into the cache, from the hub or from a local file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from steamdino.errors import MissingExtraError, ModelError, SteamDinoError
from steamdino.features import model_files, pooling
from steamdino.features.hub import AbsentFileError, Download, DownloadError, download
from steamdino.features.model_files import DATA, TEXT, TOKENIZER, WEIGHTS, ModelFiles
from steamdino.features.model_registry import Model
from steamdino.records import Progress

FILES = {"weights": WEIGHTS, "data": DATA, "text": TEXT, "tokenizer": TOKENIZER}
"""Names in the cache of the files of a record's `hub`."""

ONNX_BEGINS = b"\x08"
"""The tag of an ONNX file's first field, its version."""


def pull(
    model: Model, *, revision: str = "main", torch: bool = False, progress: Progress | None = None
) -> ModelFiles:
    """Download a model from the hub: as ONNX if the hub has it, else as PyTorch weights, which are exported here.

    Args:
        model: the model's record.
        revision: a branch, a tag or a commit of the hub's repository.
        torch: use the PyTorch weights even if there is an ONNX file: the exported file has every output at every size,
            and its weights run on a GPU.
        progress: called with (bytes done, total bytes) for each file in turn.

    Raises:
        ModelError: the hub does not have it, or a file cannot be downloaded or used; the cache is unchanged.
        MissingExtraError: PyTorch is needed and not installed.
    """
    if model.hub and not torch:
        fetch = _fetch_onnx
    elif "repo" in model.torch:
        _check_torch(model)
        fetch = _fetch_torch
    else:
        raise ModelError(
            f"{model.name} is not on the hub; download {model.torch.get('original')} and name the file:"
            f" {model_files.pull_command(model.name)} --weights FILE"
        )
    fetched: list[Download] = []
    try:
        files = _into_cache(model, lambda folder: fetch(model, folder, revision, progress, fetched))
    except DownloadError:
        raise  # what has arrived is kept, for the next call
    except SteamDinoError:
        _discard(fetched)
        raise
    _discard(fetched)
    return files


def _discard(fetched: list[Download]) -> None:
    for one in fetched:
        one.discard()


def take(model: Model, source: Path) -> ModelFiles:
    """Import a model's weights from local files.

    Args:
        model: the model's record.
        source: an ONNX file with input (B, 3, H, W) float32 and output tokens (see `runtimes.onnx_graph`; its external
            data must be beside it as ``model.onnx_data``), or PyTorch weights (see `features.checkpoints`).

    Raises:
        ModelError: it cannot be read, or lacks the model's outputs; the cache is unchanged.
        MissingExtraError: PyTorch is needed and not installed.
    """

    def fill(folder: Path) -> dict[str, Any]:
        if not source.exists():
            raise ModelError(f"{source} does not exist; name another file with --weights")
        if source.is_file() and source.suffix == ".onnx":
            shutil.copyfile(source, folder / WEIGHTS)
            if (data := source.parent / DATA).is_file():
                shutil.copyfile(data, folder / DATA)
        else:
            from steamdino.features.onnx_export import export

            export(model, source, folder)
        return {"file": source.name}

    return _into_cache(model, fill)


def _fetch_onnx(
    model: Model, folder: Path, revision: str, progress: Progress | None, fetched: list[Download]
) -> dict[str, Any]:
    repo, files = model.hub["repo"], {}
    for key, name in FILES.items():
        if key not in model.hub:
            continue
        expected = model.hub.get("sha256") if key == "weights" else None
        found = download(repo, model.hub[key], revision=revision, expected=expected, progress=progress)
        fetched.append(found)
        _check_unchanged(model, repo, model.hub[key], found)
        found.put(folder / name)
        files[model.hub[key]] = found.sha256
    return {"repo": repo, "revision": found.revision, "files": files}


def _fetch_torch(
    model: Model, folder: Path, revision: str, progress: Progress | None, fetched: list[Download]
) -> dict[str, Any]:
    from steamdino.features.onnx_export import export

    repo, files = model.torch["repo"], {}
    with tempfile.TemporaryDirectory() as source:
        names = ["config.json", "model.safetensors", *([TOKENIZER] if model.family == "clip" else [])]
        for name in names:
            try:
                found = download(repo, name, revision=revision, progress=progress)
            except AbsentFileError:
                if name != "model.safetensors":
                    raise
                name = "pytorch_model.bin"
                found = download(repo, name, revision=revision, progress=progress)
            fetched.append(found)
            _check_unchanged(model, repo, name, found)
            found.put(Path(source, name))
            files[name] = found.sha256
        export(model, Path(source), folder)
    return {"repo": repo, "revision": found.revision, "files": files}


def _check_unchanged(model: Model, repo: str, name: str, found: Download) -> None:
    """Check a file against the hash recorded at its first pull, since the files of a commit never change."""
    before = model_files.find(model)
    if before is None or (before.origin.get("repo"), before.origin.get("revision")) != (repo, found.revision):
        return
    known = before.origin.get("files", {}).get(name)
    if known not in (None, found.sha256):
        raise ModelError(
            f"{repo}/{name} has changed within the revision {found.revision[:12]}: its sha256 is {found.sha256},"
            f" and was {known}; the files on this machine are kept"
        )


def _check_torch(model: Model) -> None:
    """Check that PyTorch is installed, before gigabytes are downloaded."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtraError(f"exporting {model.name}, for which the hub has no ONNX file,", "torch")


def _into_cache(model: Model, fill: Callable[[Path], dict[str, Any]]) -> ModelFiles:
    try:
        folder = model_files.working_folder(model)
    except OSError as error:
        raise model_files.unwritable(error) from None
    try:
        origin = fill(folder)
        _prove(model, folder / WEIGHTS)
        return model_files.keep(model, folder, origin=origin)
    except OSError as error:
        raise model_files.unwritable(error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prove(model: Model, weights: Path) -> None:
    """Run the model on a grey picture, so that unusable files never enter the cache."""
    from steamdino.features.runtimes.openvino import OpenVinoModel

    with weights.open("rb") as file:
        if (
            file.read(1) != ONNX_BEGINS
        ):  # OpenVINO would try all its other formats, and print an error for each
            raise ModelError(f"the file for {model.name} is not an ONNX file")
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
            f"it is not {model.name}: its tokens have {given.shape[-1]} numbers, expected {model.dim}"
        )
