"""Losses: DINO's cross-entropy, KoLeo, and an anchor that keeps features near those of the initial weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SINKHORN_ROUNDS = 3
GLOBAL_CROPS = 2


class DinoLoss(nn.Module):
    """Cross-entropy between the teacher's centred, sharpened outputs and the student's.

    Averaged over all pairs of a teacher's view and another view of the student's (equation 3 of arXiv 2104.14294).
    Either a centre, an exponential average of the teacher's outputs (equation 4), or Sinkhorn-Knopp (arXiv 2006.09882,
    as in DINOv2) keeps the outputs from collapsing.

    Attributes:
        centre: float32, shape (1, out_dim).
    """

    centre: Tensor

    def __init__(self, out_dim: int, student_temp: float, centring: str, centre_momentum: float) -> None:
        super().__init__()
        self.student_temp = student_temp
        self.centring = centring
        self.centre_momentum = centre_momentum
        self.register_buffer("centre", torch.zeros(1, out_dim))

    def targets(self, teacher: Tensor, temp: float) -> Tensor:
        """Return the teacher's probabilities: (2 B, out_dim) -> the same shape, rows of sum 1."""
        if self.centring == "sinkhorn":
            return sinkhorn(teacher, temp)
        return functional.softmax((teacher - self.centre) / temp, dim=-1)

    def forward(self, student: Tensor, targets: Tensor) -> Tensor:
        """Return the loss.

        Args:
            student: (views * B, out_dim), view by view, the two global ones first.
            targets: (2 * B, out_dim), for the global views.
        """
        wanted = targets.chunk(GLOBAL_CROPS)
        batch = len(wanted[0])
        given = functional.log_softmax(student / self.student_temp, dim=-1).split(batch)
        terms = [
            -(target * view).sum(dim=-1).mean()
            for n, target in enumerate(wanted)
            for m, view in enumerate(given)
            if n != m
        ]
        return torch.stack(terms).mean()

    @torch.no_grad()
    def update_centre(self, teacher: Tensor) -> None:
        """Move the centre towards the average of the teacher's outputs, (n, out_dim)."""
        if self.centring == "mean":
            average = teacher.float().mean(dim=0, keepdim=True)
            self.centre.mul_(self.centre_momentum).add_(average, alpha=1 - self.centre_momentum)


def sinkhorn(teacher: Tensor, temp: float) -> Tensor:
    """Return probabilities that use all outputs about equally over the batch: (n, k) -> (n, k), rows of sum 1."""
    logits = teacher.float() / temp
    plan = (
        logits - logits.max()
    ).exp()  # the maximum cancels out; without it, exp overflows at low temperatures
    for _ in range(SINKHORN_ROUNDS):
        plan = plan / plan.sum(dim=0, keepdim=True).clamp(min=1e-30) / plan.shape[1]
        plan = plan / plan.sum(dim=1, keepdim=True).clamp(min=1e-30) / plan.shape[0]
    return plan * plan.shape[0]


def koleo(features: Tensor) -> Tensor:
    """Return the average of -log of each unit row's distance to the nearest other row (arXiv 1806.03198)."""
    unit = functional.normalize(features.float(), dim=-1)
    with torch.no_grad():
        cosines = unit @ unit.T
        cosines.fill_diagonal_(-2)
        nearest = cosines.argmax(dim=1)
    distances = (unit - unit[nearest]).norm(dim=1)
    return -(distances + 1e-8).log().mean()


def anchor(features: Tensor, initial: Tensor) -> Tensor:
    """Return how far features have moved from the initial ones: the average of 1 - cosine."""
    return 1 - functional.cosine_similarity(features.float(), initial.float(), dim=-1).mean()


def entropy(targets: Tensor) -> Tensor:
    """Return the average entropy of rows of probabilities, in nats; log(out_dim) for uniform ones."""
    return -(targets * targets.clamp(min=1e-12).log()).sum(dim=-1).mean()
