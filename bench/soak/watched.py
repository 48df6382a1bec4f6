"""app.py as it is, with its greenlets counted: `watched.py FILE FLAGS…`.

From outside a process its greenlets cannot be seen; memory, files and threads can. And
from inside `gc` does not see those that were frozen when a model was loaded.
"""

import runpy
import sys
import weakref
from pathlib import Path
from typing import Any

import gevent

living: weakref.WeakSet[Any] = weakref.WeakSet()
spawn = gevent.spawn


def counted(*args: Any, **kwargs: Any) -> Any:
    """`gevent.spawn`, by which the server makes all of its greenlets."""
    greenlet = spawn(*args, **kwargs)
    living.add(greenlet)
    return greenlet


def tell(file: Path) -> None:
    """Write every second how many have not ended."""
    aside = file.with_suffix(".new")
    while True:
        aside.write_text(str(sum(not one.dead for one in living)))
        aside.replace(file)  # so that nobody reads half of it
        gevent.sleep(1)


if __name__ == "__main__":
    count = Path(sys.argv.pop(1))
    sys.path.insert(0, "")
    gevent.spawn(tell, count)
    gevent.spawn = counted
    runpy.run_path("app.py", run_name="__main__")
