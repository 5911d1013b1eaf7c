"""Routes of the convolution page: the output, the computation of each pixel, a layer's costs."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from eyespot.playground import convolution
from eyespot.playground.convolution import Window, check_whole, convolve, pool, pooled_pixel
from eyespot.playground.convolution_costs import compare_separable, costs
from eyespot.playground.kernels import KERNELS
from eyespot.studio.answers import Answer, or_error

router = APIRouter(prefix="/api/convolution")

Rows = list[list[float]]


class Question(BaseModel):
    """`kernel`: of a convolution. `size`: of a pooling window, which has no dilation."""

    model_config = ConfigDict(extra="forbid")

    image: Rows
    kind: Literal["convolution", "max", "mean"]
    kernel: Rows = [[1.0]]
    size: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class PixelQuestion(Question):
    row: int
    column: int


class CostQuestion(BaseModel):
    """A layer from `in_channels` maps of `side` x `side` pixels to `out_channels` maps of the same
    size, with kernels of `kernel` x `kernel`."""

    model_config = ConfigDict(extra="forbid")

    in_channels: int
    out_channels: int
    side: int
    kernel: int


@router.get("")
def kernels() -> dict[str, Any]:
    """Known kernels by name: `values` and `text`."""
    return {
        name: {"values": kernel.values.tolist(), "text": kernel.text}
        for name, kernel in KERNELS.items()
    }


@router.post("")
@or_error
def slide(asked: Question) -> Answer:
    """`output` [H', W']; the formulas of its height and width in `sizes`; `costs` as texts."""
    if asked.kind == "convolution":
        output = convolve(asked.image, asked.kernel, **_options(asked))
        shape = len(asked.kernel), len(asked.kernel[0])
        window = Window(*shape, asked.stride, asked.padding, asked.dilation)
        layer = costs(1, len(asked.image), len(asked.image[0]), 1, window, bias=False)
        counts = [layer.weights, layer.connections, layer.multiply_adds]
        texts = [count.text for count in counts]
    else:
        output = pool(asked.image, asked.kind, asked.size, **_options(asked))
        window = Window(asked.size, asked.size, asked.stride, asked.padding)
        texts = ["A pooling layer has no weights: there is nothing to train."]
    sizes = window.in_words(len(asked.image), len(asked.image[0]))
    return {"output": output.tolist(), "sizes": sizes, "costs": texts}


@router.post("/pixel")
@or_error
def pixel(asked: PixelQuestion) -> Answer:
    """The computation of one output pixel: `rows` and `columns` of the input, the `inputs` there,
    their `products` with the kernel (null for pooling), `value`, and a `text`."""
    if asked.kind == "convolution":
        found = convolution.pixel(
            asked.image, asked.kernel, asked.row, asked.column, **_options(asked)
        )
    else:
        place = asked.row, asked.column
        found = pooled_pixel(asked.image, asked.kind, asked.size, *place, **_options(asked))
    return {
        "rows": found.rows,
        "columns": found.columns,
        "inputs": found.inputs.tolist(),
        "products": None if found.products is None else found.products.tolist(),
        "value": found.value,
        "text": found.text,
    }


@router.post("/costs")
@or_error
def compare(asked: CostQuestion) -> Answer:
    """The costs of a standard and a separable convolution, from `compare_separable`."""
    check_whole("The kernel's side", asked.kernel, 1, convolution.MAX_KERNEL)
    window = Window(asked.kernel, asked.kernel, padding=asked.kernel // 2)
    return asdict(
        compare_separable(asked.in_channels, asked.side, asked.side, asked.out_channels, window)
    )


def _options(asked: Question) -> dict[str, int]:
    dilation = {"dilation": asked.dilation} if asked.kind == "convolution" else {}
    return {"stride": asked.stride, "padding": asked.padding, **dilation}
