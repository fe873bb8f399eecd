"""The arithmetic of self-distillation, compared with values computed in another way."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is PyTorch's")

import torch
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import SteamDinoError, UsageError
from steamdino.training.augment import crop, recolour, views
from steamdino.training.backbones import build
from steamdino.training.dino import Distillation, optimiser
from steamdino.training.head import Head
from steamdino.training.loss import DinoLoss, anchor, entropy, koleo, sinkhorn
from steamdino.training.schedules import at, cosine
from steamdino.training.training_settings import TrainSettings
from steamdino.training.validation import Quality, check_collapse

SMALL = TrainSettings(
    arch="vit-tiny16",
    init="scratch",
    global_size=(64, 48),
    local_size=(32, 32),
    out_dim=8,
    hidden_dim=16,
    bottleneck_dim=4,
    anchor=0.0,
)


def _softmax(row: np.ndarray) -> np.ndarray:
    raised = np.exp(row - row.max())
    return raised / raised.sum()


def test_the_loss_is_the_cross_entropy_of_all_pairs_of_different_views() -> None:
    teacher = np.array([[1.0, 0.0, -1.0], [0.5, 0.2, 0.1]])  # one banner, two global views
    student = np.array([[0.3, 0.1, 0.0], [0.0, 0.4, 0.2], [1.0, -1.0, 0.5]])  # and a local one
    centre = np.array([0.1, -0.2, 0.3])
    terms = [
        -(_softmax((teacher[t] - centre) / 0.04) * np.log(_softmax(student[s] / 0.1))).sum()
        for t in range(2)
        for s in range(3)
        if t != s
    ]
    loss = DinoLoss(3, 0.1, "mean", 0.9)
    loss.centre.copy_(torch.tensor(centre)[None])
    targets = loss.targets(torch.tensor(teacher, dtype=torch.float32), 0.04)
    got = loss(torch.tensor(student, dtype=torch.float32), targets)
    assert float(got) == pytest.approx(np.mean(terms), rel=1e-4)


def test_the_centre_is_a_moving_average_of_the_teachers_outputs() -> None:
    loss = DinoLoss(2, 0.1, "mean", 0.9)
    for batch in ([[1.0, 3.0], [3.0, 5.0]], [[0.0, 0.0]]):
        loss.update_centre(torch.tensor(batch))
    np.testing.assert_allclose(loss.centre.numpy(), [[0.9 * 0.2, 0.9 * 0.4]], rtol=1e-5)


def test_sinkhorn_gives_every_output_its_share() -> None:
    plan = sinkhorn(torch.randn(64, 8, generator=torch.Generator().manual_seed(0)), 1.0)
    np.testing.assert_allclose(plan.sum(dim=1).numpy(), 1, atol=1e-5)
    np.testing.assert_allclose(plan.sum(dim=0).numpy(), 8, rtol=0.05)


def test_koleo_anchor_and_entropy_follow_their_formulas() -> None:
    rows = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.6, 0.8]])
    unit = rows / rows.norm(dim=1, keepdim=True)
    nearest = [min(float((unit[a] - unit[b]).norm()) for b in range(3) if b != a) for a in range(3)]
    assert float(koleo(rows)) == pytest.approx(-np.mean(np.log(nearest)), rel=1e-4)
    assert float(anchor(rows[:1], rows[1:2])) == pytest.approx(1.0)
    assert float(anchor(rows, 3 * rows)) == pytest.approx(0.0, abs=1e-6)
    assert float(entropy(torch.full((2, 4), 0.25))) == pytest.approx(math.log(4))


def test_the_teacher_is_the_moving_average_of_the_student() -> None:
    model = Distillation(build("vit-tiny16"), SMALL)
    before = [parameter.clone() for parameter in model.teacher.parameters()]
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(1.0)
    model.update_teacher(0.75)
    for old, new, student in zip(before, model.teacher.parameters(), model.student.parameters(), strict=True):
        torch.testing.assert_close(new, 0.75 * old + 0.25 * student)


@pytest.mark.slow
def test_a_step_teaches_the_student_and_leaves_the_teacher_without_gradients() -> None:
    torch.manual_seed(0)
    model = Distillation(build("vit-tiny16"), SMALL)
    adam = optimiser(model, SMALL)
    for group in adam.param_groups:
        group["lr"] = 1e-3
    pictures = torch.randint(
        0, 256, (4, 96, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    losses = []
    for _ in range(12):
        crops = views(pictures, pictures, SMALL, torch.Generator().manual_seed(2))
        result = model(crops, 0.04)
        adam.zero_grad()
        result.loss.backward()
        adam.step()
        losses.append(float(result.loss.detach()))
    assert losses[-1] < losses[0]
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def test_the_last_layer_of_the_head_has_rows_of_length_one() -> None:
    head = Head(6, 5, 8, 4)
    with torch.no_grad():
        out = head(torch.randn(3, 6))
        head.last.mul_(7.0)
        assert torch.allclose(head(torch.zeros(3, 6)), head(torch.zeros(3, 6)))
    assert out.abs().max() <= 1 + 1e-5


def test_frozen_layers_get_no_gradient_and_keep_their_statistics() -> None:
    settings = TrainSettings(init="scratch", frozen=3, out_dim=8, hidden_dim=16, bottleneck_dim=4)
    model = Distillation(build("efficientnet-lite0"), settings)
    names = dict(model.student.backbone.named_parameters())
    assert not names["_conv_stem.weight"].requires_grad
    assert names["_conv_head.weight"].requires_grad
    norms = [m for m in model.student.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)


@given(st.integers(0, 500), st.integers(1, 40), st.integers(1, 12))
def test_schedules_stay_between_their_ends(step: int, per_epoch: int, epochs: int) -> None:
    now = at(step, per_epoch, TrainSettings(epochs=epochs))
    assert 0 < now.rate <= 1 + 1e-9
    assert 0.04 - 1e-9 <= now.weight_decay <= 0.4 + 1e-9
    assert 0.996 - 1e-9 <= now.momentum <= 1
    assert now.last_layer_frozen == (step < per_epoch)
    assert cosine(0, 10, 3.0, 1.0) == 3.0
    assert cosine(9, 10, 3.0, 1.0) == 1.0


def test_crops_have_the_requested_size_and_range_and_follow_their_generator() -> None:
    pictures = torch.randint(0, 256, (3, 90, 60, 3), dtype=torch.uint8)
    first, again = (views(pictures, pictures, SMALL, torch.Generator().manual_seed(5)) for _ in range(2))
    assert [tuple(view.shape[2:]) for view in first] == [(64, 48), (64, 48), (32, 32), (32, 32)]
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one, other)
        assert 0 <= float(one.min()) <= float(one.max()) <= 1


def test_a_whole_crop_without_changes_is_the_picture_resized() -> None:
    picture = torch.rand(1, 3, 48, 32)
    same = crop(picture, (48, 32), (1.0, 1.0), 0.0, torch.Generator().manual_seed(3))
    # The aspect varies; the generator that keeps it is found by trying.
    assert same.shape == picture.shape
    still = TrainSettings(jitter=0.0, grey=0.0, blur=0.0)
    torch.testing.assert_close(
        recolour(picture, still, torch.Generator().manual_seed(0)), picture, atol=1e-5, rtol=1e-5
    )
    grey = recolour(picture, TrainSettings(jitter=0.0, grey=1.0, blur=0.0), torch.Generator().manual_seed(0))
    assert float((grey[:, 0] - grey[:, 1]).abs().max()) < 2e-3


def test_a_collapse_is_named() -> None:
    with pytest.raises(
        SteamDinoError, match=r"the teacher became uniform in epoch 2: its entropy is 2.079 of at most"
    ):
        check_collapse(Quality(0.5, 0.9, 0.1), math.log(8), 8, 2)
    with pytest.raises(SteamDinoError, match=r"became one point in epoch 3: their spread is 0.0010"):
        check_collapse(Quality(0.001, 0.9, 0.1), 1.0, 8, 3)
    check_collapse(Quality(0.5, 0.9, 0.1), 1.0, 8, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": "fast"}, "a setting cannot be read"),
        ({"arch": "resnet"}, "arch is 'resnet'; it must be one of"),
        ({"nothing": "1"}, "there is no setting 'nothing'"),
        ({"local_scale": "0.9,0.1"}, "the first must not be above the second"),
        ({"epochs": "0"}, "epochs is 0; it must be from 1"),
        ({"arch": "vit-tiny16", "global_size": "100,64"}, "multiples of 16"),
    ],
)
def test_invalid_settings_are_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainSettings().changed(values)


def test_settings_are_read_back_as_they_were_written() -> None:
    settings = TrainSettings(taps=(5, 11), lr=3e-5, local_size=(64, 64), positives="group")
    assert TrainSettings.from_record(settings.record) == settings
