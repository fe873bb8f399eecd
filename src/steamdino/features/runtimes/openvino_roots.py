"""Takes cube roots out of a graph where they are cubed again.

A generalised mean of power 3 ends with a cube root and begins with cubes. A network that pools what it has pooled takes
the root of each cell and cubes it soon afterwards. OpenVINO computes roots one number at a time, which is a seventh of
the bundled network's time: findings/openvino-cube-roots-are-scalar.sh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from steamdino.features.runtimes.openvino_graph import replace_output

POWER = 3
"""An odd power is increasing and keeps signs, so it can be taken before a maximum, a product or a quotient as well."""

COMMUTING = ("Maximum", "Minimum", "Multiply", "Divide", "Concat")
"""Operations that give the cube of their result if all their inputs are cubed."""


def cancel_roots(graph: Any) -> None:
    """Replace cubes of expressions that contain cube roots by the expressions of cubes, in which the roots are gone.

    The results differ by rounding only.

    Args:
        graph: an `openvino.Model`; changed in place.
    """
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "Power" and _constant(node.input(1)) == POWER:
            source = node.input(0).get_source_output()
            if _contains_root(source):
                replace_output(node.output(0), _cube(source))


def _contains_root(output: Any) -> bool:
    node = output.get_node()
    return _is_root(node) or (
        node.get_type_name() in COMMUTING
        and any(_contains_root(one.get_source_output()) for one in node.inputs())
    )


def _cube(output: Any) -> Any:
    """Return an output whose values are those of another one, cubed."""
    import openvino.opset13 as ops

    node = output.get_node()
    if _is_root(node):
        return node.input(0).get_source_output()
    kind = node.get_type_name()
    if kind in COMMUTING:
        cubes = [_cube(one.get_source_output()) for one in node.inputs()]
        made = ops.concat(cubes, node.get_axis()) if kind == "Concat" else getattr(ops, kind.lower())(*cubes)
        return made.output(0)
    if kind == "Constant":
        with np.errstate(over="ignore"):  # the greatest float, as an upper bound: its cube is infinite
            return ops.constant(node.get_data() ** np.float32(POWER)).output(0)
    return ops.power(output, np.float32(POWER)).output(0)


def _is_root(node: Any) -> bool:
    return node.get_type_name() == "Power" and _constant(node.input(1)) == np.float32(1 / POWER)


def _constant(port: Any) -> float | None:
    """The value of an input that is one constant number."""
    node = port.get_source_output().get_node()
    if node.get_type_name() != "Constant":
        return None
    values = node.get_data()
    return float(values.item()) if values.size == 1 else None
