"""Decodes pictures in threads that run ahead of the inference."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from steamdino.banners.decode import decode
from steamdino.banners.read import read
from steamdino.errors import PictureError
from steamdino.features.transform import Pixels, prepare, sufficient_size
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Transform

AHEAD = 16
"""Pictures per thread that may wait for the inference: enough to ride out a large one, and few in memory."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture ready for the model, or why it is not.

    Attributes:
        banner: which picture.
        pixels: uint8, shape (height, width, 3); None if it could not be had.
        reason: why not.
        final: its very content is at fault, so that trying again is no use.
    """

    banner: Pending
    pixels: Pixels | None
    reason: str = ""
    final: bool = False


def default_threads() -> int:
    """One per core that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def decoded(banners: Iterable[Pending], transform: Transform, threads: int) -> Generator[Decoded, None, None]:
    """Yields each picture in its order, decoded and prepared; Pillow works outside Python's lock."""
    waiting: deque[Future[Decoded]] = deque()
    remaining = iter(banners)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for banner in islice(remaining, AHEAD * threads):
            waiting.append(pool.submit(_decode, banner, transform))
        while waiting:
            ready = waiting.popleft().result()
            for banner in islice(remaining, 1):
                waiting.append(pool.submit(_decode, banner, transform))
            yield ready
    finally:
        pool.shutdown(cancel_futures=True)


def _decode(banner: Pending, transform: Transform) -> Decoded:
    reason = ""
    for path in banner.paths:
        try:
            content = read(path)
        except PictureError as error:
            reason = f"{path}: {error}"
            continue
        if content.sha256 != banner.sha256:
            reason = f"{path}: it has changed since it was added; add its source again"
            continue
        try:
            image = decode(content.data, sufficient_size(transform))
            return Decoded(banner, prepare(image, transform))
        except PictureError as error:
            return Decoded(banner, None, str(error), final=True)
    return Decoded(banner, None, reason)
