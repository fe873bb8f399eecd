"""Schedules of rates, temperatures and momenta over a run. Pure functions of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from steamdino.training.training_settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Now:
    """The values for one step.

    Attributes:
        rate: the learning rate, as a fraction of its maximum.
        weight_decay, momentum, teacher_temp: as in the settings.
        last_layer_frozen: whether the head's last layer is frozen.
    """

    rate: float
    weight_decay: float
    momentum: float
    teacher_temp: float
    last_layer_frozen: bool


def at(step: int, steps_per_epoch: int, settings: TrainSettings) -> Now:
    """Return the values for a step, counted from 0 over the whole run."""
    total = steps_per_epoch * settings.epochs
    warm = round(total * settings.warmup)
    temp_steps = settings.teacher_temp_epochs * steps_per_epoch
    floor = settings.lr_end / settings.lr if settings.lr else 0.0
    return Now(
        rate=(step + 1) / warm if step < warm else cosine(step - warm, total - warm, 1.0, min(floor, 1.0)),
        weight_decay=cosine(step, total, settings.weight_decay, settings.weight_decay_end),
        momentum=cosine(step, total, settings.momentum, 1.0),
        teacher_temp=linear(step, temp_steps, settings.teacher_temp_start, settings.teacher_temp),
        last_layer_frozen=step < settings.last_layer_frozen * steps_per_epoch,
    )


def cosine(step: int, total: int, start: float, end: float) -> float:
    """Return half a cosine from `start` at step 0 to `end` at step total - 1 and beyond."""
    share = min(step / (total - 1), 1.0) if total > 1 else 1.0
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def linear(step: int, total: int, start: float, end: float) -> float:
    """Return a straight line from `start` at step 0 to `end` at step `total` and beyond."""
    return end if step >= total else start + (end - start) * step / total
