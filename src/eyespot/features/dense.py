"""Networks on photos of any shape: maps of a frozen backbone, alone or with a head on them.

OpenVINO's copy is converted once, for every height and width, and kept in the cache folder, so that
later processes start without importing torch. Without OpenVINO, torch runs the same module.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import F32
from eyespot.errors import CacheError, ConversionError, UsageError
from eyespot.features.backbone import Backbone
from eyespot.features.cache_folder import cache_folder, warn_once
from eyespot.features.conversion import (
    AGREEMENT,
    computes_bf16,
    converted,
    exact_options,
    import_openvino,
    openvino_core,
    streams,
    to_openvino,
    write_facts,
    write_network,
    writing_to,
)
from eyespot.features.engines import available_cores
from eyespot.forking import leave_behind, leaves_parent, lock_for_forks

if TYPE_CHECKING:
    from torch import Tensor, nn

STRIDES = (8, 16, 32)
"""Pixels between positions of the maps that detection reads."""
TRIED = (64, 96)
"""Height and width of the image on which a converted network is compared with torch."""
_opening = lock_for_forks()


def pyramid(backbone: Backbone) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The last stage of a backbone at each of STRIDES, and their channels. Imports torch.

    Raises UsageError for a network that has no maps at one of them, WeightsError.
    """
    import torch

    from eyespot.features.extractor import Extractor

    side = 2 * STRIDES[-1]
    with torch.inference_mode():
        extractor = Extractor(backbone).eval()
        maps = extractor.maps(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    found: dict[int, tuple[str, int]] = {}
    for name, values in maps.items():
        if name != "top" and not name.endswith(".hidden"):
            found[side // values.shape[-1]] = name, values.shape[1]
    if missing := [stride for stride in STRIDES if stride not in found]:
        raise UsageError(
            f"{backbone.name} has no maps at a stride of {missing[0]} pixels, which boxes need. "
            "Use another backbone, such as efficientnet_lite0."
        )
    stages, channels = zip(*(found[stride] for stride in STRIDES), strict=True)
    return stages, channels


def maps_module(backbone: Backbone) -> "nn.Module":
    """uint8 RGB [N, H, W, 3] -> the maps of the backbone's blocks `stage.map`, float32
    [N, C, h, w] each."""
    from torch import nn

    from eyespot.features.extractor import Extractor

    class Maps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.extractor = Extractor(backbone)
            self.stages = [block.removesuffix(".map") for block in backbone.blocks]

        def forward(self, images: "Tensor") -> "tuple[Tensor, ...]":
            maps = self.extractor.maps(images)
            return tuple(maps[stage] for stage in self.stages)

    return Maps().eval().requires_grad_(False)


class DenseEngine:
    """Runs a module on single photos. `run` may be called from several threads at once.

    `key`: names the converted network, unique for the module and its weights. `build`: the module,
    uint8 RGB [1, H, W, 3] -> tuple of float32 arrays, for H and W multiples of 32; it is called
    only where no converted copy is kept. `exact`: compute in float32, also where bfloat16 is
    faster.
    """

    def __init__(self, key: str, build: "Callable[[], nn.Module]", exact: bool = False) -> None:
        self.key, self.build, self.exact = key, build, exact
        self.workers = available_cores()
        self.batch = 1
        self._forget()
        leaves_parent(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return DenseEngine, (self.key, self.build, self.exact)

    def leave_parent(self) -> None:
        """In a forked child: open again at the next photo, because the parent's threads do not
        exist there."""
        leave_behind((self._compiled, self._idle))
        self._forget()

    def _forget(self) -> None:
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._compiled: Any = None
        self._module: Any = None

    def _open(self) -> None:
        if find_spec("openvino") is not None:
            try:
                self._compiled = _compiled(self)
            except (CacheError, ConversionError) as error:  # torch can run it all the same
                warn_once(str(error), " torch runs the network instead, more slowly.")
        if self._compiled is None:
            self._module = self.build().eval()

    def run(self, image: NDArray[np.uint8]) -> list[F32]:
        """The module's outputs for a photo uint8 RGB [H, W, 3], each without the first axis."""
        with _opening:
            if self._compiled is None and self._module is None:
                self._open()
        if self._module is not None:
            import torch

            with torch.inference_mode():
                found = self._module(torch.from_numpy(np.ascontiguousarray(image[None])))
            return [np.asarray(one[0].numpy()) for one in found]
        request = self._compiled.create_infer_request() if self._idle.empty() else self._idle.get()
        try:
            request.infer([np.ascontiguousarray(image[None])], share_inputs=True)
            outputs = range(len(self._compiled.outputs))
            return [request.get_output_tensor(index).data[0].copy() for index in outputs]
        finally:
            self._idle.put(request)

    def pool(self) -> ThreadPoolExecutor:
        """Threads that decode photos and call `run`."""
        return ThreadPoolExecutor(self.workers, thread_name_prefix="eyespot")


def _compiled(engine: DenseEngine) -> Any:
    """The engine's module compiled by OpenVINO, converted first if no copy is kept. Raises
    CacheError, ConversionError."""
    openvino = import_openvino()
    folder = cache_folder() / "networks"
    graph = folder / f"{engine.key}-openvino-{openvino.__version__.split('-')[0]}.xml"
    facts = graph.with_suffix(".json")
    if converted(graph, facts) is None:
        with writing_to(folder):
            write_network(_converted(engine.build()), graph)
            write_facts(graph, facts, {})
    core = openvino_core()
    options = {
        "INFERENCE_PRECISION_HINT": "bf16" if computes_bf16() and not engine.exact else "f32",
        "INFERENCE_NUM_THREADS": engine.workers,
        "NUM_STREAMS": streams(engine.workers),
    }
    return core.compile_model(core.read_model(graph), "CPU", options)


def _converted(module: "nn.Module") -> Any:
    """The openvino.Model of a module, for every height and width. Raises ConversionError."""
    import torch

    openvino = import_openvino()
    module = module.eval()
    noise = np.random.default_rng(0).integers(0, 256, (1, *TRIED, 3), dtype=np.uint8)
    try:
        model = to_openvino(module, torch.zeros(1, TRIED[1], TRIED[1], 3, dtype=torch.uint8))
        model.inputs[0].get_node().set_element_type(openvino.Type.u8)
        model.inputs[0].get_node().set_partial_shape(openvino.PartialShape([1, -1, -1, 3]))
        model.validate_nodes_and_infer_types()
        found = openvino_core().compile_model(model, "CPU", exact_options())([noise])
        with torch.inference_mode():
            expected = [one.numpy() for one in module(torch.from_numpy(noise))]
    except Exception as error:  # tracing and converting raise errors of many types
        reason = " ".join(str(error).split())[:200]
        raise ConversionError(
            f"OpenVINO cannot run the network ({type(error).__name__}: {reason})."
        ) from error
    for number, values in enumerate(expected):
        tolerance = AGREEMENT * np.abs(values).max()
        if not np.allclose(found[number], values, AGREEMENT, tolerance):
            raise ConversionError("OpenVINO computes other maps of the network than torch.")
    return model
