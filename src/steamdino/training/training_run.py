"""A training run from a gallery to a model: epochs, checkpoints, metrics."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from steamdino.errors import ModelError, SteamDinoError, UsageError
from steamdino.features.whitening import FEWEST as FEWEST_TO_WHITEN
from steamdino.features.whitening import Whitening
from steamdino.records import Progress
from steamdino.storage.atomic import replacing
from steamdino.training import checkpoint, data, initial_weights
from steamdino.training.augment import generator, views
from steamdino.training.backbones import Backbone
from steamdino.training.batch_statistics import features_of, settle
from steamdino.training.devices import device_of, keep_freed_memory
from steamdino.training.dino import Distillation, optimiser, set_rates
from steamdino.training.run_status import Status, Sums
from steamdino.training.schedules import Now, at
from steamdino.training.training_settings import FEWEST, TrainSettings
from steamdino.training.validation import Validator, check_collapse
from steamdino.training.within_class_covariance import sameness

RECORD = "run.json"


class Run:
    """A training run in a folder."""

    def __init__(
        self,
        gallery: str | Path,
        out: Path,
        settings: TrainSettings,
        *,
        device: str = "cpu",
        labels: str = "",
        threads: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Prepare a run: decode the banners, load the weights, and restore a checkpoint if there is one.

        Args:
            gallery: the gallery's folder.
            out: the run's folder.
            settings: the settings of the run.
            device: "cpu", "cuda", "mps" ...
            labels: a column of the gallery for validation; empty for none.
            threads: number of pictures decoded at the same time.
            progress: called during decoding.

        Raises:
            GalleryError: there is no such gallery, or it has too few banners.
            ModelError: the weights or the checkpoint cannot be used.
            UsageError: the device or a column does not exist.
        """
        self.settings, self.out = settings, out
        self.device = device_of(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        first = self._first_weights()  # missing weights are reported before anything is decoded
        pictures = data.collect(
            gallery,
            out,
            settings.picture,
            fewest=max(FEWEST, 2 * settings.batch_size),
            threads=threads,
            progress=progress,
        )
        held = data.held_out(pictures.sha256, settings.hold_out)[pictures.rows]
        self._rows, self._pictures = pictures.rows[~held], pictures
        self.steps_per_epoch = len(self._rows) // (settings.batch_size * settings.accumulate)
        if self.steps_per_epoch < 1:
            raise UsageError(
                f"{len(self._rows):,} banners are fewer than one step of {settings.batch_size} x {settings.accumulate};"
                " lower --batch-size"
            )
        with torch.random.fork_rng(devices=[]):  # for the head's initial weights
            torch.manual_seed(settings.seed)
            # The memory in the order of pixels: on CPUs, convolutions and batch norm then take two thirds of the time.
            self._model = Distillation(first, settings).to(self.device, memory_format=torch.channels_last)
        self._optimiser = optimiser(self._model, settings)
        self._positives = (
            data.labels_of(gallery, settings.positives, pictures) if settings.positives else None
        )
        self._alike = data.labels_of(gallery, settings.alike, pictures) if settings.alike else None
        judged_by = data.labels_of(gallery, labels, pictures) if labels else None
        self._judge = Validator(pictures.pixels, pictures.rows[held], settings, judged_by, self.device)
        self._done = 0  # steps
        self._sums = Sums()
        self.history: list[dict[str, Any]] = [{"epoch": 0, **self._judge(self._model.teacher).record}]
        self._labels = labels
        if settings.settle_norm:
            for backbone in self._model.backbones:
                settle(backbone, pictures.pixels, self._rows, settings.seed)

    @property
    def steps(self) -> int:
        """Number of steps in the whole run."""
        return self.steps_per_epoch * self.settings.epochs

    def train(
        self,
        report: Callable[[Status], None] | None = None,
        epoch: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Train to the end. After a kill at any moment, `resume` continues from the last checkpoint.

        Args:
            report: called after each step.
            epoch: called after each epoch with its record.

        Raises:
            SteamDinoError: the run collapsed, or the loss is not a number; the last checkpoint is kept.
        """
        began, first = time.monotonic(), self._done
        while self._done < self.steps:
            number, within = divmod(self._done, self.steps_per_epoch)
            started = time.monotonic()
            self._epoch(number, within, began, first, report)
            line = self._close_epoch(number + 1, time.monotonic() - started)
            if epoch:
                epoch(line)

    def resume(self) -> None:
        """Restore the folder's checkpoint.

        Raises:
            ModelError: it is missing, damaged, or of another run.
        """
        path = self.out / checkpoint.FILE
        state = checkpoint.load(path)
        if state["settings"] != self.settings.record:
            raise ModelError(f"{path} is of a run with other settings; name another --out for a new one")
        if state["fingerprint"] != self._pictures.fingerprint:
            raise ModelError(
                f"{path} was trained on other banners than the gallery has now; name another --out for a new run"
            )
        try:
            self._model.load_state_dict(state["model"])
            self._optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(
                f"{path} is damaged ({str(error).splitlines()[0]}); remove it and start again"
            ) from None
        self._done, self.history = state["done"], state["history"]
        self._sums = Sums(**state["sums"])

    def averaged(self, share: float) -> Backbone:
        """Return the teacher's backbone averaged with the initial one: share x teacher + (1 - share) x initial weights.

        As in "WiSE-FT" (Wortsman et al., arXiv 2109.01903); batch norm's statistics are then recomputed.
        """
        backbone = self._first_weights()
        initial_weights.blend(backbone, self._model.teacher.backbone, share)
        if self.settings.settle_norm:
            settle(backbone, self._pictures.pixels, self._rows, self.settings.seed)
        backbone.eval()
        return backbone

    def whitening(self, backbone: Backbone) -> Whitening | None:
        """Return a whitening of a backbone's features; None if there are too few banners, or none is requested."""
        if not self.settings.whiten or len(self._rows) < FEWEST_TO_WHITEN:
            return None
        described = features_of(backbone, self._pictures.pixels, self._rows)
        within = sameness(backbone, self._pictures.pixels, self._rows, described, self._alike, self.settings)
        return Whitening.learn(described, self.settings.whiten, self.settings.whiten_strength, within)

    @property
    def record(self) -> dict[str, Any]:
        """Return the complete record of the run for JSON."""
        return {
            "format": 1,
            "steamdino": version("steam-dino"),
            "torch": torch.__version__,
            "device": str(self.device),
            "settings": self.settings.record,
            "banners": {
                "trained_on": len(self._rows),
                "held_out": len(self._pictures.rows) - len(self._rows),
                "unreadable": len(self._pictures.problems),
                "fingerprint": self._pictures.fingerprint,
            },
            "labels": self._labels,
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.history,
        }

    def _epoch(
        self, number: int, within: int, began: float, first: int, report: Callable[[Status], None] | None
    ) -> None:
        settings = self.settings
        order = data.order(self._rows, settings.seed, number)
        other = None
        if self._positives is not None:
            other = data.partners(self._positives, self._rows, settings.seed, number)
        self._model.train()
        for step in range(within, self.steps_per_epoch):
            now = at(self._done, self.steps_per_epoch, settings)
            self._step(number, step, order, other, now)
            self._done += 1
            if report:
                report(self._status(number + 1, time.monotonic() - began, self._done - first))
            every = settings.checkpoint_steps
            if every and (step + 1) % every == 0 and step + 1 < self.steps_per_epoch:
                self._save()

    def _step(
        self, epoch: int, step: int, order: NDArray[np.intp], other: NDArray[np.intp] | None, now: Now
    ) -> None:
        settings = self.settings
        set_rates(self._optimiser, self.settings, now)
        self._optimiser.zero_grad(set_to_none=True)
        for part in range(settings.accumulate):
            number = step * settings.accumulate + part
            rows = order[number * settings.batch_size : (number + 1) * settings.batch_size]
            pictures = self._batch(rows)
            partners = pictures if other is None else self._batch(other[rows])
            crops = views(pictures, partners, settings, generator(settings.seed, epoch, number))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                result = self._model(crops, now.teacher_temp)
            loss = float(result.loss.detach())
            if not math.isfinite(loss):
                raise SteamDinoError(
                    f"the loss is {loss} in step {step + 1} of epoch {epoch + 1}; the last checkpoint will not"
                    " help: start again with a lower --lr"
                )
            (result.loss / settings.accumulate).backward()
            self._sums.passes += 1
            self._sums.loss += loss
            self._sums.entropy += float(result.entropy)
        if now.last_layer_frozen:
            self._model.student.head.last.grad = None
        learning = [one for group in self._optimiser.param_groups for one in group["params"]]
        torch.nn.utils.clip_grad_norm_(learning, settings.clip)
        self._optimiser.step()
        self._model.update_teacher(now.momentum)

    def _batch(self, rows: NDArray[np.intp]) -> torch.Tensor:
        return torch.from_numpy(self._pictures.pixels[rows]).to(self.device)

    def _status(self, epoch: int, seconds: float, steps: int) -> Status:
        loss, entropy = self._sums.averages
        each = self.settings.batch_size * self.settings.accumulate
        return Status(
            epoch=epoch,
            epochs=self.settings.epochs,
            step=self._done,
            steps=self.steps,
            loss=loss,
            entropy=entropy,
            rate=steps * each / max(seconds, 1e-9),
            seconds_left=seconds / max(steps, 1) * (self.steps - self._done),
        )

    def _close_epoch(self, number: int, seconds: float) -> dict[str, Any]:
        loss, entropy = self._sums.averages
        quality = self._judge(self._model.teacher)
        line = {
            "epoch": number,
            "loss": loss,
            "entropy": entropy,
            **quality.record,
            "seconds": round(seconds, 1),
        }
        if number > 1:  # in the first epoch the head, which starts at random, has not settled
            check_collapse(quality, entropy, self.settings.out_dim, number)
        self._sums = Sums()
        self.history.append(line)
        self._save()
        with replacing(self.out / RECORD) as file:
            file.write(json.dumps(self.record, indent=2).encode() + b"\n")
        return line

    def _save(self) -> None:
        state = {
            "settings": self.settings.record,
            "fingerprint": self._pictures.fingerprint,
            "done": self._done,
            "sums": {"passes": self._sums.passes, "loss": self._sums.loss, "entropy": self._sums.entropy},
            "history": self.history,
            "model": self._model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        checkpoint.save(self.out / checkpoint.FILE, state)

    def _first_weights(self) -> Backbone:
        return initial_weights.load(
            self.settings.arch, self.settings.taps, self.settings.init, self.settings.seed
        )
