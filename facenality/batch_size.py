"""How many instances should share one call of the model: as many as it pays.

Beyond some size a batch falls out of the processor's caches, and each instance costs
more again: MobileNetV2 in OpenVINO, float32, took 5.0 core-milliseconds an instance in
batches of 4 and 7 in batches of 16.
"""

from collections.abc import Mapping

# An instance that costs so much more costs as much: what is around a call counts too.
AS_GOOD = 1.05

# Up to here sizes are always tried: small ones say little about larger ones.
TRIED_ANYWAY = 4


def best(seconds: Mapping[int, float]) -> int:
    """The largest size where an instance costs about the least; `seconds` by size."""
    least = min(took / size for size, took in seconds.items())
    return max(n for n, took in seconds.items() if took / n <= AS_GOOD * least)


def pays_no_more(seconds: Mapping[int, float]) -> bool:
    """Whether in the largest size so far an instance costs more than in others."""
    largest = max(seconds)
    return largest > TRIED_ANYWAY and best(seconds) < largest
