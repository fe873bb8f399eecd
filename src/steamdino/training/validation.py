"""Validation metrics of a run's features, on banners that it does not train on, with or without labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from steamdino.analysis.evaluation.retrieval import Scores, answer, retrieve
from steamdino.analysis.evaluation.tasks import sharing
from steamdino.errors import SteamDinoError
from steamdino.features.pooling import Floats, unit
from steamdino.index.exact import ExactIndex
from steamdino.training.augment import crop, recolour
from steamdino.training.dino import Network
from steamdino.training.training_settings import TrainSettings

BATCH = 32
MOST = 2048
"""Maximum number of banners for validation."""

COPY_SCALE = (0.4, 0.7)
"""Fraction of a banner that its changed copy shows."""

UNIFORM = 0.995
"""Fraction of the maximum entropy from which on the teacher's outputs carry no information."""

POINT = 0.02
"""Spread below which all banners have the same features."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Validation metrics.

    Attributes:
        spread: root mean square distance of unit features from their average, from 0 (all equal) to 1.
        copies_r1: fraction of the banners that are found by a cropped, recoloured copy.
        moved: 1 - the average cosine to the features of the initial weights.
        labels_r1, labels_map: recall@1 and mAP of finding another banner with the same label; None without labels.
    """

    spread: float
    copies_r1: float
    moved: float
    labels_r1: float | None = None
    labels_map: float | None = None

    @property
    def record(self) -> dict[str, Any]:
        """Return the metrics for JSON."""
        return asdict(self)


class Validator:
    """A validator that uses the same banners and the same copies each time."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        rows: NDArray[np.intp],
        settings: TrainSettings,
        labels: Sequence[frozenset[str]] | None,
        device: torch.device,
    ) -> None:
        """Prepare the banners and their copies.

        Args:
            pixels: all banners, uint8, shape (n, height, width, 3).
            rows: the banners to use.
            settings: the settings of the run.
            labels: the labels of all banners; None to validate without.
            device: the device of the networks.
        """
        self._pixels, self._rows = pixels, rows[:MOST]
        # Copies as stores make them, whatever augmentation the run uses.
        self._settings = replace(settings, jitter=1.0, grey=0.0, blur=0.3)
        self._task = None
        if labels is not None:
            held = [labels[row] for row in self._rows.tolist()]
            self._task = sharing(held, np.arange(len(held)))
        self._device = device
        self._initial: Floats | None = None

    def __call__(self, network: Network) -> Quality:
        """Return a network's metrics. Later networks are compared with the first."""
        own, copies = self._features(network)
        if self._initial is None:
            self._initial = own
        everyone, index = np.arange(len(own)), ExactIndex(own)
        found = retrieve(copies, index, [everyone[n : n + 1] for n in everyone], [everyone[:0]] * len(own))
        scores = Scores.of(answer(self._task, index)) if self._task is not None and len(self._task) else None
        return Quality(
            spread=float(np.sqrt(max(1 - np.square(own.mean(axis=0, dtype=np.float64)).sum(), 0.0))),
            copies_r1=float(found.recalled(1).mean()),
            moved=float(1 - (own * self._initial).sum(axis=1).mean()),
            labels_r1=None if scores is None else scores.r1,
            labels_map=None if scores is None else scores.mean_ap,
        )

    @torch.no_grad()
    def _features(self, network: Network) -> tuple[Floats, Floats]:
        training = [module for module in network.modules() if module.training]
        network.eval()
        generator = torch.Generator().manual_seed(self._settings.seed)
        parts: tuple[list[Floats], list[Floats]] = ([], [])
        for start in range(0, len(self._rows), BATCH):
            batch = torch.from_numpy(self._pixels[self._rows[start : start + BATCH]]).to(self._device)
            planes = batch.permute(0, 3, 1, 2).float() / 255
            size = (planes.shape[-2], planes.shape[-1])
            copy = recolour(crop(planes, size, COPY_SCALE, 0.0, generator), self._settings, generator)
            for part, pictures in zip(parts, (planes, copy), strict=True):
                part.append(network.features(pictures).float().cpu().numpy())
        _restore(training)
        own, copies = (unit(np.concatenate(part)) for part in parts)
        return own, copies


def check_collapse(quality: Quality, entropy: float, out_dim: int, epoch: int) -> None:
    """Check that the run has not collapsed.

    Raises:
        SteamDinoError: the teacher became uniform, or all features became one.
    """
    if entropy > UNIFORM * math.log(out_dim):
        raise SteamDinoError(
            f"the teacher became uniform in epoch {epoch}: its entropy is {entropy:.3f} of at most"
            f" {math.log(out_dim):.3f}, so it teaches nothing; start again with a lower --set teacher_temp=...,"
            " fewer --set out_dim=..., or --set centring=sinkhorn"
        )
    if quality.spread < POINT:
        raise SteamDinoError(
            f"the features became one point in epoch {epoch}: their spread is {quality.spread:.4f}; start again with a"
            " lower --lr or --set koleo=0.1"
        )


def _restore(modules: Sequence[nn.Module]) -> None:
    for module in modules:
        module.training = True
