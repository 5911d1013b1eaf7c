"""What all benchmarks share: where the photos are, how figures are summed up and kept."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
PEERS = REPOSITORY / "benchmarks" / "peers"
SETS = ("dogs-cats", "trash", "sign-digits", "chest-xray")


def photos(name: str) -> Path:
    """A folder of photos with a folder per class. EYESPOT_BENCH_PHOTOS says where the sets are."""
    default = REPOSITORY.parent / "shared" / "data" / "photos"
    folder = Path(os.environ.get("EYESPOT_BENCH_PHOTOS", default)) / name
    if not folder.is_dir():
        sys.exit(f"No photos at {folder}. Set EYESPOT_BENCH_PHOTOS to a folder that holds {name}/.")
    return folder


def summary(values: Sequence[float]) -> dict[str, float]:
    """n, median, least and most."""
    return {
        "n": len(values),
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }


def timed(command: Sequence[str | Path], **environment: str) -> tuple[float, str]:
    """Seconds that a whole process takes, and what it prints."""
    start = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stderr[-3000:]}")
    return seconds, done.stdout


def peer(python: str, script: str, *arguments: str | Path) -> tuple[float, dict[str, Any]]:
    """Seconds that a peer's whole process takes, and the JSON object it prints last."""
    seconds, output = timed([python, PEERS / script, *arguments])
    return seconds, json.loads(output.strip().splitlines()[-1])


def machine() -> dict[str, Any]:
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    versions = {}
    for name in ("eyespot", "openvino", "torch", "numpy", "scipy", "scikit-learn"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "none"
    cores = len(os.sched_getaffinity(0))
    return {"cpu": cpu, "cores": cores, "python": platform.python_version(), "versions": versions}


def keep(name: str, results: dict[str, Any]) -> None:
    """Print the results, and write them to results/DATE-NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **results}, indent=1)
    (RESULTS / f"{date.today()}-{name}.json").write_text(text + "\n")
    print(text, flush=True)
