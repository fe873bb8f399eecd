"""Export PyTorch weights to one ONNX file with all outputs that the poolings need; the same outputs in PyTorch."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features import checkpoints
from steamdino.features.model_files import CHECKPOINT, TEXT, TOKENIZER, WEIGHTS
from steamdino.features.model_registry import Model

if TYPE_CHECKING:
    from torch import Tensor, nn

OPSET = 18
LARGEST = 1_800_000_000
"""Maximum bytes of weights inside an ONNX file; larger weights are stored beside it."""

OUTPUTS = {
    "vit": ("tokens", "tokens_2", "tokens_3", "tokens_4", "attention"),
    "conv": ("tokens",),
    "clip": ("embedding",),
}
"""The outputs of each family, by their names in `runtimes.onnx_graph`, in the order of `outputs_of`'s results."""


def export(model: Model, source: Path, folder: Path) -> None:
    """Write ``model.onnx`` (for CLIP also ``text.onnx`` and ``tokenizer.json``), and the weights for PyTorch itself.

    Args:
        model: the model's record.
        source: see `features.checkpoints`.
        folder: the folder to write into.

    Raises:
        MissingExtraError: PyTorch, transformers or an exporter is not installed.
        ModelError: the source cannot be read, or holds another model.
    """
    module = checkpoints.load(model, source)
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError:
        raise MissingExtraError(f"exporting {model.name}", "torch") from None
    wrapped = outputs_of(model, module)
    # Neither square nor of the trained size: otherwise the exporter fixes these sizes.
    size, beside = model.transform, 2 * model.stride if model.family != "clip" else 0
    picture = torch.zeros(2, 3, size.height + beside, size.width - beside // 2)
    if type(module).__name__ == "Dinov2WithRegistersModel":
        _interpolate_exportably(module)
    _to_onnx(wrapped, picture, folder / WEIGHTS, "pixel_values", OUTPUTS[model.family], model)
    if model.family == "clip":
        _to_onnx(
            _text(module), torch.zeros(2, 77, dtype=torch.int64), folder / TEXT, "input_ids", ("embedding",)
        )
        try:
            shutil.copyfile(source / TOKENIZER, folder / TOKENIZER)
        except OSError as error:
            raise ModelError(
                f"{source / TOKENIZER} cannot be read: {error.strerror}; CLIP needs it"
            ) from None
    module.save_pretrained(folder / CHECKPOINT)


def outputs_of(model: Model, module: nn.Module) -> nn.Module:
    """Return a module that maps normalised pictures (B, 3, H, W) to its family's `OUTPUTS` as a tuple."""
    from torch import nn

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner: Any = module
            self.norm: Any = getattr(module, "layernorm", None) or module.norm
            self.options = {"interpolate_pos_encoding": True} if type(module).__name__ == "ViTModel" else {}

        def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
            given = self.inner(
                pixel_values=pixel_values, output_hidden_states=True, output_attentions=True, **self.options
            )
            blocks = [self.norm(given.hidden_states[-n]) for n in (1, 2, 3, 4)]
            return (*blocks, given.attentions[-1][:, :, 0])

    class Convolutional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner: Any = module

        def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
            import torch

            cells = self.inner(pixel_values).last_hidden_state.flatten(2).transpose(1, 2)
            return (torch.cat([cells.mean(1, keepdim=True), cells], 1),)

    class Pictures(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner: Any = module

        def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
            pooled = self.inner.vision_model(pixel_values=pixel_values).pooler_output
            return (self.inner.visual_projection(pooled),)

    wrapped: nn.Module = {"vit": Transformer, "conv": Convolutional, "clip": Pictures}[model.family]()
    return wrapped.eval()


def _interpolate_exportably(module: Any) -> None:
    """Make a module interpolate its position embeddings with operations that ONNX has.

    Models with registers interpolate bicubically with antialiasing, which ONNX runtimes compute differently. Here it is
    two products with the resampling weights: Keys' cubic with coefficient -0.5, stretched if the grid shrinks, each row
    adding up to 1, as in PyTorch and Pillow.
    """
    import torch

    known = module.embeddings.position_embeddings
    side = round((known.shape[1] - 1) ** 0.5)
    patch = module.config.patch_size

    def weights(cells: Any) -> Tensor:
        scale = side / torch.scalar_tensor(cells, dtype=torch.float32)
        centres = (torch.arange(cells, dtype=torch.float32) + 0.5) * scale
        stretch = torch.clamp(scale, min=1.0)
        distance = ((torch.arange(side, dtype=torch.float32) + 0.5)[None] - centres[:, None]).abs() / stretch
        near = (1.5 * distance - 2.5) * distance * distance + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        values = torch.where(distance < 1, near, torch.where(distance < 2, far, torch.zeros_like(distance)))
        return values / values.sum(1, keepdim=True)

    def interpolate(embeddings: Tensor, height: int, width: int) -> Tensor:
        grid = known[0, 1:].reshape(side, side, -1)
        resized = torch.einsum("hr,wc,rcd->hwd", weights(height // patch), weights(width // patch), grid)
        return torch.cat([known[:, :1], resized.flatten(0, 1)[None]], 1)

    module.embeddings.interpolate_pos_encoding = interpolate


def _text(module: Any) -> nn.Module:
    from torch import nn

    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner: Any = module

        def forward(self, input_ids: Tensor) -> Tensor:
            projected: Tensor = self.inner.text_projection(
                self.inner.text_model(input_ids=input_ids).pooler_output
            )
            return projected

    return Words().eval()


def _to_onnx(
    module: nn.Module,
    example: Tensor,
    path: Path,
    takes: str,
    gives: tuple[str, ...],
    model: Model | None = None,
) -> None:
    import torch
    from torch.export import Dim

    dynamic: dict[int, Any] = {0: Dim.DYNAMIC}
    if model is not None and model.family != "clip":  # CLIP's towers take one size only
        dynamic |= {2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    size = sum(weights.numel() * weights.element_size() for weights in module.parameters())
    with _quiet():
        torch.onnx.export(
            module,
            (example,),
            path,
            input_names=[takes],
            output_names=list(gives),
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=(dynamic,),
            external_data=size > LARGEST,
            verbose=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter, which logs on many channels; failures still raise exceptions."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
