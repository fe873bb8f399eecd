"""PyTorch devices, and the memory settings of a run."""

from __future__ import annotations

import ctypes
import sys

import torch

from steamdino.errors import UsageError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)


def device_of(name: str) -> torch.device:
    """Return a PyTorch device after trying it out.

    Raises:
        UsageError: it cannot be used on this machine.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # a build without CUDA asserts
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"--device is {name!r}, which cannot be used here ({reason}); use cpu") from None
    return device


def keep_freed_memory() -> None:
    """Keep freed memory in this process for its next step; does nothing unless the C library is glibc.

    glibc returns large blocks to the system at once, so that each training step would have all of its pages zeroed and
    mapped again: half of a step's time on a CPU.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    except (OSError, AttributeError):  # for example, musl
        return
