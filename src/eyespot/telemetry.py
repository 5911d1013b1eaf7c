"""No dependency reports its use over the network, nor marks this machine for it.

Each is told so by the switch that its makers give for it, before anything imports it: `import
eyespot` does this first, and processes that are started inherit the environment. What a person has
set already stays as it is.
"""

import os
import sys

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, which also keeps a number of the machine
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, through which timm fetches weights
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray, where its workers run eyespot
    "DO_NOT_TRACK": "1",  # whoever else heeds it
}


def opt_out() -> None:
    """Set the switches."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    # OpenVINO's tools report their use if this package is there; without it they do not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
