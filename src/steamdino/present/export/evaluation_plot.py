"""A comparison of recipes as a picture: one panel for each task, a dot with its interval for each descriptor."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from steamdino.analysis.evaluation.evaluate import Evaluation
from steamdino.errors import MissingExtraError, UsageError
from steamdino.storage.output import is_stream, writing

SUFFIXES = (".svg", ".png")
RECIPE, BASELINE, INK, RULE = "#1f5fa8", "#8a8f98", "#22262d", "#d9dce1"
PANEL, LINE = 3.2, 0.32  # inches: a panel's width, a descriptor's height
RESOLUTION = 150  # pixels per inch, of a PNG


def check(path: Path) -> None:
    """Check in advance whether a plot can be drawn; to standard output and pipes it can.

    Raises:
        UsageError: the file's suffix is not one of `SUFFIXES`.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES and not is_stream(path):
        raise UsageError(f"--plot is {str(path)!r}; it must end in one of: {', '.join(SUFFIXES)}")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("a plot", "plot")


def draw(evaluation: Evaluation, path: Path) -> None:
    """Draw mAP in tasks of labels and R@1 in copies, with 95 % intervals; recipes in blue, baselines in grey.

    The suffix says whether as SVG or PNG; without one, such as on standard output, it is SVG.

    Raises:
        UsageError, MissingExtraError: see `check`.
        OutputError: the file cannot be written.
    """
    check(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    results = [result for result in evaluation.results if result.kind != "copy"]
    names = evaluation.descriptors
    size = (PANEL * max(len(results), 1) + 2.6, LINE * len(names) + 1.3)
    # Letters stay letters in an SVG, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "steam-dino", "text.parse_math": False}):
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, max(len(results), 1), sharey=True, squeeze=False)[0]
        for axes, result in zip(panels, results, strict=False):
            measured = [score.r1 if result.kind == "copies" else score.mean_ap for score in result.scores]
            for line, (name, estimate) in enumerate(zip(names, measured, strict=True)):
                colour = BASELINE if name in evaluation.baselines else RECIPE
                if estimate.low is not None and estimate.high is not None:
                    axes.plot([estimate.low, estimate.high], [line, line], color=colour, linewidth=1.6)
                axes.plot([estimate.value], [line], "o", color=colour, markersize=5.5)
            axes.set_title(f"{result.name}\n{result.queries:,} queries", fontsize=9.5, color=INK)
            axes.set_xlabel("R@1" if result.kind == "copies" else "mAP", fontsize=9, color=INK)
            axes.set_xlim(-0.02, 1.02)
            axes.grid(axis="x", color=RULE, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.tick_params(left=False, labelsize=8.5, labelcolor=INK)
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.5, -0.5)  # the first on top
        form = "png" if path.suffix.lower() == ".png" else "svg"
        with writing(path, "--plot") as file:
            metadata = {"Date": None} if form == "svg" else None
            figure.savefig(file, format=form, dpi=RESOLUTION, metadata=metadata)
