"""The within-class covariance of features: between copies of one banner, and between banners with the same label.

A whitening reduces the directions of these differences (see `features.whitening`). The network's weights do not change,
so a thousand banners are enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from steamdino.features.pooling import Floats
from steamdino.training.augment import crop, recolour, swap_corners
from steamdino.training.backbones import Backbone
from steamdino.training.batch_statistics import features_of
from steamdino.training.training_settings import TrainSettings

Covariance = NDArray[np.float64]

VIEWS = 2
"""Changed copies per banner."""

COPY_SCALE = (0.5, 1.0)
"""Minimum and maximum fraction of a banner's area that a copy shows."""

COPY_MIRROR, COPY_CORNER = 0.15, 0.15
"""Fraction of the copies that are mirrored, and of those with another upper right corner."""


def sameness(
    backbone: Backbone,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.intp],
    features: Floats,
    labels: Sequence[frozenset[str]] | None,
    settings: TrainSettings,
) -> Covariance | None:
    """Return the within-class covariance, weighted as the run's settings say.

    Args:
        backbone: in evaluation mode.
        pixels: all banners, uint8, shape (n, height, width, 3).
        rows: the banners to use.
        features: their features, float32, shape (len(rows), d), unit rows.
        labels: the labels of all banners, or None.
        settings: the settings of the run.

    Returns:
        float64, shape (d, d); None if the settings reduce nothing.
    """
    found: Covariance | None = None
    if settings.views_weight:
        copies = [_copies(backbone, pixels, rows, settings, number) for number in range(VIEWS)]
        sets = np.stack([features, *copies], axis=1)
        found = settings.views_weight * _spread(sets)
    if labels is not None and settings.alike_weight:
        groups = defaultdict(list)
        for place, row in enumerate(rows.tolist()):
            for label in labels[row]:
                groups[label].append(place)
        several = [features[places] for places in groups.values() if len(places) > 1]
        if several:
            alike = settings.alike_weight * between_alike(several)
            found = alike if found is None else found + alike
    return found


def between_alike(groups: Sequence[Floats]) -> Covariance:
    """Return the covariance of vectors about the average of their group, (d, d).

    Args:
        groups: each float32, shape (m, d) with m at least 2. A group of m vectors counts as sqrt(m - 1) groups of
            two, so that a few long series do not dominate.
    """
    total = np.zeros((groups[0].shape[1],) * 2)
    weight = 0.0
    for group in groups:
        centred = group - group.mean(axis=0, dtype=np.float64)
        free = len(group) - 1
        total += centred.T @ centred / free**0.5
        weight += free**0.5
    spread: Covariance = total / weight
    return spread


def _spread(sets: Floats) -> Covariance:
    """Return the covariance of (n, m, d) vectors about the average of their m."""
    centred = (sets - sets.mean(axis=1, keepdims=True)).reshape(-1, sets.shape[2])
    total = np.zeros((sets.shape[2],) * 2)
    for start in range(0, len(centred), 4096):  # in double precision without copying everything
        block = centred[start : start + 4096].astype(np.float64)
        total += block.T @ block
    spread: Covariance = total / (sets.shape[0] * (sets.shape[1] - 1))
    return spread


def _copies(
    backbone: Backbone,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.intp],
    settings: TrainSettings,
    number: int,
) -> Floats:
    """Return the features of one changed copy per banner, as stores and players make them, whatever the run uses."""
    harsh = replace(settings, jitter=0.9, saturation=0.4, hue=0.08, grey=0.15, blur=0.4)
    state = np.random.SeedSequence([settings.seed, 3, number]).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(state[0]) >> 1)

    def change(pictures: torch.Tensor) -> torch.Tensor:
        size = (pictures.shape[-2], pictures.shape[-1])
        changed = swap_corners(pictures, COPY_CORNER, generator)
        copies: torch.Tensor = recolour(
            crop(changed, size, COPY_SCALE, COPY_MIRROR, generator), harsh, generator
        )
        return copies

    features: Floats = features_of(backbone, pixels, rows, change)
    return features
