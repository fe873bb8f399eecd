"""`steam-dino train` on a tiny gallery."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is PyTorch's")

import torch

from steamdino.errors import GalleryError, ModelError
from steamdino.pipeline import add
from steamdino.training.checkpoint import FILE
from steamdino.training.dino import MEAN, STD
from steamdino.training.training_run import Run
from steamdino.training.training_settings import TrainSettings

Paint = Callable[..., Path]
Command = Callable[..., CompletedProcess[str]]

TINY = TrainSettings(
    arch="vit-tiny16",
    init="scratch",
    epochs=2,
    batch_size=16,
    picture=(64, 48),
    global_size=(32, 32),
    local_size=(16, 16),
    local_crops=1,
    out_dim=16,
    hidden_dim=16,
    bottleneck_dim=8,
    lr=1e-4,
    momentum=0.9,
)
FLAGS = [
    part
    for key in ("picture", "global_size", "local_size")
    for part in ("--set", f"{key}={','.join(map(str, getattr(TINY, key)))}")
] + ["--set", "local_crops=1", "--set", "out_dim=16", "--set", "hidden_dim=16", "--set", "bottleneck_dim=8"]


@pytest.fixture
def gallery(tmp_path: Path, paint: Paint) -> Path:
    for n in range(80):
        paint(tmp_path / f"covers/{n:02}.jpg", n)
    add(tmp_path / "g", tmp_path / "covers")
    return tmp_path / "g"


def _teacher(run: Run) -> dict[str, torch.Tensor]:
    return run.averaged(1.0).state_dict()


@pytest.mark.slow
def test_a_resumed_run_equals_an_undisturbed_one_to_the_last_bit(gallery: Path, tmp_path: Path) -> None:
    settings = replace(TINY, checkpoint_steps=2)
    undisturbed = Run(gallery, tmp_path / "one", settings)
    undisturbed.train()

    class Stopped(Exception):  # noqa: N818 (it stands for a kill)
        pass

    def stop(status: object) -> None:
        if getattr(status, "step", 0) == 3:  # in the first epoch, after a checkpoint
            raise Stopped

    with pytest.raises(Stopped):
        Run(gallery, tmp_path / "two", settings).train(stop)
    assert (tmp_path / "two" / FILE).exists()
    resumed = Run(gallery, tmp_path / "two", settings)
    resumed.resume()
    resumed.train()
    for one, other in zip(_teacher(undisturbed).values(), _teacher(resumed).values(), strict=True):
        assert torch.equal(one, other)
    without_times = [
        [{k: v for k, v in line.items() if k != "seconds"} for line in run.history]
        for run in (undisturbed, resumed)
    ]
    assert without_times[0] == without_times[1]


@pytest.mark.slow
def test_what_was_learned_is_recorded_beside_the_run(gallery: Path, tmp_path: Path) -> None:
    run = Run(gallery, tmp_path / "out", TINY)
    run.train()
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert TrainSettings.from_record(record["settings"]) == TINY
    assert record["banners"]["trained_on"] + record["banners"]["held_out"] == 80
    assert [line["epoch"] for line in record["epochs"]] == [0, 1, 2]
    last = record["epochs"][-1]
    assert last["loss"] > 0
    assert 0 < last["entropy"] <= 2.78
    assert last["moved"] > 0
    before, after = (run.averaged(share).state_dict() for share in (0.0001, 1.0))
    assert any(not torch.allclose(before[name], after[name]) for name in before)


@pytest.mark.slow
def test_batch_norm_statistics_are_recomputed_on_the_banners_and_exported(
    gallery: Path, tmp_path: Path
) -> None:
    settings = replace(TINY, arch="efficientnet-lite0", taps=(2, 3), epochs=1, lr=0.0, momentum=1.0)
    settled = Run(gallery, tmp_path / "settled", settings).averaged(1.0)
    plain = Run(gallery, tmp_path / "plain", replace(settings, settle_norm=False)).averaged(1.0)
    for name, one in settled.state_dict().items():
        same = torch.equal(one, plain.state_dict()[name])
        assert same == (not any(part in name for part in ("running", "tracked", "channel_scale"))), name
    pixels = np.fromfile(tmp_path / "settled/pictures.u8", np.uint8).reshape(-1, *settings.picture, 3)
    seen: list[torch.Tensor] = []
    settled._bn0.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (MEAN, STD))
    with torch.no_grad():
        settled((planes - mean) / std)
    # Statistics are averages over batches, which is nearly, and for the mean exactly, that of all pictures at once.
    assert torch.allclose(settled._bn0.running_mean, seen[0].mean(dim=(0, 2, 3)), atol=0.05)
    assert not settled.training
    # Each channel of the features varies as much as any other, but for those that hardly vary at all.
    with torch.no_grad():
        unscaled = settled((planes - mean) / std) / settled.channel_scale
    deviation = (unscaled / unscaled.norm(dim=1, keepdim=True)).std(dim=0, correction=0)
    loud = deviation > 2e-3 * deviation.max()
    spread = (deviation * settled.channel_scale)[loud]
    assert loud.sum() > 50
    assert spread.max() < 1.3 * spread.min()  # it was taken of the banners that are trained on, a tenth less
    assert deviation[loud].max() > 3 * deviation[loud].min()


@pytest.mark.slow
def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(
    gallery: Path, tmp_path: Path, paint: Paint
) -> None:
    Run(gallery, tmp_path / "out", TINY).train()
    with pytest.raises(ModelError, match="a run with other settings"):
        Run(gallery, tmp_path / "out", replace(TINY, lr=1e-3)).resume()
    paint(tmp_path / "covers/new.jpg", 500)
    add(gallery, tmp_path / "covers")
    with pytest.raises(ModelError, match="other banners than the gallery has now"):
        Run(gallery, tmp_path / "out", TINY).resume()
    (tmp_path / "out" / FILE).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        Run(gallery, tmp_path / "out", TINY).resume()


def test_too_few_banners_are_refused(tmp_path: Path, paint: Paint) -> None:
    for n in range(10):
        paint(tmp_path / f"covers/{n}.jpg", n)
    add(tmp_path / "g", tmp_path / "covers")
    with pytest.raises(
        GalleryError, match="has 10 different readable banners, but training needs at least 64"
    ):
        Run(tmp_path / "g", tmp_path / "out", TINY)


@pytest.mark.slow
def test_the_command_trains_exports_and_the_model_builds(run: Command, gallery: Path, tmp_path: Path) -> None:
    env = {**os.environ, "STEAMDINO_CACHE": str(tmp_path / "cache")}
    arguments = [
        "train",
        "-g",
        gallery,
        "--out",
        tmp_path / "mine",
        "--arch",
        "vit-tiny16",
        "--init",
        "scratch",
    ]
    arguments += ["--epochs", "1", "--batch-size", "16", *FLAGS]
    done = run(*arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert "epoch 1, loss " in done.stderr
    assert done.stdout.splitlines()[-1] == "Now: steam-dino build --recipe mine"
    again = run(*arguments, env=env)
    assert (again.returncode, "holds a run already; go on with --resume" in again.stderr) == (2, True)
    built = run("build", "-g", gallery, "--recipe", "mine/complex", env=env)
    assert built.returncode == 0, built.stderr
    matches = json.loads(run("similar", "03", "-g", gallery, "--format", "json", env=env).stdout)
    assert matches["recipe"] == "mine/complex"
    names = {r["name"] for r in json.loads(run("models", "list", "--format", "json", env=env).stdout)}
    assert "mine" in names


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--resume"], 2, "has no checkpoint to continue"),
        (["--average", "2"], 2, "--average is 2; it must be from 0 to 1"),
        (["--set", "x"], 2, "--set is 'x'; it must be NAME=VALUE"),
        (["--name", "Mine!"], 2, "a model cannot be called 'Mine!'"),
        (["--device", "nonsense"], 2, "--device is 'nonsense', which cannot be used here"),
        (["--init", "nowhere.pth"], 1, "nowhere.pth does not exist"),
        (["--arch", "vit-tiny16", "--init", "imagenet"], 2, "there is no package of such weights"),
        (["--init", "bundled", "--set", "taps=2,10"], 1, "does not hold the parameters of"),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str], code: int, message: str, run: Command, gallery: Path, tmp_path: Path
) -> None:
    done = run("train", "-g", gallery, "--out", tmp_path / "mine", *arguments)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, message in line) == (code, True), line
