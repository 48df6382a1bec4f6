"""How many instances should share one call of the model: as many as it pays.

Beyond some size a batch falls out of the processor's caches, and each instance costs
more again: MobileNetV2 in OpenVINO, float32, took 5.0 core-milliseconds an instance in
batches of 4 and 7 in batches of 16.
"""

from collections.abc import Mapping

# Seconds that a call costs around the model: threads change hands, rows are shared out.
AROUND = 0.0005

# What costs so little more is as good: a smaller batch waits less. TensorFlow keeps as
# much memory as its largest one has needed (MobileNetV2: 15 MB an instance).
AS_GOOD = 1.04
AS_GOOD_ON = {"tensorflow": 1.15}

# So many share a call without further question: one of four costs hardly less alone,
# and what a busy machine makes of a single measurement is no reason to go without.
AT_LEAST = 4


def best(seconds: Mapping[int, float], engine: str) -> int:
    """The smallest size where an instance costs about the least; `seconds` by size."""
    as_good = AS_GOOD_ON.get(engine, AS_GOOD)
    costs = {size: (took + AROUND) / size for size, took in seconds.items()}
    asked = {size: c for size, c in costs.items() if size >= AT_LEAST} or costs
    least = min(asked.values())
    return min(size for size, cost in asked.items() if cost <= as_good * least)


def pays_no_more(seconds: Mapping[int, float], engine: str) -> bool:
    """Whether the largest size so far brings nothing over smaller ones."""
    largest = max(seconds)
    return largest > AT_LEAST and best(seconds, engine) < largest
