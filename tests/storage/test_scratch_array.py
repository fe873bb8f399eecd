"""Large arrays are in files that nobody sees, and all have the value that they were made with."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from steamdino.storage import scratch_array


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("fill", [0, -1])
def test_an_array_has_its_value_whether_it_is_in_memory_or_in_a_file(
    large: bool, fill: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch_array, "LARGE", 0 if large else 1 << 30)
    made = scratch_array.scratch_array((30, 7), np.float32, fill)
    assert type(made) is np.ndarray
    assert (made.shape, made.dtype) == ((30, 7), np.float32)
    assert (made == fill).all()
    assert isinstance(made.base, np.memmap) == large
    made[3] = 5
    assert made.sum() == 29 * 7 * fill + 35
    assert list(tmp_path.iterdir()) == []


def test_an_array_without_elements_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch_array, "LARGE", 1)
    assert scratch_array.scratch_array((0, 5), np.intp).shape == (0, 5)
