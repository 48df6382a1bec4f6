"""Runs one batch, in threads of this process or on another server."""

from collections.abc import Callable
from typing import Protocol

from ..arrays import Arrays, rows, stack
from ..errors import ModelFailed
from .thread_pool import ThreadPool

Predict = Callable[[Arrays], Arrays]
Ask = Callable[[Arrays, float], Arrays]


class Executor(Protocol):
    """Computes the scores of a batch."""

    @property
    def cancellable(self) -> bool:
        """True if killing the waiting greenlet also stops the work."""

    def __call__(self, instances: list[Arrays], deadline: float) -> list[Arrays]:
        """A row for each instance; `deadline` is on the monotonic clock."""


class ThreadExecutor:
    """Runs `predict` (batch[N, …] -> scores[N, …]) in the model's own threads.

    A running batch cannot be cancelled; it completes even if every caller has gone.
    """

    cancellable = False

    def __init__(self, predict: Predict, threads: ThreadPool) -> None:
        self._predict = predict
        self._threads = threads

    def __call__(self, instances: list[Arrays], deadline: float) -> list[Arrays]:  # noqa: ARG002
        """See `Executor`."""
        return self._threads.run(self._rows, instances)

    def _rows(self, instances: list[Arrays]) -> list[Arrays]:
        """Stack, predict, check that there is a row for each instance; in a thread."""
        answered = rows(self._predict(stack(instances)))
        if len(answered) != len(instances):
            raise ModelFailed(
                f"The model returned {len(answered)} rows for {len(instances)} "
                "instances."
            )
        return answered


class RemoteExecutor:
    """Runs `ask` (batch[N, …], deadline -> scores[N, …]) in the batch's greenlet."""

    cancellable = True

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, instances: list[Arrays], deadline: float) -> list[Arrays]:
        """See `Executor`."""
        return rows(self._ask(stack(instances), deadline))
