"""OpenVINO reports its own use over the network on import unless it is stopped. It is stopped."""

import os
import subprocess
import sys
from pathlib import Path

# CI variables switch that telemetry off by themselves, and would make this test pass in vain.
SILENCERS = ("CI", "TF_BUILD", "JENKINS_URL")


def run_python(code: str, home: Path) -> None:
    """Run code as a person would who has never answered OpenVINO's question for consent."""
    environment = {name: value for name, value in os.environ.items() if name not in SILENCERS}
    environment |= {"HOME": str(home), "LOCALAPPDATA": str(home)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_building_and_running_an_engine_sends_nothing(tmp_path: Path, network_log: Path) -> None:
    code = """
import numpy as np
from eyespot.features.backbone import load_backbone
from eyespot.features.engines import OpenVinoEngine
engine = OpenVinoEngine(load_backbone())
engine.run(np.zeros((1, 224, 224, 3), np.uint8))
"""
    run_python(code, tmp_path)
    assert network_log.read_text() == ""
    assert list(tmp_path.iterdir()) == []  # no client id, no count of uses


def test_predicting_sends_nothing(tmp_path: Path, network_log: Path) -> None:
    code = """
import numpy as np
from eyespot.tasks.task import load
load("efficientnet_lite0").predict(np.zeros((300, 300, 3), np.uint8))
"""
    run_python(code, tmp_path)
    assert network_log.read_text() == ""
    assert list(tmp_path.iterdir()) == []
