"""Checkpoints of a run: written atomically, and read without running code from the file."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from steamdino.errors import ModelError
from steamdino.storage.atomic import replacing

FORMAT = 1
FILE = "checkpoint.pt"


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers, strings, lists and dicts.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    # Through memory: PyTorch's own writer reports a full disk with an unclear error.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def load(path: Path) -> dict[str, Any]:
    """Return the state that `save` wrote, on the CPU.

    Raises:
        ModelError: the file is missing, damaged, or from a newer steam-dino.
    """
    state = read(path)
    if not isinstance(state, dict) or not isinstance(state.get("format"), int):
        raise ModelError(f"{path} is not a checkpoint of steam-dino train; name the folder of a run")
    if state["format"] > FORMAT:
        raise ModelError(f"{path} has the format {state['format']}; upgrade steam-dino to read it")
    return state


def read(path: Path) -> Any:
    """Read a file of tensors that PyTorch wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist; name a file of weights or a run's folder") from None
    except (
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"{path} cannot be read as weights ({reason}); it is damaged or of another format"
        ) from None
