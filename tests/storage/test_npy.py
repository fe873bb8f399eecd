from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.format import write_array_header_1_0, write_array_header_2_0

from steamdino.storage import npy
from steamdino.storage.npy import LONGEST_HEADER, ArrayHeader, blocks, read_header


def _saved(values: np.ndarray, **options: bool) -> io.BytesIO:
    file = io.BytesIO()
    np.save(file, values, **options)
    file.seek(0)
    return file


@given(
    st.sampled_from(["<f2", "<f4", "<f8"]),
    st.lists(st.integers(0, 40), min_size=1, max_size=2),
    st.integers(1, 300),
)
def test_a_file_that_numpy_wrote_is_read_in_blocks(kind: str, shape: list[int], block: int) -> None:
    values = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    file = _saved(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npy, "BLOCK", block)
        header = read_header(file)
        read = list(blocks(file, header))
    assert header == ArrayHeader(values.itemsize, values.shape, len(file.getvalue()) - values.nbytes)
    assert header.bytes == len(file.getvalue())
    assert np.array_equal(np.concatenate([values[:0], *read]), values)


def test_headers_of_both_versions_are_read() -> None:
    for write in (write_array_header_1_0, write_array_header_2_0):
        file = io.BytesIO()
        write(file, {"descr": "<f4", "fortran_order": False, "shape": (3, 2)})
        length = file.tell()
        file.seek(0)
        assert read_header(file) == ArrayHeader(4, (3, 2), length)
        assert file.tell() == length


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2), ">f4"),
        np.zeros((2, 2), np.int32),
        np.zeros((2, 2), "S4"),
        np.zeros(2, [("a", "<f4")]),
        np.asfortranarray(np.zeros((3, 2), "<f4")),
        np.zeros((1, 1, 1), "<f4"),
        np.float32(1),
        np.array([None]),
    ],
)
def test_other_types_orders_and_shapes_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="only arrays of floats in C order"):
        read_header(_saved(values, allow_pickle=True))


def test_a_header_is_not_evaluated(tmp_path: Path) -> None:
    for text in (b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}\n", b"(" * 900 + b"\n"):
        data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
        with pytest.raises(ValueError, match="its header is"):
            read_header(io.BytesIO(data))


def test_a_header_that_declares_a_huge_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"its header has 4,294,967,295 bytes"):
        read_header(io.BytesIO(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"))


def _with_header(text: bytes) -> io.BytesIO:
    return io.BytesIO(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


def test_a_header_may_be_as_long_as_the_limit() -> None:
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
    longest = text.ljust(LONGEST_HEADER - 1) + b"\n"
    assert read_header(_with_header(longest)) == ArrayHeader(4, (3, 2), 10 + LONGEST_HEADER)
    with pytest.raises(ValueError, match="its header has 1,025 bytes; at most 1,024 are read"):
        read_header(_with_header(b" " + longest))


def test_a_side_has_at_most_twelve_digits() -> None:
    text = "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}\n"
    largest = 10**12 - 1
    assert read_header(_with_header(text.format(largest, largest).encode())).shape == (largest, largest)
    for shape in ((largest + 1, 1), (1, largest + 1)):
        with pytest.raises(ValueError, match="its header is"):
            read_header(_with_header(text.format(*shape).encode()))


@given(st.binary(max_size=200))
def test_a_file_that_is_not_an_array_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="it does not begin|its header"):
        read_header(io.BytesIO(data))


@given(st.integers(-8, 8).filter(bool))
def test_a_file_with_too_few_or_too_many_bytes_is_refused(change: int) -> None:
    data = _saved(np.zeros((4, 2), "<f4")).getvalue()
    file = io.BytesIO(data[:change] if change < 0 else data + b"\0" * change)
    header = read_header(file)
    with pytest.raises(ValueError, match="it is truncated|it has more data"):
        list(blocks(file, header))
