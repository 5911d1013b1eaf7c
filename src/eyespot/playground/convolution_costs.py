"""Parameters, multiply-adds and connections of a convolution.

A connection is a multiplication or an added bias, counted at each position. Products with
padding count as well.
"""

from dataclasses import dataclass

from eyespot.errors import UsageError
from eyespot.playground.convolution import Window, check_whole

MAX_MAPS = 10_000
"""Most maps of a layer."""
MAX_MAP_SIDE = 10_000
"""Largest height and width of a map, in pixels."""


@dataclass(frozen=True, slots=True)
class Count:
    """`number`, and the `text` of its calculation."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of one convolution. `output`: maps, height and width of the output. `sizes`: the
    formulas of height and width."""

    output: tuple[int, int, int]
    sizes: tuple[str, str]
    weights: Count
    biases: Count
    multiply_adds: Count
    connections: Count


@dataclass(frozen=True, slots=True)
class Comparison:
    """A `standard` convolution and a depthwise separable one: `depthwise`, one kernel
    a map, then `pointwise`, 1 x 1 over all maps. `weights`, `multiply_adds`: of the separable one.
    `ratio`: of these to the standard one's, 1/N + 1/k^2 for N output maps. All without biases."""

    standard: Costs
    depthwise: Costs
    pointwise: Costs
    weights: Count
    multiply_adds: Count
    ratio: float
    text: str


def costs(
    maps: int,
    height: int,
    width: int,
    filters: int,
    window: Window,
    *,
    groups: int = 1,
    bias: bool = True,
) -> Costs:
    """Costs of a convolution from `maps` maps of `height` x `width` pixels to `filters` maps.

    `groups`: as in torch.nn.Conv2d. Raises UsageError for values beyond the limits.
    """
    check_whole("The number of maps", maps, 1, MAX_MAPS)
    check_whole("The number of filters", filters, 1, MAX_MAPS)
    check_whole("The image's height", height, 1, MAX_MAP_SIDE)
    check_whole("The image's width", width, 1, MAX_MAP_SIDE)
    check_whole("The number of groups", groups, 1, maps)
    if maps % groups or filters % groups:
        raise UsageError(
            f"{groups} groups do not divide {maps} maps and {filters} filters evenly. "
            "Choose a divisor of both."
        )
    down, across = window.output_shape(height, width)
    each = maps // groups
    kernel = f"{each} {'map' if each == 1 else 'maps'} * {window.height} * {window.width}"
    weights = filters * each * window.height * window.width
    biases = filters if bias else 0
    pixels = down * across
    added = f"({weights:,} weights + {biases:,} biases)" if bias else f"{weights:,} weights"
    return Costs(
        output=(filters, down, across),
        sizes=window.in_words(height, width),
        weights=Count(
            weights, f"{filters} filter{'s' * (filters > 1)} * {kernel} = {weights:,} weights"
        ),
        biases=Count(biases, f"{biases:,} biases, one a filter" if bias else "no biases"),
        multiply_adds=Count(
            pixels * weights,
            f"{down} * {across} pixels * {weights:,} weights = {pixels * weights:,} multiply-adds",
        ),
        connections=Count(
            pixels * (weights + biases),
            f"{down} * {across} pixels * {added} = {pixels * (weights + biases):,} connections",
        ),
    )


def compare_separable(
    maps: int, height: int, width: int, filters: int, window: Window
) -> Comparison:
    """A convolution beside a depthwise and a pointwise one in its place (Howard et al.,
    "MobileNets", 2017, section 3.1). Raises UsageError as `costs` does."""
    standard = costs(maps, height, width, filters, window, bias=False)
    depthwise = costs(maps, height, width, maps, window, groups=maps, bias=False)
    pointwise = costs(maps, *depthwise.output[1:], filters, Window(1, 1), bias=False)
    area = window.height * window.width
    ratio = 1 / filters + 1 / area
    return Comparison(
        standard,
        depthwise,
        pointwise,
        _sum(depthwise.weights, pointwise.weights, "weights"),
        _sum(depthwise.multiply_adds, pointwise.multiply_adds, "multiply-adds"),
        ratio,
        f"1/N + 1/k^2 = 1/{filters} + 1/{area} = {ratio:.4g} of the standard convolution's",
    )


def _sum(one: Count, other: Count, unit: str) -> Count:
    total = one.number + other.number
    text = f"{one.number:,} depthwise + {other.number:,} pointwise = {total:,} {unit}"
    return Count(total, text)
