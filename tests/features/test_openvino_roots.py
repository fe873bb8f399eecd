"""Cube roots that are cubed again, compared with NumPy's values in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as ops
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steamdino.features import pooling
from steamdino.features.model_registry import model
from steamdino.features.recipe_parser import files_of, named
from steamdino.features.runtimes.openvino import _adapted
from steamdino.features.runtimes.openvino_roots import cancel_roots

SHAPE = (2, 3, 4)
THIRD = np.float32(1 / 3)
Expression = tuple[Any, ...]

EXPRESSIONS = st.recursive(
    st.sampled_from([("input",), ("root",)]),
    lambda inner: st.one_of(
        st.tuples(
            st.sampled_from(["maximum", "minimum", "multiply", "divide"]),
            inner,
            st.tuples(st.just("number"), st.floats(0.25, 4, width=32)),
        ),
        st.tuples(st.sampled_from(["maximum", "minimum", "multiply"]), inner, inner),
        st.tuples(st.just("concat"), inner, inner),
    ),
    max_leaves=6,
)


def _rows(expression: Expression) -> int:
    """How long the first axis is."""
    kind, *inner = expression
    if kind == "concat":
        return sum(_rows(one) for one in inner)
    return SHAPE[0] if kind in ("input", "root") else _rows(inner[0])


def _fits(expression: Expression) -> bool:
    kind, *inner = expression
    if kind in ("input", "root", "number"):
        return True
    same = kind == "concat" or inner[1][0] == "number" or _rows(inner[0]) == _rows(inner[1])
    return same and all(map(_fits, inner))


def _graph(expression: Expression, x: Any) -> Any:
    kind, *inner = expression
    if kind == "number":
        return ops.constant(np.float32(inner[0]))
    if kind == "input":
        return x
    if kind == "root":
        return ops.power(ops.abs(x), THIRD)
    nodes = [_graph(one, x) for one in inner]
    return ops.concat(nodes, 0) if kind == "concat" else getattr(ops, kind)(*nodes)


def _numpy(expression: Expression, x: np.ndarray) -> np.ndarray:
    kind, *inner = expression
    if kind == "number":
        return np.float64(inner[0])
    if kind == "input":
        return x
    if kind == "root":
        return np.cbrt(np.abs(x))
    values = [_numpy(one, x) for one in inner]
    return np.concatenate(values) if kind == "concat" else getattr(np, kind)(*values)


def _cubed(expression: Expression) -> Any:
    x = ops.parameter(SHAPE, np.float32)
    return ov.Model([ops.power(_graph(expression, x), np.float32(3))], [x])


def _roots(graph: Any) -> list[Any]:
    return [
        node
        for node in graph.get_ordered_ops()
        if node.get_type_name() == "Power"
        and node.input(1).get_source_output().get_node().get_data().item() == THIRD
    ]


@settings(max_examples=15)  # each is compiled
@given(EXPRESSIONS.filter(_fits))
def test_a_graph_without_its_roots_gives_the_same_values_for_all_signs(expression: Expression) -> None:
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    graph = _cubed(expression)
    cancel_roots(graph)
    assert not _roots(graph)
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    (got,) = ov.Core().compile_model(graph, "CPU", config)([x]).values()
    np.testing.assert_allclose(got, _numpy(expression, x.astype(np.float64)) ** 3, rtol=1e-5)


def test_a_cube_of_what_holds_no_root_stays_as_it_is() -> None:
    graph = _cubed(("maximum", ("multiply", ("input",), ("input",)), ("number", 0.5)))
    before = [node.get_name() for node in graph.get_ordered_ops()]
    cancel_roots(graph)
    assert [node.get_name() for node in graph.get_ordered_ops()] == before


@pytest.mark.parametrize("power", [2.0, 4.0, 2.5])
def test_other_powers_stay_since_they_lose_signs(power: float) -> None:
    x = ops.parameter(SHAPE, np.float32)
    graph = ov.Model([ops.power(ops.power(x, THIRD), np.float32(power))], [x])
    before = [node.get_name() for node in graph.get_ordered_ops()]
    cancel_roots(graph)
    assert [node.get_name() for node in graph.get_ordered_ops()] == before


def test_the_bundled_network_takes_no_root_of_cells() -> None:
    recipe = named("bundled")
    known = model(recipe.model)
    path = files_of(recipe).path(known.graph)
    outputs = pooling.outputs(recipe.pooling, known)
    graph = _adapted(path, known, recipe.transform, outputs, 1.0, 2)
    assert _roots(graph)
    assert all(len(node.get_output_shape(0)) == 2 for node in _roots(graph))
