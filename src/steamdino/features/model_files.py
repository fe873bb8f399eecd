"""Model files on this machine: those in the package, and those that were pulled or exported.

::

    <cache>/models/<model>/record.json        its record; only for a model of your own
    <cache>/models/<model>/<first 12 digits of the weights' sha256>/
      manifest.json   format, model, weights, origin, files with sizes and sha256
      model.onnx      the file that the runtime reads; for CLIP also text.onnx and tokenizer.json
      model.xml       in its place, with model.bin, if the model was quantised here
      checkpoint/     the PyTorch weights that it was exported from, if any, for inference on a GPU

A folder appears by a rename, complete or not at all. Weights of one model from several origins are stored side by side,
so that a snapshot finds the weights that it was built with.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from steamdino.errors import ModelError
from steamdino.features import model_registry
from steamdino.features.model_directory import kept, needed_models_folder
from steamdino.features.model_registry import Model
from steamdino.gallery.clock import now
from steamdino.storage.atomic import NEW, OLD, new_folder, replace_folder, replacing
from steamdino.storage.cache import ADVICE

FORMAT = 1
MANIFEST, WEIGHTS, DATA = "manifest.json", "model.onnx", "model.onnx_data"
IR, IR_DATA = "model.xml", "model.bin"
"""A graph in OpenVINO's own form, in the place of `WEIGHTS`, and the numbers in it."""
WORK = ".made-"
"""Prefix of the folders for files on their way into the cache."""

ABANDONED = 24 * 3600
"""Seconds after which an unfinished folder belongs to a process that was killed."""

TEXT, TOKENIZER, CHECKPOINT = "text.onnx", "tokenizer.json", "checkpoint"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model.

    Attributes:
        model: the model's name.
        folder: the folder that holds them.
        weights: the sha256 of the weights, as in a recipe.
        files: the sha256 of each file, by name.
        origin: where they came from, for display and for pulling them again.
    """

    model: str
    folder: Path
    weights: str
    files: Mapping[str, str]
    origin: Mapping[str, Any]

    def path(self, name: str) -> Path:
        """Return the path of a file after checking its sha256.

        Raises:
            ModelError: the file is missing or was altered.
        """
        path = self.folder / name
        again = f"run: {self.origin.get('command') or pull_command(self.model)}"
        if self.origin.get("package"):
            again = "install steam-dino again"
        if name not in self.files:
            raise ModelError(f"{self.model} has no {name} here; {again}")
        try:
            digest = sha256(path)
        except OSError as error:
            raise ModelError(f"{path} cannot be read ({error.strerror}); {again}") from None
        if digest != self.files[name]:
            raise ModelError(f"{path} was altered: its sha256 is {digest}; {again}")
        return path


def pull_command(model: str) -> str:
    """Return the command that downloads a model's files."""
    return f"steam-dino models pull {model}"


def find(model: Model, weights: str | None = None) -> ModelFiles | None:
    """Return a model's files: those with the given sha256 of the weights, or the newest; None if there are none."""
    if model.packaged:
        files = _packaged(model)
        return files if weights in (None, files.weights) else None
    kept = sorted(_kept(model.name), key=lambda pair: pair[0])
    fitting = [files for _, files in kept if weights in (None, files.weights)]
    return fitting[-1] if fitting else None


def needed(model: Model) -> ModelFiles:
    """Return the newest files of a model.

    Raises:
        ModelError: there are none; the message says how to get them.
    """
    files = find(model)
    if files is None:
        raise ModelError(f"{model.name} is not on this machine yet; get it with: {pull_command(model.name)}")
    return files


def keep(model: Model, made: Path, *, origin: Mapping[str, Any]) -> ModelFiles:
    """Move a folder of complete, checked files into the cache.

    Args:
        model: the model that the files belong to.
        made: the folder; must hold the model's graph. It is moved away.
        origin: where the files came from.
    """
    files = {
        path.relative_to(made).as_posix(): sha256(path) for path in sorted(made.rglob("*")) if path.is_file()
    }
    weights = _identity(files)
    home = needed_models_folder() / model.name
    record: dict[str, Any] = {"format": FORMAT, "model": model.name, "weights": weights, "made_at": now()}
    record |= {"origin": dict(origin), "files": files}
    work = new_folder(home)
    try:
        for name in files:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made / name, work / name)
        (work / MANIFEST).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        target = home / weights[:12]
        replace_folder(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(made, ignore_errors=True)
    return ModelFiles(model.name, target, weights, files, record["origin"])


def keep_own(
    name: str, record: Mapping[str, Any], made: Mapping[str, Path], *, origin: Mapping[str, Any]
) -> Model:
    """Register a model of the user's own under a name.

    Args:
        name: lower-case letters, digits, dots and dashes; not the name of an official model.
        record: as in ``models.toml``.
        made: its files by the name that they get, including the record's ``graph``; they are copied.
        origin: where it came from.

    Raises:
        RecipeError: the name is not allowed.
        ModelError: the cache cannot be written to.
    """
    model = model_registry.own_model(name, record)
    try:
        folder = working_folder(model)
        for target, path in made.items():
            shutil.copyfile(path, folder / target)
        keep(model, folder, origin=origin)
        with replacing(needed_models_folder() / name / model_registry.RECORD) as file:
            file.write(json.dumps(dict(record), indent=2).encode() + b"\n")
    except OSError as error:
        raise unwritable(error) from None
    model_registry.models.cache_clear()
    return model


def working_folder(model: Model) -> Path:
    """Create a folder beside the model's other folders, for files on their way into the cache.

    Raises:
        ModelError: the cache folder is unknown.
        OSError: it cannot be written to; see `unwritable`.
    """
    home = needed_models_folder() / model.name
    for path in home.glob(".*-*") if home.is_dir() else ():
        if path.name.startswith((WORK, NEW, OLD)) and _last_change(path) < time.time() - ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
    return new_folder(home, WORK)


def _last_change(folder: Path) -> float:
    """Return when something was last changed in a folder: seconds since 1970; now, if it is just being removed."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return time.time()


def check_writable() -> None:
    """Check that a model can be stored, before hours of work.

    Raises:
        ModelError: the cache folder is unknown, or cannot be written to.
    """
    folder = needed_models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> ModelError:
    """Return the error for a cache that cannot be written to."""
    return ModelError(f"{error.filename} cannot be written: {error.strerror}; {ADVICE}")


def sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _identity(files: Mapping[str, str]) -> str:
    """Return the weights' sha256; if some are stored beside the graph, the sha256 of all digests, by name."""
    kinds = (WEIGHTS, DATA, IR, IR_DATA)
    parts = [digest for name, digest in sorted(files.items()) if name in kinds or name.startswith(WEIGHTS)]
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


def _packaged(model: Model) -> ModelFiles:
    folder = Path(str(resources.files(__package__) / "weights" / model.name))
    return ModelFiles(model.name, folder, model.files[model.weights or ""], model.files, {"package": True})


def _kept(model: str) -> list[tuple[str, ModelFiles]]:
    found: list[tuple[str, ModelFiles]] = []
    for path in kept(f"{model}/*/{MANIFEST}"):
        if path.parent.name.startswith("."):
            continue
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["format"] > FORMAT:
                continue  # written by a newer steam-dino, which can read it
            files = ModelFiles(model, path.parent, record["weights"], record["files"], record["origin"])
            found.append((str(record["made_at"]), files))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{path} is damaged ({error}); remove its folder and run: {pull_command(model)}"
            ) from None
    return found
