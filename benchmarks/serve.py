"""`eyespot serve` beside the obvious server, on loopback: the same photos, weights and head.

A load generator in a process of its own asks, first in a closed loop with more and more
connections, then at half of the most that was answered, and at twice that.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import PEERS, keep, photos

import eyespot

LOAD = Path(__file__).parent / "load.py"
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
TIMES = 8
"""By how much eyespot's server is to be faster."""


class Server:
    """A running server. `path`: where it is asked; `form`: it takes forms."""

    def __init__(self, pid: int, address: str, folder: Path, *, form: bool) -> None:
        self.pid, self.address, self.folder, self.form = pid, address, folder, form

    def load(self, kind: str, amount: float, seconds: float) -> dict[str, Any]:
        options = ["--form"] if self.form else []
        told = subprocess.run(
            [
                sys.executable,
                LOAD,
                self.address,
                self.folder,
                *options,
                kind,
                str(amount),
                str(seconds),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        found: dict[str, Any] = json.loads(told.stdout)
        print(f"{kind} {amount:g}: {found}", file=sys.stderr, flush=True)
        return found

    def memory(self) -> float:
        """MB that it holds, with its children."""
        pages, waiting = 0, [self.pid]
        while waiting:
            process = Path("/proc") / str(waiting.pop())
            pages += int((process / "statm").read_text().split()[1])
            children = process / "task" / process.name / "children"
            waiting += [int(child) for child in children.read_text().split()]
        return round(pages * os.sysconf("SC_PAGESIZE") / 2**20, 1)


@contextmanager
def running(command: Sequence[object], ready: str) -> Iterator[int]:
    """The process, once `ready` is answered, whatever the answer."""
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([str(part) for part in command], stdout=log, stderr=log) as process,
    ):
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(ready)
                    break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.2)
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(log.read().decode())
            yield process.pid
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def measured(server: Server, seconds: float, overload: float) -> dict[str, Any]:
    closed = {str(count): server.load("closed", count, seconds) for count in CONNECTIONS}
    capacity = max(found["requests_per_second"] for found in closed.values())
    half = server.load("open", capacity / 2, seconds)
    before = server.memory()
    twice = server.load("open", capacity * 2, overload)
    return {
        "closed": closed,
        "half_load": half,
        "twice_the_capacity": {**twice, "mb_before": before, "mb_after": server.memory()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--overload", type=float, default=600, help="seconds at twice the capacity")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--photos", default="dogs-cats")
    asked = parser.parse_args()
    folder = photos(asked.photos)
    results: dict[str, Any] = {"photos": asked.photos, "workers": asked.workers}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "taught.eyespot"
        eyespot.teach(folder, budget=20).save(path)
        port = free_port()
        home = f"http://127.0.0.1:{port}"
        peer = [sys.executable, PEERS / "serve_torch.py", path, port]
        with running(peer, home) as pid:
            server = Server(pid, f"{home}/predict", folder, form=True)
            results["peer"] = measured(server, asked.seconds, min(60, asked.overload))
        own = [sys.executable, "-m", "eyespot", "serve", path, "--port", port]
        with running([*own, "--workers", asked.workers], f"{home}/readyz") as pid:
            server = Server(pid, f"{home}/v1/models/taught:predict", folder, form=False)
            results["eyespot"] = measured(server, asked.seconds, asked.overload)
    best = max(results["peer"]["closed"].values(), key=lambda found: found["requests_per_second"])
    equal = [
        found["requests_per_second"]
        for found in results["eyespot"]["closed"].values()
        if found["ms"]["p99"] <= best["ms"]["p99"]
    ]
    times = max(equal, default=0.0) / best["requests_per_second"]
    results["times_the_peers_requests_at_its_p99"] = round(times, 2)
    keep("serve", results)
    if times < TIMES:
        sys.exit(f"Expected {TIMES} times the peer's requests per second, got {times:.1f}.")


if __name__ == "__main__":
    main()
