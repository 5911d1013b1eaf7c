"""The photos most like one, among many: how long a search takes, and what it misses.

The features are made up: clusters of positive numbers, as a network's last block has them. The
truth is the cosine of all in float32, in order. Searches are timed with the rounded features kept
(the file is in the system's memory, as after a first search) and without.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import keep, summary
from numpy.typing import NDArray

from eyespot.data.parts import ROW_GROUP as GROUP
from eyespot.features.similar import KeptFeatures
from eyespot.features.table import ABOUT

WIDTH, CLUSTERS, K, ASKED = 1280, 1000, 10, 30


def write(path: Path, rows: int) -> NDArray[np.float32]:
    """Write made-up features; ASKED of them, [ASKED, WIDTH], as the photos to ask about."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, WIDTH), np.float32)
    about = {ABOUT: json.dumps({"blocks": ["top.mean"]}).encode()}
    fields = [("path", pa.string()), ("thumbnail", pa.binary())]
    schema = pa.schema([*fields, ("top.mean", pa.list_(pa.float32()))], metadata=about)
    asked: list[NDArray[np.float32]] = []
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for start in range(0, rows, GROUP):
            count = min(GROUP, rows - start)
            noise = rng.standard_normal((count, WIDTH), np.float32)
            values = np.maximum(centres[rng.integers(0, CLUSTERS, count)] + noise, 0)
            values = values.astype(np.float16).astype(np.float32)
            if len(asked) < ASKED:
                asked += list(values[:10])
            offsets = pa.array(np.arange(count + 1, dtype=np.int32) * WIDTH)
            lists = pa.ListArray.from_arrays(offsets, pa.array(values.ravel()))
            names = [str(start + n) for n in range(count)]
            writer.write_table(pa.table([names, [b""] * count, lists], schema=schema))
    return np.stack(asked)


def truth(kept: KeptFeatures, asked: NDArray[np.float32]) -> list[set[str]]:
    """The K nearest of each by all digits."""
    roots = np.sqrt(asked)
    roots /= np.linalg.norm(roots, axis=1, keepdims=True)
    cosines = np.concatenate([directions @ roots.T for _, directions in kept._directions()])
    return [{str(row) for row in np.argsort(-column)[:K]} for column in cosines.T]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    found = {}
    for rows in parser.parse_args().rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "features.parquet"
            asked = write(path, rows)
            start = time.perf_counter()
            KeptFeatures(path).nearest(asked[0], K)
            first = time.perf_counter() - start
            seconds, hits = [], []
            for features, nearest in zip(asked, truth(KeptFeatures(path), asked), strict=True):
                start = time.perf_counter()
                answers = KeptFeatures(path).nearest(features, K)
                seconds.append(time.perf_counter() - start)
                hits.append(len({answer.path for answer in answers} & nearest) / K)
            found[f"{rows:,} photos"] = {
                "first search, s": round(first, 2),
                "later searches, s": summary(seconds),
                "recall at 10": round(float(np.mean(hits)), 4),
                "features.parquet, MB": path.stat().st_size // 1_000_000,
            }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    keep("similar", {"peak memory, GB": round(peak, 2), **found})


if __name__ == "__main__":
    main()
