from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import ModelError, RecipeError
from steamdino.features.model_registry import models, own_model, record_of
from steamdino.features.recipe_parser import Spec, named, parse, pooling_dim, short_names
from steamdino.recipe import POOLING_KINDS, TRANSFORM_MODES, Pooling


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("bundled", "bundled"),
        ("bundled/gem", "bundled"),
        ("bundled/fit/224x320/simple", "bundled/simple/fit/224x320"),
        ("bundled/whiten256", "bundled/whiten256"),
        ("bundled/raw", "bundled/raw"),
        ("bundled/patches/raw", "bundled/patches"),
        ("SimpleS16", "SimpleS16"),
        ("SimpleS16/fit/224x336", "SimpleS16/fit/224x336"),
        ("GemB8", "GemB8"),
        ("GemB8/simple", "GemB8/simple"),
        ("dinov2-base/complex", "dinov2-base/complex"),
        ("clip", "clip"),
    ],
)
def test_a_label_is_the_shortest_text_that_means_the_same(text: str, label: str) -> None:
    assert parse(text).label == label
    assert parse(label) == parse(text)


specs = st.builds(
    lambda name, parts: "/".join([name, *parts]),
    st.sampled_from([*short_names(), *models()]),
    st.lists(
        st.sampled_from(
            [
                *POOLING_KINDS,
                *TRANSFORM_MODES,
                "whiten",
                "whiten128",
                "raw",
                "224x224",
                "112x336",
                "560x560",
                "97x131",
            ]
        ),
        max_size=5,
    ),
)


@given(specs)
def test_whatever_can_be_parsed_has_a_label_that_parses_to_the_same(text: str) -> None:
    try:
        spec = parse(text)
    except RecipeError as error:
        assert "\n" not in str(error)
        return
    again = parse(spec.label)
    assert (again.model, again.transform, again.pooling, again.whiten) == (
        spec.model,
        spec.transform,
        spec.pooling,
        spec.whiten,
    )
    assert again.shipped == spec.shipped
    assert again.label == spec.label


def test_arguments_win_over_the_text() -> None:
    spec = parse("bundled/fit/224x320", mode="crop", size=(160, 240), pooling="simple")
    assert (spec.transform.mode, spec.transform.width, spec.transform.height) == ("crop", 160, 240)
    assert spec.pooling == Pooling("simple")


def test_the_legacy_names_are_parsed_with_their_preprocessing() -> None:
    def facts(spec: Spec) -> tuple[str, str, str, int, int]:
        return (
            spec.model.name,
            spec.pooling.kind,
            spec.transform.mode,
            spec.transform.width,
            spec.transform.height,
        )

    assert facts(parse("SimpleB16")) == ("dino-vitb16", "simple", "crop", 224, 224)
    assert facts(parse("ComplexS8")) == ("dino-vits8", "complex", "crop", 224, 224)
    assert facts(parse("GemS16")) == ("dino-vits16", "gem", "squash", 320, 320)
    assert parse("GemS16").pooling.power == 4.0
    assert facts(parse("MultiscaleB8")) == ("dino-vitb8", "multiscale", "crop", 224, 224)


@pytest.mark.parametrize(
    ("text", "dim"),
    [("SimpleS16", 384), ("ComplexS16", 1536), ("ComplexB16", 1536), ("GemS16", 768), ("MultiscaleB16", 768),
     ("PatchesB8", 768), ("dino-resnet50/gem", 2048), ("clip", 512), ("dinov2-giant/complex", 3072)],
)  # fmt: skip
def test_a_vectors_length_is_what_the_strategy_says(text: str, dim: int) -> None:
    spec = parse(text)
    assert pooling_dim(spec.model, spec.pooling) == dim


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bundeld", "no recipe 'bundeld'; choose from: bundled"),
        (
            "bundled/15x240",
            "15x240 does not fit efficientnet-lite0-banners: each side must be at least 16",
        ),
        ("SimpleS16/224x300", "224x300 does not fit dino-vits16: each side must be a multiple of 16"),
        ("clip/224x320", "each side must be 224: it is made for one size"),
        ("bundled/stretch", "'stretch' in a recipe is not one of: simple, complex"),
        (
            "bundled/complex",
            r"does not support 'complex' \(it is convolutional: no CLS token\); it supports: simple, gem",
        ),
        (
            "clip/gem",
            r"clip-vitb32 does not support 'gem' \(its only output is the embedding\); it supports: simple",
        ),
        ("SimpleS16/whiten0", "'whiten0' in a recipe is not one of"),
    ],
)
def test_unsupported_combinations_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(text)


def test_a_models_own_whitening_applies_to_its_own_pooling_only() -> None:
    assert (named("bundled").dim, named("bundled").projection is None) == (512, False)
    for text in ("bundled/simple", "bundled/raw"):
        assert (named(text).dim, named(text).projection) == (1488, None)


def test_the_error_for_a_missing_model_says_how_to_get_it() -> None:
    with pytest.raises(
        ModelError, match="dino-vits16 is not on this machine yet; .* models pull dino-vits16"
    ):
        named("SimpleS16")


def test_a_whitening_of_the_gallery_needs_a_gallery() -> None:
    with pytest.raises(
        RecipeError, match="learns its whitening on a gallery; run: steam-dino build --recipe"
    ):
        named("bundled/whiten")


@pytest.mark.parametrize("name", ["efficientnet-lite0-banners", "dinov2-small-registers", "clip-vitb32"])
def test_a_models_record_makes_a_model_like_it(name: str) -> None:
    known = models()[name]
    again = own_model("again", json.loads(json.dumps(record_of(known))))
    assert replace(again, name=name, weights=known.weights, files=known.files) == replace(
        known, network=again.network
    )
    assert again.network == json.loads(json.dumps(known.network))


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("dino-vits16", None),
        ("dino-vits16/complex/fit", None),
        ("dino-vits16/224x336", "offset"),
        ("dino-vits8/112x448", "offset"),
        ("MultiscaleB8", "offset"),
        ("GemS16", "offset"),
        ("dinov2-base", "offset"),
        ("dinov2-base/518x518", None),
        ("dinov2-base-registers", "antialias"),
        ("dinov2-base/518x518/multiscale", "offset"),
        ("dinov3-vits16/224x336", None),
        ("clip", None),
        ("dino-resnet50/320x320", None),
        ("bundled", None),
    ],
)
def test_a_recipe_says_how_position_embeddings_are_resampled_if_they_are(
    text: str, positions: str | None
) -> None:
    assert parse(text).transform.positions == positions


def test_gem_takes_the_powers_of_its_sources() -> None:
    # "GeM with exponent 4 for output patch tokens": facebookresearch/dino, eval_copy_detection.py. The map of a
    # convolutional network: 3, where Radenovic et al. start, in cirtorch's layers/pooling.py.
    powers = {
        text: parse(text).pooling.power
        for text in ("GemS16", "GemB8", "dinov2-small/gem", "dinov3-vits16/gem")
    }
    assert set(powers.values()) == {4.0}
    assert {parse(text).pooling.power for text in ("dino-resnet50/gem", "bundled")} == {3.0}
