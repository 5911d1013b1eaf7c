"""Disable the telemetry of dependencies.

`import eyespot` first sets the environment variable of each dependency, before anything imports
that dependency; child processes inherit the environment. Variables that are set already stay.
"""

import os
import sys

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; it also stores an ID of the machine
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which timm downloads weights with
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray
    "DO_NOT_TRACK": "1",  # any other tool that honours it
}


def opt_out() -> None:
    """Set the environment variables, and hide OpenVINO's telemetry package."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
