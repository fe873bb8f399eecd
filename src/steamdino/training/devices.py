"""Where a run computes."""

from __future__ import annotations

import torch

from steamdino.errors import UsageError


def device_of(name: str) -> torch.device:
    """A device of PyTorch, tried out.

    Raises:
        UsageError: it cannot be used here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # a build without CUDA asserts
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"--device is {name!r}, which cannot be used here ({reason}); use cpu") from None
    return device
