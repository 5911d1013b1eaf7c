"""A load generator: load.py ADDRESS FOLDER [--form] closed CONNECTIONS SECONDS
                     load.py ADDRESS FOLDER [--form] open REQUESTS_PER_SECOND SECONDS

Closed: each connection asks again as soon as it is answered. Open: requests come at random moments
(a Poisson process), whatever the answers; how long one takes is counted from the moment at which it
was due, so that a server that is late for one is late for those behind it, too.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

WARM_UP = 2.0
"""Seconds that are not counted."""
MOST_CONNECTIONS = 1000
BOUNDARY = b"eyespot-benchmark"


def request_of(picture: bytes, host: str, path: str, *, form: bool) -> bytes:
    kind = b"image/jpeg"
    if form:
        part = b'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        start = b"--" + BOUNDARY + b"\r\n" + part + b"Content-Type: image/jpeg\r\n\r\n"
        picture = start + picture + b"\r\n--" + BOUNDARY + b"--\r\n"
        kind = b"multipart/form-data; boundary=" + BOUNDARY
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(picture)}\r\n"
    return head.encode() + b"Content-Type: " + kind + b"\r\n\r\n" + picture


class Load:
    """Requests of pictures, in turn; what came of them is in `took` (seconds, by status)."""

    def __init__(self, address: str, folder: Path, *, form: bool) -> None:
        where = urlsplit(address)
        self.host, self.port = where.hostname or "", where.port or 80
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self.requests = [
            request_of(path.read_bytes(), where.netloc, where.path, form=form) for path in files
        ]
        random.Random(0).shuffle(self.requests)
        self.next = 0  # which picture
        self.took: dict[int, list[float]] = {}
        self.answered = 0
        """In the seconds that count; of an open loop, some answers come later."""
        self.end = 0.0
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, due: float, counted: bool) -> None:
        self.next += 1
        request = self.requests[self.next % len(self.requests)]
        try:
            status = await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status = 0
        if counted:
            now = time.perf_counter()
            self.took.setdefault(status, []).append(now - due)
            self.answered += status == 200 and now <= self.end

    async def _exchange(self, request: bytes) -> int:
        reader, writer = (
            self.free.pop() if self.free else await asyncio.open_connection(self.host, self.port)
        )
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        self.free.append((reader, writer))
        return int(head.split(None, 2)[1])

    async def closed(self, connections: int, seconds: float) -> None:
        start = time.perf_counter()
        self.end = start + WARM_UP + seconds

        async def go_on() -> None:
            while (now := time.perf_counter()) < self.end:
                await self.ask(now, now > start + WARM_UP)

        await asyncio.gather(*(go_on() for _ in range(connections)))

    async def open(self, rate: float, seconds: float) -> None:
        start = due = time.perf_counter()
        self.end = start + WARM_UP + seconds
        chance, running = random.Random(0), set[asyncio.Task[None]]()
        while due < self.end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if len(running) < MOST_CONNECTIONS:
                task = asyncio.create_task(self.ask(due, due > start + WARM_UP))
                running.add(task)
                task.add_done_callback(running.discard)
            elif due > start + WARM_UP:
                self.took.setdefault(-1, []).append(0.0)
            due += chance.expovariate(rate)
        await asyncio.gather(*running)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", action="store_true")
    parser.add_argument("kind", choices=["closed", "open"])
    parser.add_argument("amount", type=float)
    parser.add_argument("seconds", type=float)
    asked = parser.parse_args()
    load = Load(asked.address, asked.folder, form=asked.form)
    if asked.kind == "closed":
        asyncio.run(load.closed(int(asked.amount), asked.seconds))
    else:
        asyncio.run(load.open(asked.amount, asked.seconds))
    good = np.array(load.took.get(200, [np.nan])) * 1e3
    statuses = Counter({status: len(took) for status, took in load.took.items()})
    told = {
        "requests_per_second": round(load.answered / asked.seconds, 1),
        "ms": {f"p{q}": round(float(np.percentile(good, q)), 1) for q in (50, 95, 99)},
        "statuses": statuses,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
