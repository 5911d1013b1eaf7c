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


class LayerRequest(BaseModel):
    """`kernel`: of a convolution. `size`: of a pooling window, which has no dilation."""

    model_config = ConfigDict(extra="forbid")

    image: Rows
    kind: Literal["convolution", "max", "mean"]
    kernel: Rows = [[1.0]]
    size: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class PixelRequest(LayerRequest):
    row: int
    column: int


class CostRequest(BaseModel):
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
def slide(request: LayerRequest) -> Answer:
    """`output` [H', W']; the formulas of its height and width in `sizes`; `costs` as texts."""
    if request.kind == "convolution":
        output = convolve(request.image, request.kernel, **_options(request))
        shape = len(request.kernel), len(request.kernel[0])
        window = Window(*shape, request.stride, request.padding, request.dilation)
        layer = costs(1, len(request.image), len(request.image[0]), 1, window, bias=False)
        counts = [layer.weights, layer.connections, layer.multiply_adds]
        texts = [count.text for count in counts]
    else:
        output = pool(request.image, request.kind, request.size, **_options(request))
        window = Window(request.size, request.size, request.stride, request.padding)
        texts = ["A pooling layer has no weights: there is nothing to train."]
    sizes = window.in_words(len(request.image), len(request.image[0]))
    return {"output": output.tolist(), "sizes": sizes, "costs": texts}


@router.post("/pixel")
@or_error
def pixel(request: PixelRequest) -> Answer:
    """The computation of one output pixel: `rows` and `columns` of the input, the `inputs` there,
    their `products` with the kernel (null for pooling), `value`, and a `text`."""
    place = request.row, request.column
    if request.kind == "convolution":
        found = convolution.pixel(request.image, request.kernel, *place, **_options(request))
    else:
        found = pooled_pixel(request.image, request.kind, request.size, *place, **_options(request))
    products = None if found.products is None else found.products.tolist()
    return asdict(found) | {"inputs": found.inputs.tolist(), "products": products}


@router.post("/costs")
@or_error
def compare(request: CostRequest) -> Answer:
    """The costs of a standard and a separable convolution, from `compare_separable`."""
    check_whole("The kernel's side", request.kernel, 1, convolution.MAX_KERNEL)
    window = Window(request.kernel, request.kernel, padding=request.kernel // 2)
    sides = request.side, request.side
    return asdict(compare_separable(request.in_channels, *sides, request.out_channels, window))


def _options(request: LayerRequest) -> dict[str, int]:
    dilation = {"dilation": request.dilation} if request.kind == "convolution" else {}
    return {"stride": request.stride, "padding": request.padding, **dilation}
