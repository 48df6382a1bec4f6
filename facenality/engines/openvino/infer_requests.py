"""OpenVINO's infer requests, and which of them computes a batch.

A batch alone uses all threads, so that it is answered soonest. Several batches run in
streams of the compiled model, each with threads of its own: threads that share a batch
would wait for each other after every layer, and for the decoders.
"""

import threading
from collections.abc import Iterable
from typing import Any

from ...arrays import Array

# Each stream has buffers and prepared shapes of its own.
MAX_STREAMS = 4


def streams(threads: int) -> int:
    """How many batches `threads` compute at once."""
    return min(max(threads, 1), MAX_STREAMS)


class LatencyRequest:
    """Computes with all threads, the one that asks among them."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def infer(self, given: list[Array]) -> list[Array]:
        """The outputs for `given`. Both lie where they are: nothing is copied."""
        answered = self._request.infer(given, share_inputs=True, share_outputs=True)
        return list(answered.to_tuple())


class ThroughputRequest:
    """Computes in one of the streams, the first that is free."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def begin(self, given: list[Array]) -> None:
        """Queue for a stream. In the asking thread it would be bound to one of them."""
        self._request.start_async(given, share_inputs=True)

    def end(self) -> list[Array]:
        """Wait for the outputs."""
        self._request.wait()
        return [tensor.data for tensor in self._request.output_tensors]

    def infer(self, given: list[Array]) -> list[Array]:
        """As `LatencyRequest`."""
        self.begin(given)
        return self.end()


class RequestPool:
    """For native threads; until there are others, all of them wait for `latency`."""

    def __init__(self, latency: LatencyRequest) -> None:
        self._latency = latency
        self._throughput: list[ThroughputRequest] = []
        self._busy = 0
        self._change = threading.Condition()

    def add(self, requests: Iterable[ThroughputRequest]) -> None:
        """From now on these compute what does not come alone."""
        with self._change:
            self._throughput += requests
            self._change.notify_all()

    def take(self) -> LatencyRequest | ThroughputRequest:
        """What the next batch is computed by."""
        with self._change:
            self._change.wait_for(lambda: self._throughput or not self._busy)
            self._busy += 1
            return self._latency if self._busy == 1 else self._throughput.pop()

    def give_back(self, taken: LatencyRequest | ThroughputRequest) -> None:
        """Its batch is computed, and what it answered is copied."""
        with self._change:
            self._busy -= 1
            if isinstance(taken, ThroughputRequest):
                self._throughput.append(taken)
            self._change.notify()
