"""Metrics for Prometheus."""

import os
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from eyespot.serve.settings import METRICS_FOLDER


class Metrics:
    """Counters of this process, or of all processes that share METRICS_FOLDER."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, labelnames=["model"], registry=registry)
        by_outcome = ["model", "outcome"]
        self.requests = counter(
            "eyespot_requests", "Requests, by model and HTTP status", ["model", "status"]
        )
        self.photos = counter("eyespot_photos", "Photos, by model and outcome", by_outcome)
        self.reloads = counter(
            "eyespot_reloads", "Reloads of changed classifier files, by outcome", by_outcome
        )
        self.seconds = histogram(
            "eyespot_request_seconds",
            "Time from a request's first byte to its response",
            buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10),
        )
        self.batches = histogram(
            "eyespot_batch_photos", "Photos in a batch of the network", buckets=(1, 2, 4, 8, 16)
        )
        self.waiting = Gauge(
            "eyespot_waiting_photos",
            "Photos in progress",
            ["model"],
            multiprocess_mode="livesum",
            registry=registry,
        )

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        registry = self._registry
        if METRICS_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
