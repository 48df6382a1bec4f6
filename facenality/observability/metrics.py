"""Prometheus metrics.

Dashboards and alerts depend on the names; docs/operating.md explains each of them.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn, TypeVar

import gevent
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..errors import InvalidSetting

# Label of requests for unknown paths and of those refused before routing.
NO_ROUTE = "(no route)"

# Statuses of work that was turned away: no key, too large, too late, overloaded. Other
# errors count as answers: they tell clients what is wrong with their requests.
REFUSED = frozenset({401, 408, 413, 429, 431, 499, 503, 504})

OPENMETRICS = "application/openmetrics-text"

# From a small network's milliseconds to the 30 s at which a request expires. Steps of
# about 2.5 make percentiles computed from them accurate to about a factor of two.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# Batches are padded to powers of two, and max_batch_size is at most 1024.
SIZES = tuple(2**n for n in range(11))


Instrument = TypeVar("Instrument", Counter, Histogram)


class Metrics:
    """The metrics of one process, in a registry of their own.

    With PROMETHEUS_MULTIPROC_DIR set, `exposition` adds up the processes that share
    that folder. Values that are read at the scrape are those of this process only.
    """

    def __init__(self) -> None:
        """Raises InvalidSetting if that folder does not exist."""
        self._shared = _shared_folder()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # double the series
        self._counted = CollectorRegistry()
        self._read_at_scrape: list[Collector] = [
            ProcessCollector(registry=None),
            PlatformCollector(registry=None),
        ]
        self._requests = self._counter("request", "requests answered", "route", "code")
        self._duration = self._histogram(
            "request_duration_seconds", "from the head to the reply", SECONDS, "route"
        )
        self.in_progress = Gauge(
            "facenality_requests_in_progress",
            "requests that have begun and are not answered",
            registry=self._counted,
            multiprocess_mode="livesum",
        )
        self._rejected = self._counter("rejected", "requests turned away", "reason")
        self._decode = self._histogram(
            "decode_seconds", "bytes to tensor, per instance", SECONDS, "model"
        )
        self._queue_wait = self._histogram(
            "queue_wait_seconds", "from submitted to its batch", SECONDS, "model"
        )
        self._predict = self._histogram(
            "predict_seconds", "the model's time, per batch", SECONDS, "model"
        )
        self._batch_size = self._histogram(
            "batch_size", "instances in a batch", SIZES, "model"
        )
        self._lag = self._histogram(
            "hub_lag_seconds", "how late the hub wakes; sampled once a second", SECONDS
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request; `route` is a template, never a path."""
        _of(self._requests, route, str(status)).inc()
        _of(self._duration, route).observe(seconds)

    def refused(self, status: int, reason: str) -> None:
        """Count a request or input that got an error, if its status is in REFUSED.

        `reason` is the error's code, of which there are few.
        """
        if status in REFUSED:
            _of(self._rejected, reason).inc()

    def answered_early(
        self, status: int | None, reason: str, route: str = NO_ROUTE
    ) -> None:
        """Count a request refused before Flask; status None: closed without a reply."""
        if status is None:
            _of(self._rejected, reason).inc()
            return
        _of(self._requests, route, str(status)).inc()
        self.refused(status, reason)

    def decoded(self, model: str, seconds: float) -> None:
        """Count an instance of `model` that has been decoded."""
        _of(self._decode, model).observe(seconds)

    def waited(self, model: str, seconds: float) -> None:
        """Count an instance of `model` that has left the queue."""
        _of(self._queue_wait, model).observe(seconds)

    def predicted(self, model: str, size: int, seconds: float) -> None:
        """Count a batch that `model` has computed."""
        _of(self._batch_size, model).observe(size)
        _of(self._predict, model).observe(seconds)

    def lagged(self, seconds: float) -> None:
        """Count a wake-up of the hub that was `seconds` late."""
        self._lag.observe(seconds)

    def read_at_scrape(self, collector: Collector) -> None:
        """Read `collector` at each scrape."""
        self._read_at_scrape.append(collector)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics, in a format that `accept` allows, and the content type."""
        # Not the client's own header: prometheus-client fails on unusual versions.
        openmetrics = f"{OPENMETRICS};version=1.0.0" if OPENMETRICS in accept else ""
        encode, content_type = choose_encoder(openmetrics)
        everything = CollectorRegistry()
        if self._shared:
            MultiProcessCollector(everything, self._shared)  # type: ignore[no-untyped-call]
        else:
            everything.register(self._counted)
        for collector in self._read_at_scrape:
            everything.register(collector)
        return encode(everything), content_type

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"facenality_{name}", what, labels, registry=self._counted)

    def _histogram(
        self, name: str, what: str, buckets: Sequence[float], *labels: str
    ) -> Histogram:
        return Histogram(
            f"facenality_{name}", what, labels, buckets=buckets, registry=self._counted
        )


@cache
def _of(instrument: Instrument, *labels: str) -> Instrument:
    """`instrument` for these labels, cached: its own lookup is slow."""
    child: Instrument = instrument.labels(*labels)
    return child


def _shared_folder() -> str | None:
    """The folder in prometheus-client's own variable, which it reads at import."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and not Path(folder).is_dir():
        raise InvalidSetting(
            f"PROMETHEUS_MULTIPROC_DIR is {folder!r}: it should be an existing folder "
            "that is empty at the start"
        )
    return folder or None


INTERVAL = 1.0  # seconds; one wake-up a second costs an idle server next to nothing


def watch_loop_lag(report: Callable[[float], None]) -> NoReturn:
    """Sample event-loop lag once a second: how many seconds late each sleep ends."""
    while True:
        due = time.monotonic() + INTERVAL
        gevent.sleep(INTERVAL)
        report(max(0.0, time.monotonic() - due))
