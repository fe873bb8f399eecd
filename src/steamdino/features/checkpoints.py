"""Load PyTorch weights of the official models, in any of three forms, as modules of transformers.

The forms are a folder in transformers' layout; the authors' own file, of ``facebookresearch/dino`` (a vision
transformer, or a ResNet-50 with torchvision's names) or ``facebookresearch/dinov2`` (with and without registers), or a
training checkpoint of either, of which the teacher is used; and a ``.safetensors`` file with either set of names. Only
weights are loaded: no code in the files is run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features import checkpoint_contents
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
_BLOCK_OF_DINOV2 = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attn.proj": "attention.o_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "mlp.w3": "mlp.down_proj",
    "ls1": "layer_scale1",
    "ls2": "layer_scale2",
}
_STEM = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "mask_token": "embeddings.mask_token",
    "register_tokens": "embeddings.register_tokens",
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
        if source.is_dir():
            module = _from_folder(source)
            if model.family == "vit":
                checkpoint_contents.check(model, source, module.state_dict())
        else:
            module = _from_file(model, source)
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
    if not checkpoint_contents.comes_as_a_file(model):
        raise ModelError(
            f"{model.name} is not read from a file such as {file}; give a folder in transformers' layout, with its"
            " config.json and model.safetensors"
        )
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        state: State = load_file(file)
    else:
        import torch

        loaded = torch.load(file, map_location="cpu", weights_only=True)
        if not isinstance(loaded, Mapping):
            raise ModelError(f"{file} holds a {type(loaded).__name__}, not weights by their names")
        state = _backbone(loaded)
    checkpoint_contents.check(model, file, state)
    if "patch_embed.proj.weight" in state:
        return _vision_transformer(model, file, state)
    if "layer1.0.conv1.weight" in state:
        return _resnet(file, state)
    return _transformers_names(model, file, state)


def _backbone(loaded: Mapping[str, Any]) -> State:
    """Return the backbone of a training checkpoint's teacher, or the weights as they are, with one number a block."""
    for name in ("teacher", "student", "state_dict", "model"):
        if isinstance(loaded.get(name), Mapping):
            loaded = loaded[name]
            break
    made = {}
    for key, value in loaded.items():
        name = re.sub(r"^(module\.|backbone\.)+", "", str(key).replace("_fsdp_wrapped_module.", ""))
        # DINOv2 trains its blocks in chunks: the second number is the block's own.
        name = re.sub(r"^blocks\.\d+\.(\d+)\.", r"blocks.\1.", name)
        if not name.startswith(("head.", "fc.", "dino_head.", "ibot_head.")):
            made[name] = value
    return made


def _vision_transformer(model: Model, file: Path, state: State) -> nn.Module:
    import torch
    from transformers import (
        Dinov2Config,
        Dinov2Model,
        Dinov2WithRegistersConfig,
        Dinov2WithRegistersModel,
        ViTConfig,
        ViTModel,
    )

    width, _, patch, _ = state["patch_embed.proj.weight"].shape
    settings: dict[str, Any] = {
        "hidden_size": width,
        "num_hidden_layers": model.blocks,
        "num_attention_heads": model.heads,
        "patch_size": patch,
        "image_size": round((state["pos_embed"].shape[1] - 1) ** 0.5) * patch,
        "layer_norm_eps": EPSILON,
        "attn_implementation": "eager",
    }
    if "blocks.0.ls1.gamma" not in state:
        inner = state["blocks.0.mlp.fc1.weight"].shape[0]
        module: nn.Module = ViTModel(ViTConfig(**settings, intermediate_size=inner), add_pooling_layer=False)
        return _filled(module, file, _renamed(state, "layers", _BLOCK))
    settings["use_swiglu_ffn"] = "blocks.0.mlp.w12.weight" in state
    if "register_tokens" in state:
        registers = state["register_tokens"].shape[1]
        module = Dinov2WithRegistersModel(
            Dinov2WithRegistersConfig(**settings, num_register_tokens=registers)
        )
    else:
        module = Dinov2Model(Dinov2Config(**settings))
    # It covers patches in training only, and some files are published without it.
    state = {"mask_token": torch.zeros(1, width), **state}
    return _filled(module, file, _renamed(state, "encoder.layer", _BLOCK_OF_DINOV2))


def _filled(module: nn.Module, file: Path, weights: Mapping[str, Tensor]) -> nn.Module:
    """Give a module its weights.

    Raises:
        ModelError: some are missing, unknown or of another shape.
    """
    checkpoint_contents.compare(file, module.state_dict(), weights)
    module.load_state_dict(weights)
    return module


def _renamed(state: State, layers: str, block: Mapping[str, str]) -> dict[str, Tensor]:
    """Give weights with the authors' names those of transformers; what has none keeps its own."""
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        if not key.startswith("blocks.") or key.count(".") < 3:
            renamed[_STEM.get(key, key)] = value
            continue
        _, number, name = key.split(".", 2)
        part, kind = name.rsplit(".", 1)
        inside = f"{layers}.{number}"
        if part == "attn.qkv":  # one matrix for all three, in this order
            for letter, share in zip("qkv", value.chunk(3), strict=True):
                renamed[f"{inside}.attention.{letter}_proj.{kind}"] = share
        elif part == "mlp.w12":  # both factors of SwiGLU, in this order
            for gate, share in zip(("gate_proj", "up_proj"), value.chunk(2), strict=True):
                renamed[f"{inside}.mlp.{gate}.{kind}"] = share
        elif part in block:
            renamed[f"{inside}.{block[part]}.{'lambda1' if kind == 'gamma' else kind}"] = value
        else:
            renamed[key] = value
    return renamed


def _resnet(file: Path, state: State) -> nn.Module:
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
    return _filled(module, file, renamed)


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
