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
from steamdino.features.position_resampling import ANTIALIASED_CUBIC, CUBIC, EXTRA, REACH
from steamdino.recipe import ANTIALIAS

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
    wrapped = outputs_of(model, module, model.positions)
    # Neither square nor of the trained size: otherwise the exporter fixes these sizes.
    size, beside = model.transform, 2 * model.stride if model.family != "clip" else 0
    picture = torch.zeros(2, 3, size.height + beside, size.width - beside // 2)
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


def outputs_of(model: Model, module: nn.Module, positions: str | None = None) -> nn.Module:
    """Return a module that maps normalised pictures (B, 3, H, W) to its family's `OUTPUTS` as a tuple.

    Args:
        model: its record.
        module: of transformers; changed in place.
        positions: how to resample its position embeddings, of `position_resampling`; None as transformers does.
    """
    from torch import nn

    if positions is not None:
        _resample_positions(module, positions)

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


def _resample_positions(module: Any, rule: str) -> None:
    """Make a module resample its position embeddings by a rule of `position_resampling`, in operations that ONNX has.

    The same two products as there, with weights that are computed where the size becomes known: in an exported graph,
    from the size of each input. In single precision, whatever the module's is.
    """
    import torch

    embeddings = module.embeddings
    patch = module.config.patch_size
    reach = 0 if rule == ANTIALIAS else REACH
    coefficient = ANTIALIASED_CUBIC if rule == ANTIALIAS else CUBIC

    def interpolate(_: Tensor, height: int, width: int) -> Tensor:
        known = embeddings.position_embeddings
        side = round((known.shape[1] - 1) ** 0.5)
        counts = (height // patch, width // patch)
        rows, columns = (
            torch.scalar_tensor(count, dtype=torch.float32, device=known.device) for count in counts
        )
        trained = (rows == side) & (columns == side)
        extra = torch.where(trained, 0.0, 0.0 if rule == ANTIALIAS else EXTRA)
        places = torch.arange(-reach, side + reach, dtype=torch.float32, device=known.device)

        def weights(count: int, cells: Tensor) -> Tensor:
            scale = side / (cells + extra)
            steps = torch.arange(count, dtype=torch.float32, device=known.device)
            distances = (places - ((steps + 0.5) * scale - 0.5)[:, None]).abs()
            if rule == ANTIALIAS:
                values = _cubic(distances / torch.clamp(scale, min=1.0), coefficient)
                return values / values.sum(1, keepdim=True)
            return _cubic(distances, coefficient)

        border = torch.arange(-reach, side + reach, device=known.device).clamp(0, side - 1)
        grid = known[0, 1:].float().reshape(side, side, -1)[border][:, border]
        products = (weights(counts[0], rows), weights(counts[1], columns), grid)
        resized = torch.einsum("hr,wc,rcd->hwd", *products).to(known.dtype)
        return torch.cat([known[:, :1], resized.flatten(0, 1)[None]], 1)

    embeddings.interpolate_pos_encoding = interpolate


def _cubic(distances: Tensor, a: float) -> Tensor:
    """As `position_resampling.cubic`."""
    import torch

    x = distances
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


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
