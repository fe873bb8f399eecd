"""Where a run computes."""

from __future__ import annotations

import ctypes
import sys

import torch

from steamdino.errors import UsageError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)


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


def keep_freed_memory() -> None:
    """Lets this process keep the memory that it frees, for its next step; where the C library is not glibc, nothing.

    glibc gives large blocks back to the system at once, so that each step of a training run would have all of its pages
    zeroed and mapped anew: half of a step's time on a CPU.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    except (OSError, AttributeError):  # musl
        return
