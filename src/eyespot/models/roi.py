"""Pool the maps under boxes (regions of interest, RoI) to one size, in plain torch.

`roi_pool`: Girshick, "Fast R-CNN", ICCV 2015, section 2.1. `roi_align`: He, Gkioxari, Dollar and
Girshick, "Mask R-CNN", ICCV 2017, section 3.

Both take maps [N, C, H, W], boxes float32 [R, 4] (xmin, ymin, xmax, ymax in pixels of the image,
within it), the image of each box, int64 [R] (None: the first image), and the stride of the maps in
pixels. They return [R, C, size, size], and convert to ONNX and OpenVINO for any number of boxes.
"""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

SAMPLES = 2
"""Points along each side of a bin, so four in a bin (He et al. 2017, section 3)."""


def roi_pool(
    maps: Tensor, boxes: Tensor, images: Tensor | None = None, *, stride: int = 16, size: int = 7
) -> Tensor:
    """The maximum of each bin of boxes that are rounded to whole positions.

    As in the paper's program: corners are rounded, the position of the last corner belongs to the
    box, bins overlap where their sides are fractions, and a bin beyond the maps is 0.

    A bin of h x w positions is the union of four windows whose sides are the largest powers of two
    up to h and w. Its maximum is therefore that of four entries in a table of window maxima.
    """
    channels, height, width = maps.shape[1:]
    corners = (boxes / stride + 0.5).floor().long()  # round() would send halves to even numbers
    top, bottom = _bins(corners[:, 1], corners[:, 3], height, size)
    left, right = _bins(corners[:, 0], corners[:, 2], width, size)
    heights, widths = _levels(height, size), _levels(width, size)
    tall = _window_maxima(maps.permute(0, 2, 3, 1), 1, heights)
    windows = [window for one in tall for window in _window_maxima(one, 2, widths)]
    table = torch.stack(windows, dim=1).reshape(-1, channels)

    row_level, rows = _two_windows(top, bottom, heights)
    column_level, columns = _two_windows(left, right, widths)
    window = row_level[:, :, None] * widths + column_level[:, None, :]
    if images is not None:
        window = window + images[:, None, None] * (heights * widths)
    maxima = [
        table[((window * height + row[:, :, None]) * width + column[:, None, :]).flatten()]
        for row in rows
        for column in columns
    ]
    pooled = reduce(torch.maximum, maxima).reshape(-1, size, size, channels)
    filled = (top < bottom)[:, :, None] & (left < right)[:, None, :]
    return torch.where(filled[..., None], pooled, 0.0).permute(0, 3, 1, 2)


def _bins(low: Tensor, high: Tensor, length: int, size: int) -> tuple[Tensor, Tensor]:
    """First positions, and those after the last, of the bins along one axis: int64 [R, size]."""
    low, high = low.clamp(0, length), high.clamp(0, length)
    positions = (high - low + 1).clamp(min=1)[:, None]
    number = torch.arange(size, device=low.device)
    first = low[:, None] + number * positions // size
    after = low[:, None] + ((number + 1) * positions + size - 1) // size
    return first.clamp(max=length), after.clamp(max=length)


def _levels(length: int, size: int) -> int:
    """How many windows of 1, 2, 4, ... positions the longest bin of a box needs."""
    length = int(length)  # a constant while a network is traced
    longest = (length + size) // size + 1
    return min(longest, length).bit_length()


def _window_maxima(maps: Tensor, axis: int, levels: int) -> list[Tensor]:
    """Maxima of the windows of 1, 2, 4, ... positions along `axis` that begin at each position.

    Windows that do not fit wrap round; no bin has one.
    """
    maxima = [maps]
    for level in range(levels - 1):
        maxima.append(torch.maximum(maxima[-1], maxima[-1].roll(-(2**level), axis)))
    return maxima


def _two_windows(first: Tensor, after: Tensor, levels: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The level of the longest window within each bin, and where two of them begin that cover it.

    An empty bin gets any valid position.
    """
    level = torch.zeros_like(first)
    side = torch.ones_like(first)
    for number in range(1, levels):
        fits = after - first >= 2**number
        level, side = level + fits, torch.where(fits, 2**number, side)
    second = (after - side).clamp(min=0)
    return level, (torch.minimum(first, second), second)


def roi_align(
    maps: Tensor, boxes: Tensor, images: Tensor | None = None, *, stride: int, size: int = 7
) -> Tensor:
    """The mean of four bilinear samples in each bin, with no rounding of the box.

    The value of position i of a map is at its centre, stride * (i + 0.5) pixels. Points between
    the outermost centres and the edge of the image take the nearest value.
    """
    count, channels, height, width = maps.shape
    y = _points(boxes[:, 1], boxes[:, 3], stride, size).clamp(0, height - 1)
    x = _points(boxes[:, 0], boxes[:, 2], stride, size).clamp(0, width - 1)
    if images is None:
        maps = maps[:1]
    else:  # one map, the images below each other: no sample is between two of them
        maps = maps.transpose(0, 1).reshape(1, channels, count * height, width)
        y = y + (images * height)[:, None]
    across = 2 * x / max(width - 1, 1) - 1
    down = 2 * y / max(maps.shape[2] - 1, 1) - 1
    side = size * SAMPLES
    grid = torch.stack(
        [across[:, None, :].expand(-1, side, side), down[:, :, None].expand(-1, side, side)], dim=-1
    )
    rows = grid.reshape(1, -1, side, 2)  # all boxes below each other
    sampled = F.grid_sample(maps, rows, align_corners=True, padding_mode="border")
    bins = sampled.reshape(channels, -1, size, SAMPLES, size, SAMPLES)
    return bins.mean((3, 5)).transpose(0, 1)


def _points(low: Tensor, high: Tensor, stride: int, size: int) -> Tensor:
    """Where samples are along one axis, in positions of the map: [R, size * SAMPLES]."""
    steps = (torch.arange(size * SAMPLES, device=low.device) + 0.5) / (size * SAMPLES)
    return (low[:, None] + steps * (high - low)[:, None]) / stride - 0.5
