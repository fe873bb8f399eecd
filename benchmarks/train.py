"""Measure training on the CPU: pictures per second, and the share of each part of a step.

Each way to compute runs the same steps on the same made-up banners, in turns: as the modules are built, with the
convolutions' memory in the order of pixels (channels-last, as `steam-dino train` does), and both with bf16 autocast.
`--compile` adds torch.compile, which needs a C++ compiler and minutes. Banners are decoded once in a run, not in each
epoch; the time of one is printed for comparison.

    python benchmarks/train.py --arch efficientnet-lite0 vit-tiny16 --threads 2
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from steamdino.banners.decode import decode
from steamdino.errors import PictureError
from steamdino.features.transform import prepare, sufficient_size
from steamdino.recipe import Transform
from steamdino.sample import draw_store
from steamdino.training import initial_weights
from steamdino.training.augment import generator, views
from steamdino.training.devices import keep_freed_memory
from steamdino.training.dino import Distillation, optimiser
from steamdino.training.training_settings import TrainSettings

BATCH, DECODED = 32, 60
WAYS = {
    "f32": (False, False),
    "f32, channels-last": (True, False),
    "bf16": (False, True),
    "bf16, channels-last": (True, True),
}
Clock = Callable[[], float]
PARTS = ("reading", "augmentation", "forward", "backward", "optimiser, teacher")


class Training:
    """A student, a teacher and the clock of each part of their steps."""

    def __init__(self, settings: TrainSettings, way: str, clock: Clock, *, compiled: bool) -> None:
        self.clock = clock
        channels_last, self.bf16 = WAYS[way]
        first = initial_weights.load(settings.arch, settings.taps, settings.init, settings.seed)
        torch.manual_seed(settings.seed)
        self.model = Distillation(first, settings)
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.model.train()
        if compiled:
            for network in (self.model.student, self.model.teacher):
                network.backbone.compile(dynamic=False)
        self.settings = settings
        self.optimiser = optimiser(self.model, settings)
        self.learning = [one for group in self.optimiser.param_groups for one in group["params"]]
        self.spent: dict[str, list[float]] = {part: [] for part in PARTS}

    def step(self, pixels: np.ndarray, number: int) -> None:
        """Run one step, as `training_run` does."""
        times = [self.clock()]
        batch = torch.from_numpy(pixels[np.random.default_rng(number).permutation(len(pixels))[:BATCH]])
        times.append(self.clock())
        crops = views(batch, batch, self.settings, generator(0, 0, number))
        times.append(self.clock())
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            result = self.model(crops, self.settings.teacher_temp)
        times.append(self.clock())
        result.loss.backward()
        times.append(self.clock())
        torch.nn.utils.clip_grad_norm_(self.learning, self.settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.model.update_teacher(self.settings.momentum)
        times.append(self.clock())
        for part, started, ended in zip(PARTS, times[:-1], times[1:], strict=True):
            self.spent[part].append(ended - started)


def decoding(settings: TrainSettings) -> float:
    """Return the seconds of a core to decode one banner of the fictional store."""
    height, width = settings.picture
    size = Transform("squash", width, height, "bicubic", (0.5,) * 3, (0.5,) * 3)
    with tempfile.TemporaryDirectory() as folder:
        draw_store(Path(folder))
        files = [path.read_bytes() for path in sorted(Path(folder).rglob("*.jpg"))[:DECODED]]
    started, done = time.process_time(), 0
    for data in files:
        with suppress(PictureError):  # some of the store's pictures are broken
            prepare(decode(data, sufficient_size(size)), size)
            done += 1
    return (time.process_time() - started) / done


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arch", nargs="+", default=["efficientnet-lite0"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="of all threads, for a machine that is busy with other work",
    )
    options = parser.parse_args()
    clock = time.process_time if options.processor_time else time.perf_counter
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    for arch in options.arch:
        settings = TrainSettings(arch=arch, init="scratch", batch_size=BATCH)
        pixels = np.random.default_rng(0).integers(0, 256, (4 * BATCH, *settings.picture, 3), np.uint8)
        ways = {way: Training(settings, way, clock, compiled=False) for way in WAYS}
        if options.compile:
            ways |= {f"{way}, compiled": Training(settings, way, clock, compiled=True) for way in WAYS}
        for number in range(options.steps + 1):  # the first step does not count
            for training in ways.values():
                training.step(pixels, number)
        print(f"{arch}; decoding one banner, once in a run: {1000 * decoding(settings):.1f} ms")
        print(f"{'':30} {'pictures/s':>10} {'ratio':>6}  " + "  ".join(PARTS))
        first = 0.0
        for way, training in ways.items():
            parts = [statistics.median(training.spent[part][1:]) for part in PARTS]
            rate = BATCH / sum(parts)
            first = first or rate
            shares = "  ".join(
                f"{part / sum(parts):{len(name)}.0%}" for name, part in zip(PARTS, parts, strict=True)
            )
            print(f"{way:30} {rate:10.1f} {rate / first:6.2f}  {shares}", flush=True)


if __name__ == "__main__":
    main()
