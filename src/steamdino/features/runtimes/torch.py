"""The PyTorch runtime: the same outputs on a GPU, from the weights that an export left beside the ONNX file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError, UsageError
from steamdino.features.model_registry import Model
from steamdino.features.runtimes.runtime import scaled_size
from steamdino.recipe import Transform

DEVICES = ("cpu", "cuda", "mps")


class TorchModel:
    """A model on a device of PyTorch. Threads may share it; it serves one call at a time."""

    def __init__(
        self,
        checkpoint: Path,
        model: Model,
        transform: Transform,
        *,
        outputs: Sequence[str],
        scale: float,
        device: str,
        precision: str,
    ) -> None:
        """Load the weights onto the device.

        Args:
            checkpoint: a folder in transformers' layout.
            model: its record.
            transform: of the recipe.
            outputs: what to compute, by the names in `runtimes.openvino_graph`.
            scale: of the input, at most 1.
            device: one of `DEVICES`.
            precision: "f32" or "bf16".

        Raises:
            MissingExtraError: PyTorch is not installed.
            UsageError: this machine has no such device.
            ModelError: the weights cannot be read.
        """
        check_device(device)
        import torch

        from steamdino.features.checkpoints import load
        from steamdino.features.onnx_export import OUTPUTS, outputs_of

        given = OUTPUTS[model.family]
        self._places = [given.index("tokens" if name == "pooled" else name) for name in outputs]
        self._first = [name == "pooled" for name in outputs]
        self._device = torch.device(device)
        self._kind = torch.bfloat16 if precision == "bf16" else torch.float32
        self._module = outputs_of(model, load(model, checkpoint), transform.positions).to(
            self._device, self._kind
        )
        self._mean, self._std = (
            torch.tensor(values, device=self._device).view(1, 3, 1, 1)
            for values in (transform.mean, transform.std)
        )
        self._scale, self._stride = scale, model.stride
        self._running = threading.Lock()

    def __call__(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Compute the outputs of a batch.

        Args:
            pixels: uint8, shape (n, height, width, 3).

        Returns:
            each output in the order of its name, float32, shape (n, ...).
        """
        import torch

        with self._running, torch.inference_mode():
            given = torch.tensor(pixels, device=self._device).permute(0, 3, 1, 2)
            normalised = (given.float() / 255 - self._mean) / self._std
            if self._scale != 1.0:
                height, width = scaled_size(pixels.shape[1], pixels.shape[2], self._scale, self._stride)
                smaller = torch.nn.functional.interpolate(
                    normalised, scale_factor=self._scale, mode="bilinear", align_corners=False
                )
                normalised = smaller[:, :, :height, :width]
            results = self._module(normalised.to(self._kind))
        taken = [
            results[place][:, 0] if first else results[place]
            for place, first in zip(self._places, self._first, strict=True)
        ]
        return [one.float().cpu().numpy() for one in taken]


def check_device(device: str) -> None:
    """Raise an error if this machine lacks a device.

    Raises:
        UsageError: it lacks the device, or there is no such kind.
        MissingExtraError: PyTorch is not installed.
    """
    if device not in DEVICES:
        raise UsageError(f"device is {device!r}; it must be one of: {', '.join(DEVICES)}")
    try:
        import torch
    except ImportError:
        raise MissingExtraError(f"inference on {device}", "torch") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[device]:
        raise UsageError(f"PyTorch sees no {device} device on this machine; use --device cpu")
