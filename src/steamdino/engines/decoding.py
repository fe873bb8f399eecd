"""Decodes pictures in threads that run ahead of the inference; Pillow works outside Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from steamdino.banners.decode import decode
from steamdino.engines.engine import Failure
from steamdino.errors import PictureError
from steamdino.features.transform import Pixels, prepare, sufficient_size
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Transform

In = TypeVar("In")
Out = TypeVar("Out")

AHEAD = 16
"""Pictures per thread that may wait for the inference: enough to ride out a large one, and few in memory."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture ready for the model.

    Attributes:
        banner: which picture.
        pixels: uint8, shape (height, width, 3).
    """

    banner: Pending
    pixels: Pixels


def ahead(
    work: Callable[[In], Out], items: Iterable[In], *, threads: int, waiting: int
) -> Generator[Out, None, None]:
    """Map `work` over items in threads that run ahead of whoever takes the results.

    Args:
        work: called with one item; should spend its time outside Python's lock.
        items: taken one after the other, by the thread that takes the results.
        threads: how many.
        waiting: how many items may be in progress, or done and not yet taken.

    Yields:
        the results in the items' order.
    """
    in_progress: deque[Future[Out]] = deque()
    remaining = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        for item in islice(remaining, waiting):
            in_progress.append(pool.submit(work, item))
        while in_progress:
            result = in_progress.popleft().result()
            for item in islice(remaining, 1):
                in_progress.append(pool.submit(work, item))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def decoded(
    banners: Iterable[Pending], transform: Transform, threads: int
) -> Generator[Decoded | Failure, None, None]:
    """Decode and prepare pictures; yields one result for each, in their order."""
    return ahead(partial(_decode, transform), banners, threads=threads, waiting=AHEAD * threads)


def _decode(transform: Transform, banner: Pending) -> Decoded | Failure:
    reason = ""
    for location in banner.locations:
        try:
            content = location.read()
        except PictureError as error:
            reason = f"its picture cannot be read: {error}"
            continue
        if content.sha256 != banner.sha256:
            reason = "its picture has changed since it was added; add its source again"
            continue
        try:
            image = decode(content.data, sufficient_size(transform), colours=transform.colours)
            return Decoded(banner, prepare(image, transform))
        except PictureError as error:
            return Failure(banner, str(error), final=True)
    return Failure(banner, reason)
