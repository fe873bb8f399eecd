"""Load PyTorch weights of the official models, in any of three forms, as modules of transformers.

The forms are a folder in transformers' layout; the authors' own file, ``facebookresearch/dino`` (a vision transformer,
a ResNet-50 with torchvision's names, or a training checkpoint, of which the teacher is used); and a ``.safetensors``
file with either set of names. Only weights are loaded: no code in the files is run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features.model_registry import Model

if TYPE_CHECKING:
    from torch import Tensor, nn

    State = Mapping[str, Tensor]

EPSILON = 1e-6
"""Epsilon of the original's layer norms; transformers has another default."""

_BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.o_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_STEM = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
    "norm.weight": "layernorm.weight",
    "norm.bias": "layernorm.bias",
}


def load(model: Model, source: Path) -> nn.Module:
    """Load weights into a module of transformers, in evaluation mode.

    Args:
        model: the model's record.
        source: a folder in transformers' layout, or a file.

    Raises:
        MissingExtraError: PyTorch or transformers is not installed.
        ModelError: the source cannot be read, or holds another model.
    """
    try:
        import torch  # noqa: F401
        from transformers.utils import logging
    except ImportError:
        raise MissingExtraError(f"reading PyTorch weights of {model.name}", "torch") from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        module = _from_folder(source) if source.is_dir() else _from_file(model, source)
    except ModelError:
        raise
    except Exception as error:  # an untrusted file can make the readers raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{source} cannot be read as {model.name}: {reason}") from None
    module.requires_grad_(requires_grad=False)
    return module.eval()


def _from_folder(folder: Path) -> nn.Module:
    from transformers import AutoModel

    module: nn.Module = AutoModel.from_pretrained(
        folder, local_files_only=True, attn_implementation="eager", dtype="float32"
    )
    return module


def _from_file(model: Model, file: Path) -> nn.Module:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        state: State = load_file(file)
    else:
        import torch

        loaded = torch.load(file, map_location="cpu", weights_only=True)
        state = _backbone(loaded)
    if "patch_embed.proj.weight" in state:
        return _vision_transformer(model, state)
    if "layer1.0.conv1.weight" in state:
        return _resnet(state)
    return _transformers_names(model, file, state)


def _backbone(loaded: Mapping[str, Any]) -> State:
    """Return the backbone of a training checkpoint's teacher, or the weights as they are."""
    for name in ("teacher", "student", "state_dict", "model"):
        if isinstance(loaded.get(name), Mapping):
            loaded = loaded[name]
            break
    stripped = {re.sub(r"^(module\.|backbone\.)+", "", key): value for key, value in loaded.items()}
    return {key: value for key, value in stripped.items() if not key.startswith(("head.", "fc."))}


def _vision_transformer(model: Model, state: State) -> nn.Module:
    from transformers import ViTConfig, ViTModel

    width, _, patch, _ = state["patch_embed.proj.weight"].shape
    blocks = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("blocks."))
    side = round((state["pos_embed"].shape[1] - 1) ** 0.5)
    found, due = (width, patch, blocks), (model.dim, model.stride, model.blocks)
    if found != due:
        raise ModelError(
            f"these are the weights of a transformer of width, patch and blocks {found}, but {model.name} has {due}"
        )
    module: nn.Module = ViTModel(
        ViTConfig(
            hidden_size=width,
            num_hidden_layers=blocks,
            num_attention_heads=model.heads,
            intermediate_size=state["blocks.0.mlp.fc1.weight"].shape[0],
            patch_size=patch,
            image_size=side * patch,
            layer_norm_eps=EPSILON,
            attn_implementation="eager",
        ),
        add_pooling_layer=False,
    )
    module.load_state_dict(_renamed(state))
    return module


def _renamed(state: State) -> dict[str, Tensor]:
    renamed = {theirs: state[ours] for ours, theirs in _STEM.items()}
    for key, value in state.items():
        if not key.startswith("blocks."):
            continue
        _, number, name = key.split(".", 2)
        part, kind = name.rsplit(".", 1)
        if part == "attn.qkv":  # one matrix for all three, in this order
            for letter, share in zip("qkv", value.chunk(3), strict=True):
                renamed[f"layers.{number}.attention.{letter}_proj.{kind}"] = share
        else:
            renamed[f"layers.{number}.{_BLOCK[part]}.{kind}"] = value
    return renamed


def _resnet(state: State) -> nn.Module:
    from transformers import ResNetConfig, ResNetModel

    stages = [
        len({key.split(".")[1] for key in state if key.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    ]
    widths = [state[f"layer{stage}.0.conv3.weight"].shape[0] for stage in (1, 2, 3, 4)]
    module: nn.Module = ResNetModel(
        ResNetConfig(
            embedding_size=state["conv1.weight"].shape[0],
            hidden_sizes=widths,
            depths=stages,
            layer_type="bottleneck",
        )
    )
    renamed = {}
    for key, value in state.items():
        name = re.sub(r"^conv1\.", "embedder.embedder.convolution.", key)
        name = re.sub(r"^bn1\.", "embedder.embedder.normalization.", name)
        name = re.sub(
            r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}.layers.{m[2]}.", name
        )
        name = re.sub(r"\.conv(\d)\.", lambda m: f".layer.{int(m[1]) - 1}.convolution.", name)
        name = re.sub(r"\.bn(\d)\.", lambda m: f".layer.{int(m[1]) - 1}.normalization.", name)
        name = name.replace("downsample.0.", "shortcut.convolution.").replace(
            "downsample.1.", "shortcut.normalization."
        )
        renamed[name] = value
    module.load_state_dict(renamed)
    return module


def _transformers_names(model: Model, file: Path, state: State) -> nn.Module:
    """Load a file with transformers' names; its configuration follows from the record and the shapes."""
    from safetensors.torch import save_file
    from transformers import Dinov2Config, Dinov2WithRegistersConfig, ViTConfig

    key = next((key for key in state if key.endswith("patch_embeddings.projection.weight")), None)
    positions = next((value for name, value in state.items() if name.endswith("position_embeddings")), None)
    if key is None or positions is None or model.family != "vit":
        raise ModelError(
            f"{file} has unknown names of weights ({next(iter(state), 'none')}, ...); give a folder in"
            " transformers' layout, with its config.json"
        )
    patch = state[key].shape[-1]
    settings: dict[str, Any] = {
        "hidden_size": model.dim,
        "num_hidden_layers": model.blocks,
        "num_attention_heads": model.heads,
        "patch_size": patch,
        "image_size": round((positions.shape[1] - 1) ** 0.5) * patch,
        "layer_norm_eps": EPSILON,
    }
    if model.registers:
        config: Any = Dinov2WithRegistersConfig(**settings, num_register_tokens=model.registers)
        config.architectures = ["Dinov2WithRegistersModel"]
    elif model.name.startswith("dinov2"):
        config = Dinov2Config(**settings)
        config.architectures = ["Dinov2Model"]
    else:
        hidden = next(
            value.shape[0]
            for name, value in state.items()
            if name.endswith(("mlp.fc1.weight", "intermediate.dense.weight"))
        )
        config = ViTConfig(**settings, intermediate_size=hidden)
        config.architectures = ["ViTModel"]
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        save_file(dict(state), Path(folder, "model.safetensors"), metadata={"format": "pt"})
        return _from_folder(Path(folder))
