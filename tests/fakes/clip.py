"""A tiny CLIP with made-up weights, made by transformers and exported as the files on the hub are."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from steamdino.features import model_files
from steamdino.features.model_registry import models
from steamdino.pipeline import add, build

CORPUS = [
    "a red dragon over a castle",
    "the night train to the northern sea",
    "two robots dance in deep space",
    "racing cars on a wet road at night",
    "a pixel art forest with a small fox",
]
DIM = 16


@dataclass
class TinyClip:
    """The model and its tokenizer, as transformers has them, and a folder with its files as a hub serves them."""

    model: Any
    tokenizer: Any
    folder: Path


def make(folder: Path) -> TinyClip:
    """Makes ``model.onnx``, ``text.onnx`` and ``tokenizer.json`` in a folder."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    tokenizer = _tokenizer(folder)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    torch.manual_seed(0)
    model = CLIPModel(
        CLIPConfig(
            text_config={
                **tower,
                "vocab_size": len(tokenizer),
                "max_position_embeddings": 77,
                "eos_token_id": end,
                "bos_token_id": tokenizer.convert_tokens_to_ids("<|startoftext|>"),
                "pad_token_id": end,
            },
            vision_config={**tower, "image_size": 224, "patch_size": 32},
            projection_dim=DIM,
            attn_implementation="eager",
        )
    ).eval()
    model.requires_grad_(False)
    with torch.no_grad():  # as they come, the vectors of all pictures are nearly the same
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.normal_(0, 0.2)
            elif "bias" in name:
                weights.normal_(0, 0.1)

    class Vision(torch.nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return model.visual_projection(model.vision_model(pixel_values=pixel_values).pooler_output)

    class Text(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return model.text_projection(model.text_model(input_ids=input_ids).pooler_output)

    _export(Vision(), torch.zeros(1, 3, 224, 224), folder / "model.onnx", "pixel_values", "image_embeds")
    tokens = torch.full((1, 77), end)
    _export(Text(), tokens, folder / "text.onnx", "input_ids", "text_embeds")
    return TinyClip(model, tokenizer, folder)


def _export(module: Any, example: Any, path: Path, takes: str, gives: str) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, about itself
        torch.onnx.export(
            module,
            (example,),
            path,
            input_names=[takes],
            output_names=[gives],
            dynamic_axes={takes: {0: "batch"}, gives: {0: "batch"}},
            opset_version=14,
            dynamo=False,
        )


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    learner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=700, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
        ),
    )
    learned = json.loads(learner.to_str())["model"]
    vocabulary = dict(learned["vocab"])
    for token in [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]:
        vocabulary.setdefault(token, len(vocabulary))
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[tuple(pair) for pair in learned["merges"]])
    tokenizer.save_pretrained(folder)
    return tokenizer


def gallery_of_words(folder: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Builds a gallery of 12 pictures under a recipe with this model in place of the real CLIP."""
    monkeypatch.setenv("STEAMDINO_CACHE", str(folder / "cache"))
    model = replace(models()["clip-vitb32"], dim=DIM)
    monkeypatch.setitem(models(), model.name, model)
    made = make(folder)
    kept = model_files.working_folder(model)
    for name in ("model.onnx", "text.onnx", "tokenizer.json"):
        shutil.copy(made.folder / name, kept / name)
    model_files.keep(model, kept, origin={"test": True})
    for n in range(12):
        paint(folder / f"covers/{n:02}.png", n)
    add(folder / "g", folder / "covers")
    build(folder / "g", "clip")
    return folder / "g"
