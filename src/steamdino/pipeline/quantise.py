"""Quantise a model to 8 bits, compare it with the original on other pictures, and keep it if it is near enough."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from steamdino.analysis.evaluation.agreement import agreement, neighbours
from steamdino.analysis.evaluation.perturbations import PERTURBATIONS, perturbed
from steamdino.engines.cores import cores
from steamdino.engines.decoding import ahead
from steamdino.errors import UsageError
from steamdino.features import model_files, pooling
from steamdino.features.encoder import BATCH
from steamdino.features.model_files import IR, IR_DATA, TEXT, TOKENIZER, ModelFiles
from steamdino.features.model_registry import Model, own_model, record_of
from steamdino.features.pooling import Floats
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.openvino_cpu import computes_bf16, computes_int8
from steamdino.features.transform import Pixels, prepare
from steamdino.features.whitening import Whitening
from steamdino.index.exact import ExactIndex
from steamdino.pipeline.calibration_pictures import Picture, fewest, pictures_of
from steamdino.records import Progress

LEAST, RECALL, COPIES, SHARE = 0.99, 0.95, 0.99, 0.5
"""What a quantised model must reach: the least cosine of a picture's vector to that of the original in f32; the share
of ten nearest neighbours in common; the share of copies found, relative to the original's; and the share of products
and convolutions that are in 8 bits, below which it would hardly be faster."""

COMPARED, COPIED, RESTORED = 1000, 40, 64
"""Maximum number of pictures to compare on, of pictures to make copies of, and of calibration pictures on which the
accuracy-aware quantisation measures its losses."""


QUANTISING, SMOOTHING, RESTORING = "Quantising", "Quantising with smoothing", "Restoring products"
WAYS = {
    "vit": (QUANTISING, SMOOTHING, RESTORING),
    "clip": (QUANTISING, SMOOTHING, RESTORING),
    "conv": (QUANTISING, RESTORING),
}
"""What is tried, by family, until a network passes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How near a network in 8 bits is to the original in f32.

    Attributes:
        way: how it was made, one of `WAYS`.
        products: number of products and convolutions that can be quantised.
        in_floats: number of these that were put back into floats.
        precision: of everything that is not in 8 bits: "f32" or "bf16".
        least, first, median: of the cosines of all pictures' vectors: the lowest, the first percentile, the median.
        recall: mean share of ten nearest neighbours in common.
        copies: share of copies whose original is found first, relative to the original network's share.
        speed: pictures per second, relative to the original in f32 in the same run.
    """

    way: str
    products: int
    in_floats: int
    precision: str
    least: float
    first: float
    median: float
    recall: float
    copies: float
    speed: float

    @property
    def misses(self) -> tuple[str, ...]:
        """What is below the bar, and by how much; empty if it passes."""
        found = (
            ("least cosine", self.least, LEAST),
            ("recall@10", self.recall, RECALL),
            ("copies", self.copies, COPIES),
            ("share of products in 8 bits", 1 - self.in_floats / max(self.products, 1), SHARE),
        )
        return tuple(
            f"{name} {value:.4f} is {bar - value:.4f} below {bar}"
            for name, value, bar in found
            if value < bar
        )


@dataclass(frozen=True, slots=True)
class Quantised:
    """The outcome.

    Attributes:
        calibrated: number of pictures that the ranges were calibrated on.
        compared: number of other pictures on which the networks were compared.
        comparisons: one for each network and precision, in the order in which they were tried.
        kept: the model, if one passed; it is on this machine now.
    """

    calibrated: int
    compared: int
    comparisons: tuple[Comparison, ...]
    kept: Model | None


def quantise(
    model: Model,
    *,
    out: str,
    gallery: Path | None = None,
    samples: int = 300,
    stage: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Quantised:
    """Quantise a model and store the result as a model of the user's own if it passes.

    All operations are tried first, then with smoothing. If that misses the bar, those that lose most are put back into
    floats. The same pictures give the same bytes.

    Args:
        model: in floats; its files must be on this machine.
        out: name of the result.
        gallery: whose banners to calibrate and to compare on; None for pictures of the fictional store.
        samples: maximum number of pictures to calibrate on. At most half of all are used, the others compare.
        stage: called with what comes next.
        progress: called with (done, total) pictures of a comparison.

    Raises:
        UsageError: the model is quantised already, this CPU has no exact 8-bit products, or there are too few pictures.
        RecipeError: the name is taken.
        ModelError: the model is not on this machine, or cannot be quantised.
        MissingExtraError: NNCF is not installed.
        GalleryError: the gallery cannot be read.
    """
    from steamdino.features.runtimes import openvino_quantise as network

    if model.vector_class != "float":
        raise UsageError(f"{model.name} is quantised already; name a model in floats")
    network.check_installed()
    own_model(out, record_of(model))  # reports a name that is taken before the work
    files = model_files.needed(model)
    source = files.path(model.graph)
    model_files.check_writable()
    if not computes_int8():
        raise UsageError(
            "this CPU has no exact 8-bit products (VNNI or AMX), so a quantised model cannot be compared here; quantise"
            f" on another machine, or keep {model.name}"
        )
    stage("Reading pictures")
    pictures = pictures_of(gallery)
    calibrating, rest = _split(pictures, samples)
    calibration = [pixels for _, pixels in _prepared(calibrating, model)]
    fewest(len(calibration))
    compared = _Compared(model, source, files, _whitening(model, files), rest, progress)
    attempts: list[Comparison] = []
    total = 0
    with tempfile.TemporaryDirectory() as work:
        path = Path(work, IR)
        for way in WAYS[model.family]:
            stage(way)
            if way == RESTORING:
                chosen = calibration[:RESTORED]
                made = network.accurate(
                    source,
                    model,
                    chosen,
                    expected=compared.vectors(source, model, "f32", chosen),
                    embed=compared.embed,
                    least=LEAST,
                )
            else:
                made = network.quantise(source, model, calibration, smooth=way == SMOOTHING)
            count = network.quantised_operations(made)
            total = max(total, count)
            network.save(made, path)
            stage("Comparing")
            tried = {
                precision: compared.comparison(path, way, precision, total, total - count)
                for precision in _precisions(model)
            }
            attempts += tried.values()
            passing = tuple(precision for precision, one in tried.items() if not one.misses)
            if "f32" in passing:
                kept = _keep(model, files, path, out, passing, total - count, gallery)
                return Quantised(len(calibration), len(compared), tuple(attempts), kept)
    return Quantised(len(calibration), len(compared), tuple(attempts), None)


def _split(pictures: Sequence[Picture], samples: int) -> tuple[Sequence[Picture], Sequence[Picture]]:
    count = min(samples, len(pictures) // 2)
    return pictures[:count], pictures[count : count + COMPARED]


def _precisions(model: Model) -> tuple[str, ...]:
    """The precisions of what stays in floats. A whitening magnifies bf16's errors, so the model's record decides."""
    return ("f32", "bf16") if "bf16" in model.inference_precisions and computes_bf16() else ("f32",)


def _whitening(model: Model, files: ModelFiles) -> Whitening | None:
    return Whitening.read(files.path(model.whitening)) if model.whitening else None


def _prepared(pictures: Sequence[Picture], model: Model) -> Iterator[tuple[Picture, Pixels]]:
    """Decode pictures in threads; those that cannot be decoded are skipped."""

    def load(picture: Picture) -> tuple[Picture, Pixels | None]:
        image = picture.load()
        return picture, None if image is None else prepare(image, model.transform)

    for picture, pixels in ahead(load, pictures, threads=cores(), waiting=16 * cores()):
        if pixels is not None:
            yield picture, pixels


class _Compared:
    """The pictures on which networks are compared, with their vectors by the original in f32."""

    def __init__(
        self,
        model: Model,
        source: Path,
        files: ModelFiles,
        whitening: Whitening | None,
        pictures: Sequence[Picture],
        progress: Progress | None,
    ) -> None:
        self._model, self._whitening, self._progress = model, whitening, progress
        found = list(_prepared(pictures, model))
        fewest(len(found))
        self._pixels = [pixels for _, pixels in found]
        self._copies = [
            prepare(copy, model.transform) for picture, _ in found[:COPIED] for copy in _copies_of(picture)
        ]
        started = time.perf_counter()
        self._original = self.vectors(source, model, "f32", self._pixels)
        self._seconds = time.perf_counter() - started
        self._found = self._copies_found(self.vectors(source, model, "f32", self._copies), self._original)

    def __len__(self) -> int:
        return len(self._pixels)

    def comparison(self, path: Path, way: str, precision: str, products: int, in_floats: int) -> Comparison:
        """Compare a network with the original."""
        started = time.perf_counter()
        vectors = self.vectors(path, self._model, precision, self._pixels)
        seconds = time.perf_counter() - started
        cosines = (vectors * self._original).sum(axis=1)
        rows = np.arange(len(vectors))
        near = [neighbours(ExactIndex(each), rows) for each in (vectors, self._original)]
        copies = self._copies_found(self.vectors(path, self._model, precision, self._copies), vectors)
        return Comparison(
            way,
            products,
            in_floats,
            precision,
            float(cosines.min()),
            float(np.percentile(cosines, 1)),
            float(np.median(cosines)),
            float(agreement(near)[0, 1]),
            copies / max(self._found, 1),
            self._seconds / seconds,
        )

    def embed(self, tokens: Floats) -> Floats:
        """Return vectors, given the network's own output for pictures."""
        vectors = pooling.unit(pooling.pool([tokens], self._model.pooling, self._model))
        return vectors if self._whitening is None else self._whitening(vectors)

    def vectors(self, path: Path, model: Model, precision: str, pixels: Sequence[Pixels]) -> Floats:
        """Encode pictures with the network in a file."""
        run = OpenVinoModel(
            path,
            model,
            model.transform,
            outputs=pooling.outputs(model.pooling, model),
            batch_size=BATCH,
            precision=precision,
            streams=cores(),
        )

        def encode(batch: Sequence[Pixels]) -> Floats:
            return self.embed(run(np.stack(batch))[-1])[: len(batch)]

        batches = (pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH))
        made = []
        for vectors in ahead(encode, batches, threads=cores(), waiting=2 * cores()):
            made.append(vectors)
            if self._progress:
                self._progress(min(len(made) * BATCH, len(pixels)), len(pixels))
        return np.concatenate(made)

    def _copies_found(self, copies: Floats, vectors: Floats) -> int:
        """Count the copies whose original comes first."""
        originals = np.repeat(np.arange(len(copies) // len(PERTURBATIONS)), len(PERTURBATIONS))
        return int(((copies @ vectors.T).argmax(axis=1) == originals).sum())


def _copies_of(picture: Picture) -> list[Image.Image]:
    image = picture.load()
    assert image is not None  # noqa: S101 (it was decoded before)
    return perturbed(image, picture.key, 0)


def _keep(
    model: Model,
    files: ModelFiles,
    path: Path,
    out: str,
    precisions: Sequence[str],
    in_floats: int,
    gallery: Path | None,
) -> Model:
    record: dict[str, Any] = record_of(model) | {
        "summary": f"{model.summary}; quantised to 8 bits",
        "precision": "int8",
        "precisions": list(precisions),
        "graph": IR,
        "quantised": {"model": model.name, "weights": files.weights, "in_floats": in_floats},
        "verified": False,
    }
    for of_original in ("hub", "torch", "network"):
        del record[of_original]
    made = {IR: path, IR_DATA: path.with_name(IR_DATA)}
    for name in (model.whitening, TEXT, TOKENIZER):
        if name and name in files.files:
            made[name] = files.path(name)
    return model_files.keep_own(
        out,
        record,
        made,
        origin={"quantised": model.name, "command": f"steam-dino models quantize {model.name} --out {out}"},
    )
