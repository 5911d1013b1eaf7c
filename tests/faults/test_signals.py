"""Signals, such as Ctrl-C's, after networks have come and gone."""

import subprocess
import sys
from pathlib import Path

# OpenVINO moves the stack that handlers of signals run on: with a Core for each network, what is
# heard here is a segmentation fault.
ONE_AFTER_THE_OTHER = """
import signal, sys
import numpy as np
from eyespot.features.backbone import load_backbone
from eyespot.features.engines import OpenVinoEngine

def engine():
    made = OpenVinoEngine(load_backbone(sys.argv[1]))
    made.run(np.zeros((1, 32, 32, 3), np.uint8))
    return made

signal.signal(signal.SIGINT, lambda number, frame: print("heard"))
first = engine()
second = engine()
del first
del second
signal.raise_signal(signal.SIGINT)
"""


def test_a_signal_is_heard_when_networks_have_gone(network: Path) -> None:
    line = [sys.executable, "-c", ONE_AFTER_THE_OTHER, str(network)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
