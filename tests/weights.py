"""Weights for the architectures of keras.applications, as a mirror would have them."""

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format


def written(architecture: Callable[..., keras.Model], file: Path) -> Path:
    """Random weights that keep the signal alive, so that answers differ, in `file`.

    He's deviation for the kernels, mild statistics for the normalizations. The format
    is that of Keras's own files.
    """
    model = architecture(weights=None)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        shape = weight.shape
        if "variance" in weight.path or "gamma" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, shape))
        else:
            ways = np.prod(shape[:2] if "depthwise" in weight.path else shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / max(ways, 20)), shape))
    with h5py.File(file, "w") as weights:
        legacy_h5_format.save_weights_to_hdf5_group(weights, model)
    return file
