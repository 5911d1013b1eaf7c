"""Who leaves the precision open gets the faster one, and keeps it wherever the run goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eyespot.errors import MissingExtraError
from eyespot.features import conversion
from eyespot.features.conversion import computes_bf16
from eyespot.training import trainer as training
from eyespot.training.checkpoint import LAST, read_checkpoint
from eyespot.training.checks.gradients import gradients
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan
from eyespot.training.precision import fastest
from eyespot.training.run import train
from eyespot.training.trainer import Trainer
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.05)
CPU = torch.device("cpu")


@pytest.mark.parametrize(("able", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_processor_that_computes_in_bf16_does(
    able: bool, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyespot.training.precision.computes_bf16", lambda: able)
    assert fastest(CPU) == precision
    trainer = Trainer(PLAN, stripes(40), CPU)
    assert trainer.plan.precision == precision
    assert Trainer(replace(PLAN, precision="fp32"), stripes(40), CPU).plan.precision == "fp32"


def test_torch_knows_the_processor_as_openvino_does(monkeypatch: pytest.MonkeyPatch) -> None:
    by_openvino = computes_bf16()

    def missing() -> None:
        raise MissingExtraError("This", "openvino")

    monkeypatch.setattr(conversion, "openvino_core", missing)
    assert computes_bf16() == by_openvino


@pytest.mark.parametrize(("begun", "gone_on"), [("bf16", "fp32"), ("fp32", "bf16")])
def test_a_run_keeps_its_precision_on_another_machine(
    begun: str, gone_on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, val = stripes(60), stripes(20, seed=1)
    monkeypatch.setattr(training, "fastest", lambda device: begun)
    whole = train(PLAN, learn, val, tmp_path / "whole")

    def stop(what: str, done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(PLAN, learn, val, tmp_path / "parts", every=5, progress=stop)
    monkeypatch.setattr(training, "fastest", lambda device: gone_on)
    parts = train(PLAN, learn, val, tmp_path / "parts")
    assert read_checkpoint(tmp_path / "parts" / LAST).facts["plan"]["precision"] == begun
    assert parts.plan.precision == begun
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name


def test_gradients_are_checked_exactly_in_any_case() -> None:
    assert gradients(replace(PLAN, precision="bf16"), stripes(20)).passed


def test_wide_depthwise_filters_are_computed_in_float32() -> None:
    pictures = ImageSet(np.zeros((2, 224, 224, 3), np.uint8), np.arange(2), ("a", "b"))
    trainer = Trainer(Plan("efficientnet_lite0", precision="bf16"), pictures, torch.device("cpu"))
    found = set()
    for module in trainer.network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.groups > 1:
            module.register_forward_hook(
                lambda module, args, out: found.add((module.kernel_size[0], out.dtype))
            )
    trainer.validate(pictures)
    assert found == {(3, torch.bfloat16), (5, torch.float32)}
