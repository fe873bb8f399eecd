"""Adapts a model's graph to a recipe: other outputs, another size of input, another scale.

The transformers on the model hub give the tokens of their last block, at the size that they were exported for. The
other things are in their graph: the sums on the residual path are the blocks' outputs, the last softmax is the
attention, and the position embedding is a constant that can be interpolated. The graph is searched by its structure,
since names differ from exporter to exporter.

Outputs by name: ``tokens`` (B, T, D); ``tokens_2``, ``tokens_3``, ``tokens_4``: those of the blocks before the last,
after the final norm; ``attention`` (B, heads, T): from the CLS token of the last block to all tokens; ``embedding``
(B, D); ``pooled`` (B, D): the first token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from steamdino.errors import RecipeError
from steamdino.features.model_registry import Model
from steamdino.features.position_resampling import CUBIC, weights
from steamdino.features.runtimes.runtime import scaled_size

KNOWN_AS = {
    "tokens": ("tokens", "last_hidden_state"),
    "embedding": ("embedding", "image_embeds", "text_embeds"),
}
"""Names that exporters give to an output."""

EARLIER = ("tokens_2", "tokens_3", "tokens_4")


def fit_positions(graph: Any, model: Model, width: int, height: int, rule: str | None) -> None:
    """Resample the position embeddings of a graph, if it has some, for another size of input.

    Exporters leave them in two forms: for one size, as a constant; for any size, as a constant with an interpolation,
    which does what the exporter's version of transformers did. Either is replaced by the rule. A graph that
    resamples by matrix products, as `onnx_export` writes it, is complete. The CLS token's embedding stays.

    Args:
        graph: an `openvino.Model` of any input size.
        model: its record.
        width, height: of the input in pixels.
        rule: of `position_resampling`; None to resample a constant as transformers does (bicubic from grid to grid,
            half-pixel centres, no antialiasing) and to leave interpolations alone.
    """
    grid = (height // model.stride, width // model.stride)
    found = _position_embedding(graph, model)
    if found is None:
        if rule is not None:
            for node, side in _position_interpolations(graph, model):
                if grid == (side, side):
                    replacement = node.input(0).get_source_output()
                else:
                    replacement = _resampled(node.input(0).get_source_output(), grid, side, rule)
                replace_output(node.output(0), replacement)
        return
    node, slot, side = found
    if grid == (side, side):
        return
    import openvino.opset13 as ops

    source = node.input(slot).get_source_output()
    tokens, dim = 1 + side * side, source.get_shape()[2]
    own, cells = (
        ops.slice(source, np.array([start]), np.array([stop]), np.array([1]), np.array([1]))
        for start, stop in ((0, 1), (1, tokens))
    )
    square = ops.transpose(
        ops.reshape(cells, np.array([1, side, side, dim]), special_zero=False), np.array([0, 3, 1, 2])
    )
    resized = (
        ops.interpolate(
            square,
            np.array(grid),
            "cubic",
            "sizes",
            axes=np.array([2, 3]),
            coordinate_transformation_mode="half_pixel",
            cube_coeff=CUBIC,
        )
        if rule is None
        else _resampled(square.output(0), grid, side, rule).get_node()
    )
    rows = ops.reshape(
        ops.transpose(resized, np.array([0, 2, 3, 1])),
        np.array([1, grid[0] * grid[1], dim]),
        special_zero=False,
    )
    node.input(slot).replace_source_output(ops.concat([own, rows], 1).output(0))


def _resampled(square: Any, grid: tuple[int, int], side: int, rule: str) -> Any:
    """An output of shape (1, dim, height, width), computed from one of shape (1, dim, side, side)."""
    import openvino.opset13 as ops

    down, across = (ops.constant(weights(cells, side, rule)) for cells in grid)
    columns = ops.matmul(down, square, transpose_a=False, transpose_b=False)
    return ops.matmul(columns, across, transpose_a=False, transpose_b=True).output(0)


def replace_output(output: Any, replacement: Any) -> None:
    """Let everything that takes an output take another one."""
    for target in output.get_target_inputs():
        target.replace_source_output(replacement)


def mixes_pictures(graph: Any) -> bool:
    """Return whether a picture's outputs depend on the others of its batch.

    They do in a dynamically quantised graph: ONNX's DynamicQuantizeLinear takes one scale from the least and the
    greatest of all values, which OpenVINO computes as it is defined.

    Args:
        graph: an `openvino.Model` of static shapes, for more than one picture.
    """
    computed = _computed(graph, by_shape=False)
    for node in graph.get_ordered_ops():
        if node.get_type_name().startswith("Reduce") and node.get_name() in computed:
            before, after = (list(port.get_partial_shape()) for port in (node.input(0), node.output(0)))
            if not after or (len(after) == len(before) and after[0] != before[0]):
                return True
    return False


def scale_input(graph: Any, width: int, height: int, scale: float, stride: int) -> None:
    """Make the graph take (B, 3, height, width) and compute on a smaller picture.

    Bilinear without antialiasing, then cropped at the right and at the bottom to a multiple of the stride, as DINO's
    eval_image_retrieval does.
    """
    import openvino as ov
    import openvino.opset13 as ops

    inner = graph.get_parameters()[0]
    batch = inner.get_partial_shape()[0].get_length()
    outer = ops.parameter([batch, 3, height, width], np.float32, "pixel_values")
    resized = ops.interpolate(
        outer,
        np.array([scale, scale], np.float32),
        "linear",
        "scales",
        axes=np.array([2, 3]),
        coordinate_transformation_mode="half_pixel",
    )
    size = np.array(scaled_size(height, width, scale, stride))
    cropped = ops.slice(resized, np.array([0, 0]), size, np.array([1, 1]), np.array([2, 3]))
    replace_output(inner.output(0), cropped.output(0))
    graph.add_parameters([outer])
    graph.remove_parameter(inner)
    assert isinstance(graph, ov.Model)  # noqa: S101 (for the reader: it was changed in place)


def select(graph: Any, names: Sequence[str], model: Model) -> Any:
    """Make a graph that gives these outputs in this order.

    Args:
        graph: an `openvino.Model` of static shapes; not usable afterwards.
        names: see the module's docstring.
        model: its record, for the error message.

    Raises:
        RecipeError: the graph has no such output.
    """
    import openvino as ov

    found = {name: _output(graph, name) for name in names if name not in EARLIER}
    missing = [name for name in names if name in EARLIER and _named(graph, name) is None]
    found |= {name: _named(graph, name) for name in names if name in EARLIER and name not in missing}
    if missing:
        found |= _earlier_blocks(graph, model)
    results = []
    for name in names:
        if found[name] is None:
            raise RecipeError(
                f"the file of {model.name} does not give {name!r}, and its graph does not contain it;"
                " use a file that gives it, with: steam-dino models pull --weights FILE"
            )
        results.append(ov.opset13.result(found[name]))
    return ov.Model(results, graph.get_parameters(), model.name)


def port(compiled: Any, name: str) -> Any:
    """Find the output of a compiled network that has a name, or whichever comes first if none has."""
    known = set(KNOWN_AS.get(name, (name,)))
    return next((one for one in compiled.outputs if one.get_names() & known), compiled.outputs[0])


def _output(graph: Any, name: str) -> Any:
    for known in KNOWN_AS.get(name, (name,)):
        if (output := _named(graph, known)) is not None:
            return output
    if name == "attention":
        return _attention(graph)
    if name == "pooled":
        return _first_token(graph)
    rank = 3 if name == "tokens" else 2
    sources = [result.input(0).get_source_output() for result in graph.get_results()]
    return next((source for source in sources if len(source.get_partial_shape()) == rank), None)


def _named(graph: Any, name: str) -> Any:
    for output in graph.outputs:
        if name in output.get_names():
            return output.get_node().input(0).get_source_output()
    return None


def _first_token(graph: Any) -> Any:
    """The first token, without the others where they are only joined to it at the end."""
    import openvino.opset13 as ops

    tokens = _output(graph, "tokens")
    if tokens is None:
        return None
    joined = tokens.get_node()
    if joined.get_type_name() == "Concat":
        first = joined.input(0).get_source_output()
        if first.get_partial_shape()[1] == 1:
            return ops.squeeze(first, np.array([1])).output(0)
    first = ops.slice(tokens, np.array([0]), np.array([1]), np.array([1]), np.array([1]))
    return ops.squeeze(first, np.array([1])).output(0)


def _attention(graph: Any) -> Any:
    import openvino.opset13 as ops

    softmaxes = [node for node in graph.get_ordered_ops() if node.get_type_name() == "Softmax"]
    maps = [node for node in softmaxes if len(node.get_output_partial_shape(0)) == 4]
    if not maps:
        return None
    from_cls = ops.slice(maps[-1], np.array([0]), np.array([1]), np.array([1]), np.array([2]))
    return ops.squeeze(from_cls, np.array([2])).output(0)


def _earlier_blocks(graph: Any, model: Model) -> dict[str, Any]:
    """Send the residual path after each of the last four blocks through the final norm, and split the results.

    The norm treats each token by itself, so the four can go through it as one batch.
    """
    import openvino.opset13 as ops

    tokens = _output(graph, "tokens")
    computed = _computed(graph)
    last = (
        None if tokens is None else _first_ancestor(tokens.get_node(), lambda node: _is_sum(node, computed))
    )
    if last is None:
        return dict.fromkeys(EARLIER)
    blocks = [last.output(0)]
    for _ in EARLIER:
        halfway = _residual(blocks[-1].get_node(), computed)
        before = None if halfway is None else _residual(halfway.get_node(), computed)
        if before is None:
            return dict.fromkeys(EARLIER)
        blocks.append(before)
    into_norm = [
        target
        for target in last.output(0).get_target_inputs()
        if target.get_node().get_type_name() != "Result"
    ]
    together = ops.concat(blocks, 0)
    for target in into_norm:
        target.replace_source_output(together.output(0))
    graph.validate_nodes_and_infer_types()
    parts = ops.split(tokens.get_node(), 0, len(blocks))
    return {name: parts.output(n) for n, name in enumerate(("tokens", *EARLIER))}


def _residual(node: Any, computed: set[str]) -> Any:
    """The addend of a sum on the residual path that goes on elsewhere, too; None if that is not one of the two."""
    if not _is_sum(node, computed):
        return None
    shared = [
        source
        for source in (node.input(0).get_source_output(), node.input(1).get_source_output())
        if len(source.get_target_inputs()) >= 2
    ]
    return shared[0] if len(shared) == 1 else None


def _is_sum(node: Any, computed: set[str]) -> bool:
    """Whether a node adds two things that both depend on the input: no bias, but the residual path."""
    return node.get_type_name() == "Add" and all(
        one.get_source_output().get_node().get_name() in computed for one in node.inputs()
    )


def _position_embedding(graph: Any, model: Model) -> tuple[Any, int, int] | None:
    computed = _computed(graph)
    for node in graph.get_ordered_ops():
        if node.get_type_name() != "Add":
            continue
        for slot in (0, 1):
            source = node.input(slot).get_source_output()
            shape = source.get_partial_shape()
            if not (source.get_node().get_name() not in computed and shape.is_static and len(shape) == 3):
                continue
            one, tokens, dim = source.get_shape()
            side = math.isqrt(max(tokens - 1, 0))
            if one == 1 and side > 1 and side * side == tokens - 1 and dim == model.dim:
                return node, slot, side
    return None


def _position_interpolations(graph: Any, model: Model) -> list[tuple[Any, int]]:
    """The interpolations of constants of shape (1, dim, side, side), with that side."""
    computed = _computed(graph, by_shape=False)
    found = []
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "Interpolate" and node.get_name() not in computed:
            shape = node.input(0).get_partial_shape()
            if shape.is_static and len(shape) == 4:
                one, dim, height, width = shape.to_shape()
                if (one, dim) == (1, model.dim) and height == width:
                    found.append((node, height))
    return found


def _computed(graph: Any, *, by_shape: bool = True) -> set[str]:
    """The names of the nodes that depend on the input; the others are constants, however they are made.

    Args:
        graph: an `openvino.Model`.
        by_shape: whether to count those that depend on nothing but the input's shape.
    """
    computed: set[str] = set()
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "ShapeOf" and not by_shape:
            continue
        sources = (one.get_source_output().get_node().get_name() for one in node.inputs())
        if node.get_type_name() == "Parameter" or any(name in computed for name in sources):
            computed.add(node.get_name())
    return computed


def _first_ancestor(node: Any, wanted: Callable[[Any], bool]) -> Any:
    """The nearest node on the way back to the input, itself included, that is wanted."""
    waiting, seen = [node], set()
    while waiting:
        nearest = waiting.pop(0)
        if nearest.get_name() in seen:
            continue
        seen.add(nearest.get_name())
        if wanted(nearest):
            return nearest
        waiting += [one.get_source_output().get_node() for one in nearest.inputs()]
    return None
