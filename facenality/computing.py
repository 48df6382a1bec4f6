"""What computes a batch: threads of this process, or a server elsewhere."""

from collections.abc import Callable

from .arrays import Arrays, rows, stack
from .errors import ModelFailed
from .threads import Threads
from .undecoded import Undecoded

Predict = Callable[[Arrays], Arrays]
Ask = Callable[[Arrays, float], Arrays]
Compute = Callable[[list[Arrays], float], list[Arrays]]  # instances, deadline -> rows


class InThreads:
    """`predict` (batch[N, …] -> scores[N, …]) in threads of the model's.

    What has begun there is finished, whoever still waits: a thread cannot be stopped.
    """

    def __init__(self, predict: Predict, threads: Threads) -> None:
        self._predict = predict
        self._threads = threads

    def __call__(self, instances: list[Arrays], _deadline: float) -> list[Arrays]:
        """The scores of each."""
        return self._threads.run(self._rows, instances)

    def one(self, undecoded: Undecoded, ended: Callable[[], None]) -> Arrays:
        """The scores of one; `ended` as in `Threads.run_to_its_end`."""
        return self._threads.run_to_its_end(ended, self._one, undecoded)

    def _one(self, undecoded: Undecoded) -> Arrays:
        return self._rows([undecoded.decoded()])[0]

    def _rows(self, instances: list[Arrays]) -> list[Arrays]:
        """In a thread: stack, predict, check that rows out equal rows in."""
        answered = rows(self._predict(stack(instances)))
        if len(answered) != len(instances):
            raise ModelFailed(
                f"The model answered {len(answered)} rows for {len(instances)} "
                "instances."
            )
        return answered


def elsewhere(ask: Ask) -> Compute:
    """`ask` (batch[N, …], deadline -> scores[N, …]) in the greenlet of the batch."""

    def compute(instances: list[Arrays], deadline: float) -> list[Arrays]:
        return rows(ask(stack(instances), deadline))

    return compute
