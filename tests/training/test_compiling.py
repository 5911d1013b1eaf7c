"""Compiled training computes the same, goes on bit by bit, and is not needed."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eyespot.training.plan import Plan
from eyespot.training.run import train
from eyespot.training.trainer import Trainer
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.05, precision="fp32", seed=3)

WITHOUT = """
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer
from tests.training.test_trainer import stripes
trainer = Trainer(Plan("lenet5", batch_size=16, compile=True), stripes(40))
assert not trainer.to_compile
print(trainer.train_step())
"""


@pytest.mark.slow
def test_without_a_compiler_it_trains_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=Path(__file__).parents[2],
        env={"CXX": "/no/compiler", "PATH": "/no/programs", "HOME": "/no/home"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "install a C++ compiler" in done.stderr
    assert "Traceback" not in done.stderr
    assert float(done.stdout) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, where it compiles
def test_a_compiled_run_is_the_same_and_goes_on_bit_by_bit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learn = stripes(117)  # batches of 14 and of 15 pictures, which are compiled apart
    plan = replace(PLAN, compile=True)
    losses = []
    with caplog.at_level(logging.WARNING):
        for tried in (PLAN, plan):
            trainer = Trainer(tried, learn)
            losses.append([trainer.train_step() for _ in range(8)])
    if "cannot be compiled" in caplog.text:
        pytest.skip("no compiler on this machine")
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0] != losses[1]  # it was compiled
    told: list[tuple[str, int]] = []
    whole = train(
        plan,
        learn,
        None,
        tmp_path / "whole",
        progress=lambda what, done, _: told.append((what, done)),
    )
    waits = [("Training", 0), ("Compiling", 0), ("Compiling", 1), ("Training", 1)]
    assert told[:4] == waits
    assert dict(told[4:]) == {"Training": 16}

    def stop(what: str, done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(plan, learn, None, tmp_path / "parts", every=5, progress=stop)
    torch.compiler.reset()  # what is compiled after a kill is compiled anew
    parts = train(plan, learn, None, tmp_path / "parts")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name
    assert set(whole.network.state_dict()) == set(Trainer(PLAN, learn).network.state_dict())
