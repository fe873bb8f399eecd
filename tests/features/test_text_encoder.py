"""Text vectors, compared with transformers: a tiny CLIP with made-up weights replaces the real one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("torch", reason="the oracle is PyTorch's")

import torch

from fakes.clip import CORPUS, DIM, TinyClip, make
from steamdino import Snapshot
from steamdino.errors import MissingExtraError, ModelError, QueryError, RecipeError, UsageError
from steamdino.features import model_files
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import models
from steamdino.features.pull import take
from steamdino.features.recipe_parser import named
from steamdino.features.text_encoder import TextEncoder, Tokenizer
from steamdino.features.transform import normalise, prepare
from steamdino.installation import extra_command
from steamdino.pipeline import add, build
from steamdino.pipeline.quantise import quantise

Paint = Callable[..., Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TinyClip:
    return make(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def clip(made: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyClip:
    """Replace the real CLIP with the tiny one, in the registry and in the cache."""
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    model = replace(models()["clip-vitb32"], dim=DIM)
    monkeypatch.setitem(models(), model.name, model)
    folder = model_files.working_folder(model)
    for name in ("model.onnx", "text.onnx", "tokenizer.json"):
        shutil.copy(made.folder / name, folder / name)
    model_files.keep(model, folder, origin={"test": True})
    return made


@pytest.fixture
def gallery(clip: TinyClip, tmp_path: Path, paint: Paint) -> Path:
    """Build a gallery of thirty pictures with CLIP and then with the bundled model."""
    for n in range(30):
        paint(tmp_path / f"covers/{n:02}.png", n)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g", "clip")
    build(tmp_path / "g")
    return tmp_path / "g"


def _sentence(clip: TinyClip, text: str) -> np.ndarray:
    tokens = clip.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    with torch.no_grad():
        pooled = clip.model.text_model(input_ids=tokens["input_ids"]).pooler_output
        vector = clip.model.text_projection(pooled)[0].numpy()
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def tokenizer(made: TinyClip) -> Iterator[Tokenizer]:
    files = {"tokenizer.json": model_files.sha256(made.folder / "tokenizer.json")}
    yield Tokenizer(model_files.ModelFiles("tiny", made.folder, "0" * 64, files, {}))


@pytest.mark.slow
@settings(max_examples=1000)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(" ".join(CORPUS).split())).map(" ".join)))
def test_tokens_are_those_of_transformers(made: TinyClip, tokenizer: Tokenizer, text: str) -> None:
    expected = made.tokenizer(text, padding="max_length", max_length=77, truncation=True)["input_ids"]
    assert tokenizer(text).tolist() == [expected]


@pytest.mark.parametrize("text", [*CORPUS, "", "Ω ≈ ñ 龍 🐉", "castle " * 200])
def test_a_sentences_vector_is_that_of_transformers(clip: TinyClip, text: str) -> None:
    vector = TextEncoder(named("clip"))(text)
    assert vector.shape == (DIM,)
    np.testing.assert_allclose(vector, _sentence(clip, text), atol=1e-4)


def test_a_pictures_vector_is_that_of_transformers(clip: TinyClip) -> None:
    recipe = named("clip")
    noise = np.random.default_rng(1).integers(0, 256, (450, 300, 3), dtype=np.uint8)
    pixels = prepare(Image.fromarray(noise), recipe.transform)
    (vector,) = Encoder(recipe)([pixels])
    with torch.no_grad():
        given = torch.from_numpy(normalise(pixels[np.newaxis], recipe.transform))
        expected = clip.model.visual_projection(clip.model.vision_model(given).pooler_output)[0].numpy()
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)


@pytest.mark.slow
def test_clip_in_8_bits_still_knows_words(clip: TinyClip, tmp_path: Path, paint: Paint) -> None:
    pytest.importorskip("nncf", reason="the lock files have it for Python 3.11 only")
    for n in range(26):
        paint(tmp_path / f"covers/{n:02}.png", n)
    add(tmp_path / "g", tmp_path / "covers")
    found = quantise(models()["clip-vitb32"], out="clip-q8", gallery=tmp_path / "g", samples=12)
    assert found.kept is not None, found
    pixels = prepare(Image.open(tmp_path / "covers/03.png"), named("clip").transform)
    (floats,), (int8,) = (Encoder(named(name))([pixels]) for name in ("clip", "clip-q8"))
    assert 0.99 < float(floats @ int8) < 0.9999999
    vector = TextEncoder(named("clip-q8"))(CORPUS[0])
    np.testing.assert_allclose(vector, _sentence(clip, CORPUS[0]), atol=1e-4)


def test_words_rank_games_by_the_dot_product(clip: TinyClip, gallery: Path) -> None:
    assert Snapshot.open(gallery).recipe.name == "bundled"
    snapshot = Snapshot.open(gallery, words=True)
    assert snapshot.recipe.name == "clip"
    matches = snapshot.text("a red dragon over a castle", 30)
    scores = snapshot.vectors @ _sentence(clip, "a red dragon over a castle")
    np.testing.assert_allclose(matches.similarities, np.sort(scores)[::-1], atol=1e-4)
    # Held against the games of the gallery, not against pairs of pictures.
    assert [match.percentile for match in matches] == pytest.approx([100 * (29 - n) / 30 for n in range(30)])
    assert (matches.query.kind, matches.query.text) == ("words", "a red dragon over a castle")
    assert not any(match.identical for match in matches)


def test_words_mix_with_games_and_pictures(clip: TinyClip, gallery: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(gallery, words=True)
    row = {key: snapshot.vectors[n] for n, key in enumerate(snapshot.ids)}
    picture = tmp_path / "covers/07.png"
    mixed = snapshot.similar("03", 30, plus=["at night", "2*05"], minus=[picture])
    expected = row["03"] + _sentence(clip, "at night") + 2 * row["05"] - row["07"]
    expected /= np.linalg.norm(expected)
    best = [key for key in mixed.ids if key != "07"]
    scores = {key: float(row[key] @ expected) for key in best}
    assert best == sorted(scores, key=lambda key: -scores[key])
    assert not {"03", "05"} & set(mixed.ids)
    assert [(part.weight, part.query.kind) for part in mixed.query.parts] == [
        (1.0, "words"),
        (2.0, "id"),
        (-1.0, "picture"),
    ]
    assert mixed.query.has_words


def test_without_words_a_sentence_is_refused_and_says_what_to_do(gallery: Path) -> None:
    snapshot = Snapshot.open(gallery, "bundled")
    with pytest.raises(
        RecipeError, match="'bundled' has no text model; .* models pull clip-vitb32, .* --recipe clip"
    ):
        snapshot.text("a castle")
    with pytest.raises(QueryError, match="no game matches 'at night'.*'bundled' has no text model"):
        snapshot.similar("03", plus=["at night"])
    with pytest.raises(UsageError, match="the sentence is empty"):
        snapshot.text(" ")


def test_a_damaged_tower_or_tokenizer_is_reported(clip: TinyClip, gallery: Path) -> None:
    files = model_files.needed(models()["clip-vitb32"])
    (files.folder / "text.onnx").write_bytes(b"\x08no model")
    with pytest.raises(ModelError, match=r"text.onnx was altered: .*models pull clip-vitb32"):
        Snapshot.open(gallery, words=True).text("a castle")


@pytest.mark.slow
def test_pytorch_weights_of_clip_are_exported_with_their_words(
    made: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    model = replace(models()["clip-vitb32"], dim=DIM)
    monkeypatch.setitem(models(), model.name, model)
    made.model.save_pretrained(tmp_path / "weights")
    shutil.copy(made.folder / "tokenizer.json", tmp_path / "weights")
    take(model, tmp_path / "weights")
    encoder = TextEncoder(named("clip"))
    for text in CORPUS[:2]:
        np.testing.assert_allclose(encoder(text), _sentence(made, text), atol=1e-4)
    pixels = prepare(Image.new("RGB", (300, 450), "teal"), model.transform)
    with torch.no_grad():
        given = torch.from_numpy(normalise(pixels[np.newaxis], model.transform))
        expected = made.model.visual_projection(made.model.vision_model(given).pooler_output)[0].numpy()
    np.testing.assert_allclose(
        Encoder(named("clip"))([pixels])[0], expected / np.linalg.norm(expected), atol=1e-4
    )


def test_transformers_is_not_needed(clip: TinyClip, gallery: Path, tmp_path: Path) -> None:
    script = f"""
import sys
from dataclasses import replace
from steamdino.features.model_registry import models
models()["clip-vitb32"] = replace(models()["clip-vitb32"], dim={DIM})
from steamdino import Snapshot
print(len(Snapshot.open({str(gallery)!r}, words=True).text("a castle")))
print(sorted({{"torch", "transformers"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split("\n")[:2] == ["10", "[]"]


def test_threads_share_one_text_encoder(clip: TinyClip) -> None:
    encoder = TextEncoder(named("clip"))
    sentences = [f"{text} {n}" for n in range(40) for text in CORPUS[:3]]
    expected = [encoder(sentence) for sentence in sentences]
    with ThreadPoolExecutor(8) as pool:
        for vector, alone in zip(pool.map(encoder, sentences), expected, strict=True):
            np.testing.assert_array_equal(vector, alone)


def test_a_sentence_without_tokenizers_names_the_extra(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Snapshot.open(gallery, "clip")
    monkeypatch.setitem(sys.modules, "tokenizers", None)  # importing it fails
    with pytest.raises(MissingExtraError, match=re.escape(extra_command("hub"))):
        snapshot.text("a red car")
