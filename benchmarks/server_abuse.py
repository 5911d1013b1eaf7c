"""Many attacks at once against `eyespot serve` on loopback: endless heads, URLs, JSON and uploads,
images that decode slowly, responses that nobody reads, silent connections.

Meanwhile the script requests /healthz ten times a second, and an ordinary client classifies a
photo. The attackers run in two processes of their own, on the same cores. For a short run:
`--seconds 60`.
"""

import argparse
import asyncio
import base64
import io
import json
import multiprocessing
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from measure import keep, photos
from PIL import Image

import eyespot
from eyespot.heads.scorers import LinearScorer
from eyespot.tasks.classification.classifier import Classifier

LONGEST = 1.0
"""Seconds that /healthz may take."""
GROWTH = 300.0
"""MB by which the server's memory may grow, torch for :explain included."""
CLASSES = 2_000
BEGIN = 10.0
"""Seconds within which all attacks start."""
CROWD = 10
"""Callers of one attack from which on they run in the process of the crowds."""
TAUGHT, MANY = "/v1/models/taught", "/v1/models/many"
KINDS = ("image/jpeg", "application/json", "image/png")


# --- images --------------------------------------------------------------------------------------


def many_scans(scans: int) -> bytes:
    """A progressive JPEG of 9900 x 9900 pixels with many copies of its last scan."""
    file = io.BytesIO()
    Image.new("L", (9900, 9900), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def large_jpeg2000() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (9990, 9990)).save(file, "JPEG2000")
    return file.getvalue()


def large_classifier(small: Classifier, path: Path) -> None:
    """Save a classifier of 2,000 classes with all its metrics."""
    rng = np.random.default_rng(0)
    weights, bias = small.scorer.to_arrays()["weights"], np.zeros(CLASSES, np.float32)
    wide = rng.normal(size=(weights.shape[0], CLASSES)).astype(np.float32)
    confused = [[n, (n + other) % CLASSES, 1] for n in range(CLASSES) for other in range(100)]
    names = tuple(f"class {number}" for number in range(CLASSES))
    scores = [{**small.metrics["per_class"][0], "name": name} for name in names]
    figures = {"classes": list(names), "per_class": scores, "confusion": confused}
    Classifier(
        classes=names,
        backbone=small.backbone,
        recipe=small.recipe,
        scorer=LinearScorer(wide, bias),
        metrics={**small.metrics, **figures},
    ).save(path)


# --- callers -------------------------------------------------------------------------------------


class Caller:
    """The attackers. `counts`: of responses, by attack and status."""

    def __init__(self, port: int, ends: float, images: dict[str, bytes]) -> None:
        self.port, self.ends, self.images = port, ends, images
        self.counts: dict[str, Counter[str]] = {}

    async def again(self, name: str, ask: Callable[[], Awaitable[str]], pause: float) -> None:
        counts = self.counts.setdefault(name, Counter())
        await asyncio.sleep(random.uniform(0, BEGIN))
        while time.monotonic() < self.ends:
            try:
                async with asyncio.timeout(120):
                    counts[await ask()] += 1
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                counts[type(error).__name__] += 1
            except TimeoutError:
                counts["no answer in 120 s"] += 1
            await asyncio.sleep(pause)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(
        self, line: str, headers: str, body: bytes = b"", *, slowly: float = 0.0, times: int = 1
    ) -> str:
        """The status of a response, read after sending the body `times` times."""
        length = f"Content-Length: {len(body) * times}"
        head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{length}\r\n{headers}"
        reader, writer = await self.open()
        try:
            writer.write(head.rstrip().encode() + b"\r\n\r\n")
            for _ in range(times):
                writer.write(body)
                await writer.drain()
                await asyncio.sleep(slowly)
            return (await status(reader))[0]
        finally:
            writer.close()

    async def endless(self, first: bytes, part: bytes) -> str:
        """Send a megabyte of a head that never ends."""
        reader, writer = await self.open()
        try:
            writer.write(first)
            for _ in range(1_000_000 // len(part)):
                writer.write(part)
                await writer.drain()
            return (await status(reader))[0]
        finally:
            writer.close()

    async def slow_head(self) -> str:
        reader, writer = await self.open()
        answer = asyncio.create_task(status(reader))
        try:
            while not answer.done():
                writer.write(b"GET / HTTP/1.1\r\n"[:1])
                await writer.drain()
                await asyncio.sleep(1)
            return (await answer)[0]
        finally:
            answer.cancel()
            writer.close()

    async def silent(self) -> str:
        reader, writer = await self.open()
        try:
            return "closed" if await reader.read() == b"" else "answered"
        finally:
            writer.close()

    async def unread(self) -> str:
        """Leave a response of half a megabyte unread."""
        with socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(caller, ("127.0.0.1", self.port))
            await loop.sock_sendall(caller, b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await asyncio.sleep(20)
            return "not read"

    async def all(self, *, crowds: bool) -> dict[str, dict[str, int]]:
        ask, endless, some = self.ask, self.endless, self.images
        predict, explain = f"POST {TAUGHT}:predict", f"POST {TAUGHT}:explain"
        all_classes = f"POST {MANY}:predict?top=99999"
        jpeg, as_json, png = (f"Content-Type: {kind}" for kind in KINDS)
        packed = f"{jpeg}\r\nContent-Encoding: gzip"
        line, name, megabyte = b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\na: ", bytes(1_000_000)
        braces, nested = b"[" + b"{}," * 6_600_000, b'{"photos": ' + b"[" * 100_000
        one = {"data": base64.b64encode(some["photo"]).decode()}
        full = json.dumps({"photos": [one] * 32}).encode()
        upload: dict[str, Any] = {"body": megabyte, "times": 18, "slowly": 0.25}
        attacks: list[tuple[str, int, float, Callable[[], Awaitable[str]]]] = [
            ("headers without end", 4, 0.2, lambda: endless(line, b"a: b\r\n" * 1_000)),
            ("a header without end", 4, 0.2, lambda: endless(name, b"a" * 10_000)),
            ("an address without end", 4, 0.2, lambda: endless(b"GET /", b"a" * 10_000)),
            ("a head, a byte a second", 20, 0.0, self.slow_head),
            ("connections that say nothing", 500, 0.5, self.silent),
            ("answers that are not read", 20, 0.0, self.unread),
            ("20 MB of {}", 4, 1.0, lambda: ask(predict, as_json, braces)),
            ("JSON of 100,000 levels", 2, 1.0, lambda: ask(predict, as_json, nested)),
            ("18 MB to :explain", 60, 20.0, lambda: ask(explain, jpeg, **upload)),
            ("18 MB to :predict", 60, 20.0, lambda: ask(predict, jpeg, **upload)),
            ("50 MB", 4, 2.0, lambda: ask(predict, jpeg, megabyte, times=50)),
            ("gzip", 2, 0.5, lambda: ask(predict, packed, some["photo"])),
            ("JPEG of 880 scans", 4, 0.5, lambda: ask(predict, jpeg, some["scans"])),
            ("JPEG 2000, 9990 x 9990", 4, 0.5, lambda: ask(predict, png, some["jpeg2000"])),
            ("/v1/models, 2,000 classes", 3, 0.2, lambda: ask("GET /v1/models", "")),
            ("all classes of 32 photos", 3, 0.5, lambda: ask(all_classes, as_json, full)),
            ("/metrics", 3, 0.2, lambda: ask("GET /metrics", "")),
            ("an explanation", 1, 1.0, lambda: ask(explain, jpeg, some["photo"])),
            ("an ordinary photo", 1, 0.5, lambda: ask(predict, jpeg, some["photo"])),
        ]
        tasks = [
            asyncio.create_task(self.again(title, act, pause))
            for title, count, pause, act in attacks
            if (count >= CROWD) == crowds
            for _ in range(count)
        ]
        await asyncio.wait(tasks)
        return {name: dict(found) for name, found in self.counts.items()}


async def status(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The status and the body of a response; a refusal must have a message."""
    whole = await reader.read()
    head, _, body = whole.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d+)", head)
    if found is None:
        return "no answer", b""
    said = int(found[1])
    if said >= 400 and not json.loads(body)["error"]["message"].endswith((".", "json")):
        return f"{said} without a sentence", body
    return str(said), body


def attack(port: int, seconds: float, images: dict[str, bytes], counts: Any, crowds: bool) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    os.nice(5)  # measure the server, not the attackers
    counts.put(asyncio.run(Caller(port, time.monotonic() + seconds, images).all(crowds=crowds)))


# --- measurement ---------------------------------------------------------------------------------


class Watch:
    """Requests /healthz and records the memory until `end`."""

    def __init__(self, home: str, pid: int) -> None:
        self.home, self.pid, self.ended = home, pid, threading.Event()
        self.seconds: list[float] = []
        self.failed: Counter[str] = Counter()
        self.megabytes: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while not self.ended.wait(0.1):
            start = time.perf_counter()
            try:
                opener.open(f"{self.home}healthz", timeout=60).close()
            except OSError as error:
                self.failed[str(error)] += 1
            self.seconds.append(time.perf_counter() - start)
            self.megabytes.append(memory(self.pid))

    def end(self) -> None:
        self.ended.set()
        self._thread.join()


def memory(pid: int) -> float:
    """Resident memory in MB of a process and of those that decode for it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = 0
    for process in (pid, *children):
        with suppress(OSError):  # a decoder was replaced meanwhile
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def measured(home: str, pid: int, seconds: float, images: dict[str, bytes]) -> dict[str, Any]:
    port = int(home.rpartition(":")[2].strip("/"))
    quiet = Watch(home, pid)
    time.sleep(5)
    quiet.end()
    spawn = multiprocessing.get_context("spawn")
    counts = spawn.Queue()
    watch = Watch(home, pid)
    for crowds in (True, False):
        spawn.Process(target=attack, args=(port, seconds, images, counts, crowds)).start()
    found = counts.get(timeout=seconds + 300) | counts.get(timeout=300)
    watch.end()
    after = Watch(home, pid)
    time.sleep(15)
    after.end()
    times = sorted(watch.seconds)
    began = np.cumsum([0, *(0.1 + taken for taken in watch.seconds)])
    slowest = sorted(zip(watch.seconds, began, strict=False), reverse=True)[:10]
    return {
        "seconds": seconds,
        "healthz": {
            "n": len(times),
            "failed": dict(watch.failed),
            "median_s": round(statistics.median(times), 4),
            "p99_s": round(times[int(0.99 * len(times))], 4),
            "max_s": round(times[-1], 4),
            "slowest_s_at_s": [[round(taken, 2), round(at)] for taken, at in slowest],
            "quiet_median_s": round(statistics.median(quiet.seconds), 4),
        },
        "megabytes": {
            "start": round(quiet.megabytes[-1]),
            "peak": round(max(watch.megabytes)),
            "end": round(after.megabytes[-1]),
            "each_tenth": [
                round(max(part)) for part in np.array_split(np.array(watch.megabytes), 10)
            ],
        },
        "answers": found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--photos", default="dogs-cats")
    asked = parser.parse_args()
    folder = photos(asked.photos)
    one = next(
        path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg")
    )
    images = {
        "photo": one.read_bytes(),
        "scans": many_scans(880),
        "jpeg2000": large_jpeg2000(),
    }
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as log:
        taught, many = Path(place) / "taught.eyespot", Path(place) / "many.eyespot"
        eyespot.teach(folder, budget=20).save(taught)
        large_classifier(eyespot.load(taught), many)
        command = [sys.executable, "-m", "eyespot", "serve", taught, many, "--port", "0"]
        with subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=log, text=True
        ) as server:
            assert server.stdout is not None
            home = re.search(r"http://\S+", server.stdout.readline())
            if home is None:
                log.seek(0)
                sys.exit(log.read().decode())
            results = measured(home[0], server.pid, asked.seconds, images)
            server.terminate()
            results["exit_code"] = server.wait(120)
        log.seek(0)
        events = Counter(json.loads(line)["event"] for line in log)
        results["log"] = dict(events.most_common(20))
    keep("server-abuse", results)
    healthz, held = results["healthz"], results["megabytes"]
    if healthz["failed"] or healthz["max_s"] > LONGEST:
        sys.exit(f"/healthz took up to {healthz['max_s']} s; failed: {healthz['failed']}.")
    if held["end"] - held["start"] > GROWTH:
        sys.exit(f"The server holds {held['end'] - held['start']} MB more than at the start.")


if __name__ == "__main__":
    main()
