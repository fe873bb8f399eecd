"""`steam-dino models`: list and download models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, out, say
from steamdino.present.cli.models_quantize import quantize
from steamdino.present.cli.models_show import show
from steamdino.present.cli.option_groups import register
from steamdino.present.cli.output_options import OutputOptions

if TYPE_CHECKING:
    from steamdino.features.model_registry import Model

app = typer.Typer(no_args_is_help=True, help="List, download, quantise and inspect models.")

WIDE = 120
"""Columns of a terminal in which there is room for a line about each model."""


def list_models(*, output: OutputOptions) -> None:
    """List the models that steam-dino knows, and which are on this machine.

    This does not use the network. A model is verified if somebody has run exactly the files on the hub and recorded the
    result; the others are described by their authors.

    **Examples**

        steam-dino models list

        steam-dino models list --format json
    """
    from steamdino.features.model_registry import models
    from steamdino.features.recipe_parser import short_names

    if output.format == "json":
        say(json.dumps([_record(model) for model in models().values()], indent=2))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("model", "dim", "licence", "verified", "here"):
        table.add_column(column, no_wrap=True)
    wide = out().width >= WIDE
    if wide:
        table.add_column("what it is")
    for model in models().values():
        facts = _record(model)
        here = "in the package" if model.packaged else _megabytes(facts["bytes"])
        verified = "yes" if model.verified else "no"
        row = (model.name, str(model.dim), model.licence, verified, here)
        table.add_row(*row, *((model.summary,) if wide else ()))
    out().print(table)
    names = ", ".join(name for name in short_names() if name not in models())
    note(f"Short names for build --recipe: {names}")


def pull(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name as in `models list`, or a short name.")],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Use these weights: .onnx, .pth, .safetensors, or a folder."),
    ] = None,
    torch: Annotated[
        bool, typer.Option("--torch", help="Export the PyTorch weights even if the hub has an ONNX file.")
    ] = False,
    revision: Annotated[str, typer.Option(metavar="REV", help="Branch, tag or commit on the hub.")] = "main",
    accept: Annotated[
        bool,
        typer.Option("--accept-licence", help="Accept the licence of the model after reading it."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Download even if the model is already here.")
    ] = False,
) -> None:
    """Download a model from the model hub. Afterwards no network is needed.

    If the hub has an ONNX file, nothing else is needed. Otherwise, or with --torch, the official PyTorch weights are
    exported, which needs the extra `torch`. --weights takes a local file, also in the original format of
    facebookresearch/dino. Of a training checkpoint it uses the teacher.

    Downloads are checked by sha256 and tried on a picture before they are used. `HF_TOKEN`, `HF_HOME`, `HF_ENDPOINT`
    and `HF_HUB_OFFLINE` work as usual. Run the same command to continue an interrupted download.

    **Examples**

        steam-dino models pull dino-vits16

        steam-dino models pull dino-vits16 --weights dino_deitsmall16_pretrain.pth
    """
    from steamdino.features import model_files
    from steamdino.features.pull import pull as fetch
    from steamdino.features.pull import take
    from steamdino.features.recipe_parser import parse
    from steamdino.present.cli.progress import bar

    model = parse(name).model
    files = model_files.find(model)
    if model.packaged:
        say(f"{model.name} is part of steam-dino.")
        return
    if files and not (weights or force or torch):
        say(f"{model.name} is already here: {files.folder}")
        return
    if model.accept and not accept:
        raise UsageError(
            f"{model.name} has a licence of its own; read {model.accept}, and if you accept it, pass"
            " --accept-licence"
        )
    if weights:
        files = take(model, weights)
    else:
        with bar(f"Getting {model.name}", "bytes") as progress:
            files = fetch(model, revision=revision, torch=torch, progress=progress)
    say(f"{model.name} is ready: {_megabytes(_size(files.folder))}, sha256 {files.weights[:12]}")
    if not model.verified:
        note("This model is not verified yet; check its matches before you rely on them.")
    say(f"Now: steam-dino build --recipe {name}")


def _record(model: Model) -> dict[str, Any]:
    from steamdino.features import model_files
    from steamdino.features.pooling import KINDS

    files = model_files.find(model)
    return {
        "name": model.name,
        "summary": model.summary,
        "family": model.family,
        "licence": model.licence,
        "accept": model.accept,
        "dim": model.dim,
        "stride": model.stride,
        "poolings": list(KINDS[model.family]),
        "hub": model.hub.get("repo"),
        "verified": model.verified,
        "here": files is not None,
        "bytes": _size(files.folder) if files else 0,
        "weights": files.weights if files else None,
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size else ""


for command, name in (
    (show, "show"),
    (list_models, "list"),
    (pull, "pull"),
    (quantize, "quantize"),
):
    register(app, command, name)
