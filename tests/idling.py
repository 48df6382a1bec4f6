"""Whether anything polls: how often the hub's loop turns while nobody asks."""

import gevent


def turns(seconds: float = 0.2) -> int:
    """How often it turned in so long."""
    counted: list[None] = []
    watcher = gevent.get_hub().loop.prepare()
    watcher.start(counted.append, None)
    gevent.sleep(seconds)
    watcher.stop()
    watcher.close()
    return len(counted)
