"""Counters and timers of requests, for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from http import HTTPMethod

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder in which several processes count together (prometheus_client's)."""


class Metrics:
    """Counters and timers of requests. Threads may share it."""

    def __init__(self, workers: int = 1) -> None:
        """Create them.

        Args:
            workers: number of processes that count together.
        """
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("steamdino_requests", "Requests.", labels, registry=self.registry)
        self.seconds = Histogram(
            "steamdino_request_seconds",
            "Time to answer.",
            ("route",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.stages = Histogram(
            "steamdino_stage_seconds", "Time of a stage.", ("stage",), registry=self.registry, buckets=BUCKETS
        )
        Gauge(
            "steamdino_workers",
            "Worker processes of this server; all figures are those of all of them together.",
            registry=self.registry,
            multiprocess_mode="max",
        ).set(workers)
        # Looking up a series by its labels takes as long as updating it. There are as many series as label values.
        self._requests = cache(self.requests.labels)
        self._seconds = cache(self.seconds.labels)
        self._stages = cache(self.stages.labels)

    def count(
        self, method: str, route: str, status: int, seconds: float, stages: Mapping[str, float]
    ) -> None:
        """Count a request, and observe its time and that of its stages, in seconds."""
        # Clients can invent methods, and each would add a time series for ever.
        self._requests(method if method in HTTPMethod.__members__ else "other", route, status).inc()
        self._seconds(route).observe(seconds)
        for name, value in stages.items():
            self._stages(name).observe(value)

    def written(self) -> bytes:
        """Return all of them in Prometheus' text format, added up over the processes that share a folder."""
        registry = self.registry
        if SHARED in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
