"""Weights for the architectures of keras.applications, in Keras's format."""

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

from bench import spread
from facenality.tasks.image_transform import preprocess


def written(architecture: Callable[..., keras.Model], file: Path) -> Path:
    """Random weights whose answers differ from picture to picture, in `file`.

    The format is that of Keras's own files.
    """
    keras.utils.set_random_seed(1)
    model = architecture(weights=None)
    how = "none" if spread.rescales(model) else "tf"
    pictures = [preprocess(one, how) for one in spread.pictures((224, 224))]
    spread.spread(model, np.stack(pictures))
    with h5py.File(file, "w") as weights:
        legacy_h5_format.save_weights_to_hdf5_group(weights, model)
    return file
