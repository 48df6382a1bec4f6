"""Any library, through a `model.py`: load(folder) -> model, predict(model, instances).

`instances` is a list of strings for text tasks and an array [N, …] otherwise; scores
come back as anything that NumPy takes as [N, …].

The operator's own Python beside a model: `model.py`, `custom.py` with its layers.
"""

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

import numpy as np

from ..arrays import Array, Arrays
from ..errors import ModelLoadFailed
from ..spec import ModelSpec, TensorSpec
from .engine import Engine, Precision, ProgressCallback

_numbers = itertools.count(1)


def run(file: Path) -> ModuleType:
    """Execute `file` as a module of its own; each load gets a fresh one.

    It is not put on sys.path or into sys.modules, so two models' files of one name do
    not meet. Raises ModelLoadFailed.
    """
    name = f"facenality_operator_{file.stem}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModelLoadFailed(f"{file.name} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelLoadFailed(
            f"{file.name} raised {type(error).__name__}; the log says more"
        ) from error
    return module


class PythonEngine(Engine):
    """See the protocol `Engine`."""

    name = "python"
    precision: Precision = "float32"
    agreement: float | None = None

    def __init__(
        self, file: Path, batch_sizes: tuple[int, ...], on_progress: ProgressCallback
    ) -> None:
        self.batch_sizes = batch_sizes
        on_progress(f"running {file.name}")
        module = run(file)
        for name in ("load", "predict"):
            if not callable(getattr(module, name, None)):
                raise ModelLoadFailed(f"{file.name} has no function {name}()")
        self._predict = module.predict
        try:
            self._model = module.load(file.parent)
        except Exception as error:
            raise ModelLoadFailed(
                f"load() of {file.name} raised {type(error).__name__}; see the log"
            ) from error
        # Shapes are the model's own business: its card names the task.
        self.facts = ModelSpec(
            (TensorSpec("instances", None, "float32"),), (), "custom", rescales=False
        )

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …]."""
        texts = isinstance(batch, np.ndarray) and batch.dtype == object
        scores: Array = np.asarray(
            self._predict(self._model, batch.tolist() if texts else batch)  # type: ignore[union-attr]  # texts are in an array
        )
        return scores
