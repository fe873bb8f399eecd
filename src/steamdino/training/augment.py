"""Augmented views of banners: crops and colour changes, in batches on the device.

People tell games apart by lettering and colour, so mirroring and greyscale are rare and colours change mildly. All
randomness comes from one generator on the CPU, so that a run does not depend on the device.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from steamdino.training.training_settings import TrainSettings

ASPECT = 4 / 3
"""Maximum ratio of a crop's aspect ratio to the whole picture's, either way."""

BLUR = (0.3, 1.6)
"""Minimum and maximum standard deviation of the blur, in pixels of the crop."""

BLUR_RADIUS = 4
CORNER = (0.25, 0.65)
"""Minimum and maximum side of the upper right triangle that `corner` swaps, as fractions of the picture's width."""

LUMA = (0.299, 0.587, 0.114)

_TO_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def views(
    pictures: Tensor, partners: Tensor, settings: TrainSettings, generator: torch.Generator
) -> list[Tensor]:
    """Return crops of a batch of banners.

    Args:
        pictures: uint8, shape (B, H, W, 3), on the device.
        partners: the same, for the pictures that the second global crop shows; `pictures` themselves without labels.
        settings: the settings of the run.
        generator: on the CPU.

    Returns:
        float32 crops in the range 0 to 1, each (B, 3, height, width): two global ones, then the local ones.
    """
    own, other = (_planes(batch) for batch in (pictures, partners))
    if settings.corner:
        own, other = (swap_corners(batch, settings.corner, generator) for batch in (own, other))
    made = []
    for number in range(2 + settings.local_crops):
        is_global = number < 2
        size = settings.global_size if is_global else settings.local_size
        scale = settings.global_scale if is_global else settings.local_scale
        # Local crops alternate between both banners, so that each is compared with both.
        source = other if number % 2 else own
        made.append(recolour(crop(source, size, scale, settings.mirror, generator), settings, generator))
    return made


def crop(
    pictures: Tensor,
    size: tuple[int, int],
    scale: tuple[float, float],
    mirror: float,
    generator: torch.Generator,
) -> Tensor:
    """Crop a rectangle of each picture and resize it bilinearly, from a smaller copy if that has enough pixels.

    Args:
        pictures: float32, shape (B, 3, H, W).
        size: (height, width) of the crops.
        scale: minimum and maximum fraction of the area.
        mirror: fraction of the crops that are mirrored.
        generator: on the CPU.
    """
    batch, _, height, width = pictures.shape
    area = _uniform(batch, scale[0], scale[1], generator)
    aspect = _uniform(batch, -math.log(ASPECT), math.log(ASPECT), generator).exp()
    tall = (area * aspect).sqrt().clamp(max=1)
    wide = (area / aspect).sqrt().clamp(max=1)
    down = (1 - tall) * _uniform(batch, -1, 1, generator)
    right = (1 - wide) * _uniform(batch, -1, 1, generator)
    turned = torch.where(_chosen(batch, mirror, generator), -wide, wide)
    zero = torch.zeros(batch)
    theta = torch.stack(
        [torch.stack([turned, zero, right], 1), torch.stack([zero, tall, down], 1)], dim=1
    ).to(pictures.device)
    grid = functional.affine_grid(theta, [batch, 3, *size], align_corners=False)
    while min(scale) ** 0.5 * min(height / size[0], width / size[1]) >= 2:
        pictures = functional.avg_pool2d(pictures, 2)
        height, width = pictures.shape[-2:]
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def recolour(crops: Tensor, settings: TrainSettings, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and hue of some crops, turn some grey and blur some: the same shape."""
    batch = len(crops)
    strengths = [
        _uniform(batch, 1 - most, 1 + most, generator)
        for most in (settings.brightness, settings.contrast, settings.saturation)
    ]
    hue = _uniform(batch, -settings.hue, settings.hue, generator) * math.tau
    sigma = _uniform(batch, *BLUR, generator)
    jittered, grey, blurred = (
        _chosen(batch, share, generator) for share in (settings.jitter, settings.grey, settings.blur)
    )
    brightness, contrast, saturation = (torch.where(jittered, one, 1.0) for one in strengths)
    hue = torch.where(jittered, hue, 0.0)
    matrix = _colour_matrix(torch.where(grey, 0.0, saturation), hue).to(crops.device)
    contrast, brightness = (one.view(-1, 1, 1, 1).to(crops.device) for one in (contrast, brightness))
    changed = torch.einsum("bij,bjhw->bihw", matrix, crops)
    average = changed.mean(dim=(1, 2, 3), keepdim=True)
    changed = ((changed - average) * contrast + average) * brightness
    return _blur(changed.clamp(0, 1), sigma, blurred)


def swap_corners(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Paste the upper right triangle of another picture over some: (B, 3, H, W) -> the same shape."""
    batch, _, height, width = pictures.shape
    side = _uniform(batch, *CORNER, generator)
    chosen = _chosen(batch, share, generator)
    order = torch.randperm(batch, generator=generator)
    down = (torch.arange(height) + 0.5) / height
    left = 1 - (torch.arange(width) + 0.5) / width
    # Both as fractions of the width: stores draw their ribbons at 45 degrees on banners of any shape.
    inside = (down[:, None] * height / width + left[None, :])[None] < side[:, None, None]
    mask = (inside & chosen[:, None, None]).unsqueeze(1).to(pictures.device)
    return torch.where(mask, pictures[order.to(pictures.device)], pictures)


def _planes(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 3, 1, 2).float() / 255


def _colour_matrix(saturation: Tensor, hue: Tensor) -> Tensor:
    """Return matrices that rotate the hue in YIQ and scale the saturation: (B,), (B,) -> (B, 3, 3)."""
    to_yiq = torch.tensor(_TO_YIQ)
    cos, sin = saturation * hue.cos(), saturation * hue.sin()
    one, zero = torch.ones_like(cos), torch.zeros_like(cos)
    turn = torch.stack(
        [torch.stack(row, 1) for row in ((one, zero, zero), (zero, cos, -sin), (zero, sin, cos))], dim=1
    )
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq


def _blur(crops: Tensor, sigma: Tensor, chosen: Tensor) -> Tensor:
    """Blur the chosen crops, each with its own Gaussian, first rows and then columns."""
    rows = chosen.nonzero().flatten()
    if not len(rows):
        return crops
    offsets = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1).float()
    kernels = (-(offsets**2) / (2 * sigma[rows, None] ** 2)).exp()
    kernels = (kernels / kernels.sum(dim=1, keepdim=True)).repeat_interleave(3, 0).to(crops.device)
    rows = rows.to(crops.device)
    height, width = crops.shape[-2:]
    planes = crops[rows].reshape(1, -1, height, width)
    for shape, padding in (
        ((-1, 1, len(offsets), 1), (0, 0, 4, 4)),
        ((-1, 1, 1, len(offsets)), (4, 4, 0, 0)),
    ):
        padded = functional.pad(planes, padding, mode="replicate")
        planes = functional.conv2d(padded, kernels.view(shape), groups=planes.shape[1])
    blurred = crops.clone()
    blurred[rows] = planes.reshape(len(rows), 3, height, width)
    return blurred


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _chosen(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < share


def generator(seed: int, epoch: int, number: int) -> torch.Generator:
    """Return the generator of one pass, so that a resumed run draws the same numbers as an undisturbed one."""
    state = np.random.SeedSequence([seed, epoch, number]).generate_state(2, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) >> 1)
