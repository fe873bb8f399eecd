from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import RecipeError
from steamdino.features.recipe_parser import named
from steamdino.recipe import (
    COLOURS,
    LARGEST_DIM,
    PASSES,
    POOLING_KINDS,
    POSITIONS,
    TRANSFORM_MODES,
    Pooling,
    Recipe,
    Transform,
)

sha256s = st.text("0123456789abcdef", min_size=64, max_size=64)
positive = st.floats(0.001, 1e6, allow_nan=False)
triples = st.tuples(positive, positive, positive)
transforms = st.builds(
    Transform,
    mode=st.sampled_from(TRANSFORM_MODES),
    width=st.integers(1, 4096),
    height=st.integers(1, 4096),
    interpolation=st.just("bicubic"),
    mean=triples,
    std=triples,
    colours=st.sampled_from(COLOURS),
    passes=st.sampled_from(PASSES),
    positions=st.none() | st.sampled_from(POSITIONS),
)
poolings = st.sampled_from(POOLING_KINDS).flatmap(
    lambda kind: st.builds(Pooling, st.just(kind), st.floats(1, 100) if kind == "gem" else st.none())
)
recipes = st.builds(
    Recipe,
    model=st.text(min_size=1),
    weights=sha256s,
    transform=transforms,
    pooling=poolings,
    projection=st.none() | sha256s,
    vector_class=st.sampled_from(("float", "int8")),
    dim=st.integers(1, 10_000),
    name=st.text(),
)


@given(recipes)
def test_canonical_json_leads_back_to_the_same_recipe(recipe: Recipe) -> None:
    again = Recipe.from_json(recipe.json)
    assert again == recipe
    assert again.json == recipe.json
    assert again.hash == recipe.hash


@given(recipes)
def test_canonical_json_is_ascii_with_sorted_keys_and_without_spaces_of_its_own(recipe: Recipe) -> None:
    assert recipe.json.isascii()
    record = json.loads(recipe.json)
    assert list(record) == sorted(record)
    assert json.dumps(record, sort_keys=True, separators=(",", ":")) == recipe.json


@given(recipes, st.text())
def test_the_name_is_not_part_of_the_identity(recipe: Recipe, name: str) -> None:
    renamed = replace(recipe, name=name)
    assert (renamed, renamed.hash) == (recipe, recipe.hash)


@given(recipes, recipes)
def test_two_recipes_have_one_hash_only_if_they_do_not_differ(one: Recipe, other: Recipe) -> None:
    assert (one.hash == other.hash) == (one == other) == (not one.differences(other))


def test_each_differing_field_is_named_with_both_values() -> None:
    recipe = named("bundled")
    other = replace(recipe, transform=replace(recipe.transform, mode="fit", width=224))
    assert recipe.differences(other) == ["transform.mode: squash != fit", "transform.width: 160 != 224"]


@given(recipes)
def test_recipes_of_earlier_versions_leave_more_and_more_open(recipe: Recipe) -> None:
    chain = [recipe, *recipe.earlier()]
    assert len({one.hash for one in chain}) == len(chain)
    for newer, older in pairwise(chain):
        (difference,) = newer.differences(older)
        assert difference.split(":")[0] in ("transform.positions", "transform.passes", "transform.colours")
        assert difference.endswith("!= None")
    keys = json.loads(chain[-1].json)["transform"].keys()
    assert keys.isdisjoint({"positions", "passes", "colours"})


@given(st.text() | st.just("[]") | st.just("{}") | st.just('{"transform": 1}'))
def test_what_is_no_recipe_is_refused_as_one(text: str) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"vector_class": "f32"},
        {"weights": "abc"},
        {"projection": ""},
        {"dim": 0},
        {"dim": LARGEST_DIM + 1},
        {"dim": 10**5000},
        {"dim": "7"},
        {"dim": True},
        {"model": ""},
        {"model": ["bundled"]},
        {"name": None},
    ],
)
def test_a_senseless_value_is_refused(change: dict[str, object]) -> None:
    (name,) = change
    with pytest.raises(RecipeError, match="precision" if name == "vector_class" else name):
        replace(named("bundled"), **change)


@pytest.mark.parametrize(
    "wrong", [None, True, [], {}, "x" * 10**6, 10**400, 1e308, float("nan"), [[[[]]]], "a\nb"]
)
@pytest.mark.parametrize(
    "way",
    [
        ("model",),
        ("weights",),
        ("projection",),
        ("precision",),
        ("dim",),
        ("transform",),
        ("transform", "mode"),
        ("transform", "width"),
        ("transform", "interpolation"),
        ("transform", "mean"),
        ("transform", "std"),
        ("pooling",),
        ("pooling", "kind"),
        ("pooling", "power"),
        ("x\n" * 100,),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_in_one_short_line(way: tuple[str, ...], wrong: object) -> None:
    record = json.loads(named("bundled").json)
    inner = record[way[0]] if len(way) > 1 else record
    inner[way[-1]] = wrong
    try:
        recipe = Recipe.from_json(json.dumps(record))
    except RecipeError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500
    else:  # a projection may be missing, a model may be called anything, and so is a power
        assert way in (("projection",), ("model",), ("pooling", "power"))
        assert Recipe.from_json(recipe.json) == recipe


@pytest.mark.parametrize("name", ["mean", "std"])
@pytest.mark.parametrize("level", [1e308, 1.1e6, float("nan"), float("inf"), 1, True, "0.5", None])
def test_a_level_that_no_picture_has_is_refused(name: str, level: object) -> None:
    transform = named("bundled").transform
    with pytest.raises(RecipeError, match=f"transform.{name} is .*; it must be three numbers from"):
        replace(transform, **{name: (0.5, level, 0.5)})
    with pytest.raises(RecipeError, match=r"transform.std is .*numbers from 1e-06 to 1e\+06"):
        replace(transform, std=(0.5, 1e-7, 0.5))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"dim": ' + "9" * 5000 + "}"]
)
def test_what_exhausts_a_parser_is_refused_as_no_recipe(text: str) -> None:
    with pytest.raises(RecipeError, match="not a recipe"):
        Recipe.from_json(text)


def test_gem_needs_a_power_and_the_others_take_none() -> None:
    with pytest.raises(RecipeError, match="power"):
        Pooling("gem")
    with pytest.raises(RecipeError, match="power"):
        Pooling("simple", 3.0)


def test_the_hash_of_the_bundled_recipe_has_not_changed() -> None:
    # Stored galleries are found by it: a change here orphans every one of them.
    recipe = named("bundled")
    # Before the passes were ordered, and before colour profiles were read.
    assert [one.hash for one in recipe.earlier()] == ["fc9353856929", "8119dfe742dd"]
    assert recipe.hash == "67ce8c0b2183"
    for one in (recipe, *recipe.earlier()):
        assert Recipe.from_json(one.json) == one


def test_the_vector_class_is_called_precision_in_json_and_nowhere_both() -> None:
    recipe = named("bundled")
    record = json.loads(recipe.json)
    assert record["precision"] == recipe.vector_class == "float"
    assert recipe.differences(replace(recipe, vector_class="int8")) == ["precision: float != int8"]
    with pytest.raises(RecipeError, match="vector_class"):
        Recipe.from_json(json.dumps({**record, "vector_class": "float"}))
