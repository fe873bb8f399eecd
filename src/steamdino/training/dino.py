"""Student and teacher, and one step of self-distillation (Caron et al., arXiv 2104.14294, algorithm 1)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steamdino.training.backbones import Backbone
from steamdino.training.head import Head
from steamdino.training.loss import DinoLoss, anchor, entropy, koleo
from steamdino.training.schedules import Now
from steamdino.training.training_settings import TrainSettings

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Network(nn.Module):
    """A backbone and its head."""

    def __init__(self, backbone: Backbone, settings: TrainSettings) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = Head(
            backbone.dim,
            settings.out_dim,
            settings.hidden_dim,
            settings.bottleneck_dim,
            norm=settings.head_norm,
        )
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def features(self, crops: Tensor) -> Tensor:
        """Return the features of crops in the range 0 to 1: (B, 3, H, W) -> (B, dim)."""
        features: Tensor = self.backbone((crops - self.mean) / self.std)
        return features


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a pass: the loss to differentiate, and the teacher's entropy in nats."""

    loss: Tensor
    entropy: Tensor


class Distillation(nn.Module):
    """The complete trainable state.

    Attributes:
        student: learns by gradients.
        teacher: the exponential moving average of the student's parameters; it becomes the final model.
        initial: the initial backbone; None unless the run is anchored to it.
        loss: the loss with its centre.
    """

    def __init__(self, backbone: Backbone, settings: TrainSettings) -> None:
        super().__init__()
        self.student = Network(backbone, settings)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.initial = copy.deepcopy(backbone).requires_grad_(False) if settings.anchor else None
        self.loss = DinoLoss(
            settings.out_dim, settings.student_temp, settings.centring, settings.centre_momentum
        )
        self._settings = settings
        for name, parameter in self.student.backbone.named_parameters():
            parameter.requires_grad_(self.student.backbone.layer(name) >= settings.frozen)
        self.train()

    @property
    def backbones(self) -> list[Backbone]:
        """Return the backbones of the student and the teacher, and the initial one if it is kept."""
        kept = [] if self.initial is None else [self.initial]
        return [self.student.backbone, self.teacher.backbone, *kept]

    def train(self, mode: bool = True) -> Distillation:
        """Switch to training mode; frozen layers keep their statistics."""
        super().train(mode)
        for network in (self.student, self.teacher):
            for name, module in network.backbone.named_modules():
                if not isinstance(module, nn.BatchNorm2d):
                    continue
                if self._settings.frozen_norm or network.backbone.layer(f"{name}.") < self._settings.frozen:
                    module.eval()
        if self.initial is not None:
            self.initial.eval()
        return self

    def forward(self, crops: Sequence[Tensor], teacher_temp: float) -> StepResult:
        """Run one pass.

        Args:
            crops: as returned by `augment.views`.
            teacher_temp: temperature of the teacher's softmax.
        """
        big = torch.cat(list(crops[:2]))
        with torch.no_grad():
            answers = self.teacher.head(self.teacher.features(big))
            targets = self.loss.targets(answers.float(), teacher_temp)
            self.loss.update_centre(answers)
        seen = self.student.features(big)
        features = [seen]
        if len(crops) > 2:
            features.append(self.student.features(torch.cat(list(crops[2:]))))
        loss = self.loss(self.student.head(torch.cat(features)).float(), targets)
        if self._settings.koleo:
            spread = torch.stack([koleo(half) for half in seen.chunk(2)]).mean()
            loss = loss + self._settings.koleo * spread
        if self.initial is not None:
            with torch.no_grad():
                before = self.initial((big - self.student.mean) / self.student.std)
            loss = loss + self._settings.anchor * anchor(seen, before)
        return StepResult(loss, entropy(targets))

    @torch.no_grad()
    def update_teacher(self, momentum: float) -> None:
        """Set teacher = momentum * teacher + (1 - momentum) * student, for each parameter."""
        pairs = zip(self.teacher.parameters(), self.student.parameters(), strict=True)
        for teacher, student in pairs:
            teacher.mul_(momentum).add_(student.detach(), alpha=1 - momentum)


def optimiser(model: Distillation, settings: TrainSettings) -> torch.optim.AdamW:
    """Return AdamW over groups of parameters; each group's `share` is its fraction of the backbone's or head's rate.

    Biases, norms and other one-dimensional parameters have no weight decay. The rates fall by `layer_decay` from each
    group of layers to the one before it.
    """
    backbone = model.student.backbone
    groups: dict[tuple[str, int, bool], list[nn.Parameter]] = {}
    for name, parameter in backbone.named_parameters():
        if parameter.requires_grad:
            key = ("backbone", backbone.layer(name), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    for name, parameter in model.student.head.named_parameters():
        part = "last" if name == "last" else "head"
        groups.setdefault((part, 0, parameter.ndim > 1), []).append(parameter)
    records = [
        {
            "params": parameters,
            "part": part,
            "share": settings.layer_decay ** (backbone.depth - 1 - layer) if part == "backbone" else 1.0,
            "decays": decays,
        }
        for (part, layer, decays), parameters in groups.items()
    ]
    return torch.optim.AdamW(records, lr=0.0, weight_decay=0.0)


def set_rates(chosen: torch.optim.Optimizer, settings: TrainSettings, now: Now) -> None:
    """Set the learning rate and the weight decay of each group of `optimiser` for one step."""
    for group in chosen.param_groups:
        highest = settings.lr if group["part"] == "backbone" else settings.head_lr
        group["lr"] = highest * now.rate * group["share"]
        group["weight_decay"] = now.weight_decay if group["decays"] and group["part"] != "last" else 0.0
