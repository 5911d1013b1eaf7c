"""Folder to evaluated classifier, whole processes, against fastai and timm with scikit-learn.

Also: the same again with the cache and ten new photos, and one prediction.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from features import save_weights
from measure import keep, peer, photos, summary, timed

NEW = 10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True, help="Python of the peers' environment")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer-runs", type=int, default=1, help="fastai takes minutes")
    options = parser.parse_args()
    eyespot = Path(sys.executable).with_name("eyespot")
    scratch = Path(tempfile.mkdtemp())
    save_weights(scratch / "weights.safetensors")
    everything = photos("trash")
    fewer = scratch / "photos"
    shutil.copytree(everything, fewer)
    late = [sorted(folder.iterdir())[i] for folder in sorted(fewer.iterdir()) for i in (0, 1)][:NEW]

    found: dict[str, list[float]] = {}
    top1 = {}
    for run in range(options.runs):
        cache = {"EYESPOT_CACHE": str(scratch / f"cache{run}")}
        Path(cache["EYESPOT_CACHE"]).mkdir()
        held = [(path, path.read_bytes()) for path in late]
        for path in late:
            path.unlink()
        out = scratch / "trash.eyespot"
        seconds, output = timed([eyespot, "teach", fewer, "-o", out, "--json"], **cache)
        found.setdefault("teach, empty cache", []).append(seconds)
        for stage, took in json.loads(output)["seconds"].items():
            found.setdefault(f"  {stage}", []).append(took)
        for path, data in held:
            path.write_bytes(data)
        for again in range(3):
            seconds, output = timed([eyespot, "teach", fewer, "-o", out, "--json"], **cache)
            name = f"teach, cache and {NEW} new photos" if again == 0 else "teach, all in the cache"
            found.setdefault(name, []).append(seconds)
        top1["eyespot, 5 folds"] = json.loads(output)["top1"]
        for again in range(3):
            seconds, _ = timed([eyespot, "predict", late[0], "-m", out, "--json"], **cache)
            if again:  # the first use compiles the network for single photos
                found.setdefault("predict one photo", []).append(seconds)
    for script in ("timm_sklearn.py", "fastai_epoch.py"):
        for _ in range(options.peer_runs):
            weights = scratch / "weights.safetensors"
            seconds, theirs = peer(options.peer, script, everything, weights)
            found.setdefault(script, []).append(seconds)
            top1[script] = theirs["top1"]
    ours = summary(found["teach, empty cache"])["median"]
    ratios = {
        f"{script} / eyespot": round(summary(found[script])["median"] / ours, 1)
        for script in ("timm_sklearn.py", "fastai_epoch.py")
    }
    shutil.rmtree(scratch)
    seconds_of = {name: summary(values) for name, values in found.items()}
    keep("teach", {"seconds": seconds_of, "top1": top1, "ratios": ratios})


if __name__ == "__main__":
    main()
