"""What a file of PyTorch weights holds: says which model it fits, and what is missing or unknown in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from steamdino.errors import ModelError
from steamdino.features.model_registry import Model, models

SHOWN = 3
"""Names of weights in a message."""

EXPECTED = {
    "DINO": "cls_token, pos_embed, patch_embed.proj.weight, blocks.0.norm1.weight",
    "DINOv2": "cls_token, pos_embed, patch_embed.proj.weight, blocks.0.ls1.gamma",
    "ResNet": "conv1.weight, layer1.0.conv1.weight, layer4.0.conv3.weight",
}
"""Some names of each kind's weights, in the authors' files."""


class Contents(NamedTuple):
    """What distinguishes a model's weights from another's.

    Attributes:
        kind: "DINO", "DINOv2", "DINOv3" or "ResNet".
        width: of a token or a cell.
        patch: side in pixels; for a ResNet the stride of its map.
        blocks: how many, of a transformer.
        registers: how many, of a transformer.
    """

    kind: str
    width: int
    patch: int
    blocks: int
    registers: int

    def __str__(self) -> str:
        if self.kind == "ResNet":
            return f"a ResNet of width {self.width}"
        return (
            f"a {self.kind} of width {self.width}, patches of {self.patch}, {self.blocks} blocks"
            f" and {self.registers or 'no'} registers"
        )


def comes_as_a_file(model: Model) -> bool:
    """Return whether a model's weights are read from a single file, and not only from a folder."""
    return model.family != "clip" and _wanted(model).kind in EXPECTED


def check(model: Model, file: Path, state: Mapping[str, Any]) -> None:
    """Check that weights are those of a model.

    Args:
        model: its record.
        file: where they come from, for the message.
        state: the tensors by the authors' names or by those of transformers.

    Raises:
        ModelError: they are not.
    """
    found, wanted = contents(state), _wanted(model)
    if found == wanted:
        return
    if found is None:
        raise ModelError(
            f"{file} has unknown names of weights: expected those of {model.name}, such as"
            f" {EXPECTED[wanted.kind]}; found {_some(state)}"
        )
    fitting = [name for name, one in models().items() if one.family != "clip" and _wanted(one) == found]
    advice = f"it fits {' and '.join(fitting)}" if fitting else "it fits no known model"
    raise ModelError(f"{file} holds {found}, but {model.name} is {wanted}; {advice}")


def contents(state: Mapping[str, Any]) -> Contents | None:
    """Return what weights are of, by their names and shapes; None if nothing known has such names."""
    shapes = {name: tuple(value.shape) for name, value in state.items() if hasattr(value, "shape")}
    if "layer1.0.conv1.weight" in shapes and len(shapes.get("layer4.0.conv3.weight", ())) == 4:
        return Contents("ResNet", shapes["layer4.0.conv3.weight"][0], 32, 0, 0)
    patches = _first(shapes, r"patch_embed\.proj\.weight|.*patch_embeddings(\.projection)?\.weight")
    numbers = [
        int(found[1]) for name in shapes if (found := re.match(r"(?:.*\.)?(?:blocks|layers?)\.(\d+)\.", name))
    ]
    if len(patches) != 4 or not numbers:
        return None
    positions = _first(shapes, r"pos_embed|.*position_embeddings")
    registers = _first(shapes, r"register_tokens|storage_tokens|.*\.register_tokens")
    scaled = any(re.search(r"ls1\.gamma|layer_scale1\.lambda1", name) for name in shapes)
    kind = "DINO" if not scaled else "DINOv2" if len(positions) == 3 else "DINOv3"
    count = registers[1] if len(registers) == 3 else 0
    return Contents(kind, patches[0], patches[2], 1 + max(numbers), count)


def compare(file: Path, expected: Iterable[str], given: Mapping[str, Any]) -> None:
    """Check that weights are complete, by the names that they have once they were renamed.

    Args:
        file: where they come from, for the message.
        expected: names of the weights that a module has; a mapping to the weights to compare shapes, too.
        given: the tensors.

    Raises:
        ModelError: some are missing, unknown or of another shape.
    """
    names = set(expected)
    missing, unknown = sorted(names - set(given)), sorted(set(given) - names)
    if missing or unknown:
        raise ModelError(
            f"{file} is incomplete or of another version: of {len(names)} weights {len(missing)} are missing"
            f" ({_some(missing)}), and {len(unknown)} are unknown ({_some(unknown)})"
        )
    if isinstance(expected, Mapping):
        for name in sorted(names):
            due, shape = tuple(expected[name].shape), tuple(given[name].shape)
            if due != shape:
                raise ModelError(f"{file} has another shape of {name}: expected {due}, found {shape}")


def _wanted(model: Model) -> Contents:
    if model.family == "conv":
        return Contents("ResNet", model.dim, 32, 0, 0)
    name = model.name
    kind = "DINOv2" if name.startswith("dinov2") else "DINOv3" if name.startswith("dinov3") else "DINO"
    return Contents(kind, model.dim, model.stride, model.blocks, model.registers)


def _first(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> tuple[int, ...]:
    return next((shape for name, shape in shapes.items() if re.fullmatch(pattern, name)), ())


def _some(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:SHOWN]) + (", ..." if len(known) > SHOWN else "") if known else "none"
