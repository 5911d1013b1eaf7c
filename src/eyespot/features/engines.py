"""Engines that run frozen networks: OpenVINO on CPUs, torch on GPUs or without OpenVINO.

All engines run the same module (`extractor.build_extractor`) and agree; a test compares them.
OpenVINO's copy of a network is converted once and kept in the cache folder, so that later processes
start without importing torch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import CacheError, ConversionError, UsageError
from eyespot.features.backbone import Backbone
from eyespot.features.cache_folder import cache_folder, warn_once
from eyespot.features.conversion import (
    computes_bf16,
    convert,
    converted,
    import_openvino,
    openvino_core,
    streams,
    writing_to,
)
from eyespot.forking import leave_behind, leaves_parent, lock_for_forks

EngineName = Literal["auto", "openvino", "torch"]
Precision = Literal["auto", "fp32", "bf16"]

BATCH = 16
"""Photos of a worker's batch."""
OPENVINO_BATCH = 4
"""Photos per inference call of OpenVINO: the maps of 4 fit a core's cache, and those of 16 are an
eighth slower (2 MiB of second-level cache for two cores)."""


class Engine(Protocol):
    """Runs one backbone. `run` may be called from several threads at once, and in a forked child.

    A copied or unpickled engine is opened again.
    """

    name: str
    layout: dict[str, slice]
    """Columns of the features by block (`stage.pooling`), in order."""
    workers: int
    """The number of threads that should decode photos and call `run`."""
    batch: int
    """The number of single images that should be collected for a call."""

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 RGB [N, S, S, 3] -> features float32 [N, D]."""
        ...


def open_engine(
    backbone: Backbone,
    engine: EngineName = "auto",
    precision: Precision = "auto",
    folder: Path | None = None,
) -> Engine:
    """The fastest engine of this machine for `backbone`, or the given one.

    `engine` "auto": torch on a CUDA or Apple GPU, else OpenVINO, else torch on the CPU. `precision`
    "auto": bf16 where the processor computes in it, else fp32. `folder`: for converted networks;
    None for one in the cache. Raises UsageError for an unknown name, MissingExtraError if it is not
    installed; "openvino" also raises CacheError and ConversionError, where "auto" logs a warning
    and uses torch.
    """
    if engine == "auto":
        engine = "torch"
        if not _has_gpu() and find_spec("openvino") is not None:
            try:
                return OpenVinoEngine(backbone, precision, folder)
            except (CacheError, ConversionError) as error:  # torch can run it all the same
                warn_once(str(error), " torch runs the network instead, more slowly.")
    if engine == "openvino":
        return OpenVinoEngine(backbone, precision, folder)
    if engine == "torch":
        return TorchEngine(backbone, precision)
    raise UsageError(f"The engine must be auto, openvino or torch, not {engine!r}.")


def _has_gpu() -> bool:
    # Importing torch takes a second, which a machine without a GPU's device file can save.
    nvidia = Path("/proc/driver/nvidia").exists() or os.name == "nt"
    apple = Path("/System/Library/Frameworks/Metal.framework").exists()
    if not (nvidia or apple):
        return False
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def columns_of(widths: dict[str, int]) -> dict[str, slice]:
    """The columns of each block, for blocks of the given widths side by side."""
    ends = np.cumsum(list(widths.values())).tolist()
    return {
        name: slice(end - width, end)
        for (name, width), end in zip(widths.items(), ends, strict=True)
    }


class OpenVinoEngine:
    """The network compiled by OpenVINO for this CPU."""

    def __init__(
        self, backbone: Backbone, precision: Precision = "auto", folder: Path | None = None
    ) -> None:
        openvino = import_openvino()
        self._arguments = backbone, precision, folder
        folder = folder or cache_folder() / "networks"
        version = openvino.__version__.split("-")[0]
        graph = folder / f"{backbone.network}-openvino-{version}.xml"
        facts = graph.with_suffix(".json")
        widths = converted(graph, facts)
        if widths is None:
            with writing_to(folder):
                widths = convert(backbone, graph, facts)
        self.layout = columns_of(widths)
        if precision == "auto":
            precision = "bf16" if computes_bf16() else "fp32"
        self.name = f"OpenVINO {precision}"
        self.workers, self.batch = available_cores(), OPENVINO_BATCH
        # Read now: the cache may be cleared while this engine lives.
        self._model = openvino_core().read_model(graph)
        self._kept = folder / "compiled"
        self._precision = {"bf16": "bf16", "fp32": "f32"}[precision]
        self._compiled: dict[int, Any] = {}
        self._idle: dict[int, list[Any]] = {1: [], OPENVINO_BATCH: []}
        leaves_parent(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return OpenVinoEngine, self._arguments

    def leave_parent(self) -> None:
        """In a forked child: compile again, because the parent's threads do not exist there."""
        leave_behind((self._compiled, self._idle))
        self._compiled, self._idle = {}, {1: [], OPENVINO_BATCH: []}

    @contextmanager
    def _request(self, batch: int) -> Iterator[Any]:
        """An infer request for batches of `batch` photos, for one thread at a time."""
        idle = self._idle[batch]
        try:
            request = idle.pop()
        except IndexError:
            with _compiling:
                if batch not in self._compiled:
                    self._compiled[batch] = self._compile(batch)
            request = self._compiled[batch].create_infer_request()
        try:
            yield request
        finally:
            idle.append(request)

    def _compile(self, batch: int) -> Any:
        # One photo at a time gets all cores; full batches run side by side, one core each.
        core = openvino_core()
        model = self._model.clone()
        height, width = (model.inputs[0].partial_shape[axis].get_length() for axis in (1, 2))
        model.reshape([batch, height, width, 3])
        options = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "INFERENCE_NUM_THREADS": self.workers,
            "NUM_STREAMS": streams(1 if batch == 1 else self.workers),
        }
        try:
            return core.compile_model(model, "CPU", {**options, "CACHE_DIR": str(self._kept)})
        except RuntimeError:  # the folder belongs to somebody else
            return core.compile_model(model, "CPU", options)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        count = len(images)
        batch = 1 if count == 1 else OPENVINO_BATCH
        features = []
        with self._request(batch) as request:
            for start in range(0, count, batch):
                part = images[start : start + batch]
                if len(part) < batch:  # the compiled network needs full batches
                    missing = (batch - len(part), *part.shape[1:])
                    part = np.concatenate([part, np.zeros(missing, np.uint8)])
                request.infer([np.ascontiguousarray(part)], share_inputs=True)
                features.append(request.get_output_tensor(0).data.copy())
        return np.concatenate(features)[:count]


_compiling = lock_for_forks()


class TorchEngine:
    """The network in torch: on a CUDA or Apple GPU where there is one, else on the CPU."""

    def __init__(self, backbone: Backbone, precision: Precision = "auto") -> None:
        import torch

        from eyespot.features.extractor import build_extractor

        self._arguments = backbone, precision
        gpu = "cuda" if torch.cuda.is_available() else "mps"
        has_gpu = gpu == "cuda" or torch.backends.mps.is_available()
        self._device = torch.device(gpu if has_gpu else "cpu")
        if precision == "auto":
            # bf16 is faster on CUDA; a CPU here means that OpenVINO is missing, and fp32 is exact.
            precision = "bf16" if self._device.type == "cuda" else "fp32"
        module, widths = build_extractor(backbone)
        with _explaining_forks():
            self._module = module.to(self._device)
        self._bf16 = precision == "bf16"
        self.layout = columns_of(widths)
        self.name = f"torch {self._device.type} {precision}"
        self.workers, self.batch = available_cores(), BATCH

    def __reduce__(self) -> tuple[Any, ...]:
        return TorchEngine, self._arguments

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with (
            _explaining_forks(),
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            batch = torch.from_numpy(np.require(images, requirements=("C", "W"))).to(self._device)
            features = self._module(batch).float().cpu()
        return np.asarray(features.numpy())


@contextmanager
def _explaining_forks() -> Iterator[None]:
    """CUDA cannot be used in a forked child of a process that used it. Raises UsageError then."""
    try:
        yield
    except RuntimeError as error:
        if "forked subprocess" not in str(error):
            raise
        raise UsageError(
            "Forked children cannot use a GPU that their parent has used. Start them with: "
            'multiprocessing.get_context("spawn"), or load the classifier after the fork.'
        ) from error


def available_cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
