"""Draws a training run's curves for its model card: ``python docs/curves.py RUN.json PICTURE.png``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

CURVES = (
    ("loss", "loss"),
    ("entropy", "teacher's entropy (nats)"),
    ("labels_map", "same game, mAP (held out)"),
    ("copies_r1", "copies found (held out)"),
)


def draw(run: Path, picture: Path) -> None:
    """Draws each curve over the epochs."""
    epochs = json.loads(run.read_text("utf-8"))["epochs"]
    figure, axes = plt.subplots(1, len(CURVES), figsize=(12, 2.6), layout="constrained")
    for axis, (key, title) in zip(axes, CURVES, strict=True):
        points = [(line["epoch"], line[key]) for line in epochs if line.get(key) is not None]
        axis.plot(*zip(*points, strict=True), marker="o", color="#2a6f97")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("epoch", fontsize=9)
        axis.set_xticks([line["epoch"] for line in epochs])
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
