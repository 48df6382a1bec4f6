"""How many instances should share one call of the model: as many as it pays.

Beyond some size a batch falls out of the processor's caches, and each instance costs
more again: MobileNetV2 in OpenVINO, float32, took 5.0 core-milliseconds an instance in
batches of 4 and 7 in batches of 16.
"""

from collections.abc import Mapping

# Less than this is noise, or not worth the longer wait and the memory.
WORTH_IT = 1.05

# Up to here sizes are always tried: small ones say little about larger ones.
TRIED_ANYWAY = 4


def best(seconds: Mapping[int, float]) -> int:
    """The smallest size about as fast an instance as the fastest; `seconds` by size."""
    most = max(size / took for size, took in seconds.items())
    return min(n for n, took in seconds.items() if n / took * WORTH_IT >= most)


def pays_no_more(seconds: Mapping[int, float]) -> bool:
    """Whether the largest size so far is no better than smaller ones were."""
    largest = max(seconds)
    return largest > TRIED_ANYWAY and best(seconds) < largest
