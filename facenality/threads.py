"""Native threads beside the hub.

The one threading rule: the hub thread does all socket I/O and owns every queue; native
threads only compute. Results and exceptions come back to the hub through here.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from gevent.threadpool import ThreadPool

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """At most `size` native threads, to be made and used by greenlets of one hub."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPool(size)

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function` in a thread; the calling greenlet waits for the result.

        Raises what `function` raised. Where the greenlet is killed meanwhile, the
        thread finishes its call and the result is dropped.
        """
        # Not apply(): from a foreign thread that one silently runs in place.
        value, error = self._pool.spawn(_caught, function, args, kwargs).get()
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]  # gevent carries no types

    def kill(self) -> None:
        """End the threads once they are idle."""
        self._pool.kill()


def _caught(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Exception | None]:
    """Carry an exception as a value: the pool itself would print it as well."""
    try:
        return function(*args, **kwargs), None
    except Exception as error:
        return None, error
    except BaseException as error:
        # A model.py that calls sys.exit() ends its own load, not the server.
        return None, RuntimeError(f"it raised {error!r}")
