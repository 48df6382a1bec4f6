"""Any library, through a `model.py`: load(folder) -> model, predict(model, instances).

`instances` is a list of strings for text tasks and an array [N, …] otherwise; scores
come back as anything that NumPy takes as [N, …].
"""

from pathlib import Path

import numpy as np

from ..arrays import Array, Arrays
from ..errors import ModelNotLoaded
from ..facts import Facts, TensorFacts
from . import Precision, Tell, modules


class PythonEngine:
    """See the protocol `Engine`."""

    name = "python"
    precision: Precision = "float32"
    agreement: float | None = None

    def __init__(self, file: Path, batch_sizes: tuple[int, ...], tell: Tell) -> None:
        self.batch_sizes = batch_sizes
        tell(f"running {file.name}")
        module = modules.run(file)
        for name in ("load", "predict"):
            if not callable(getattr(module, name, None)):
                raise ModelNotLoaded(f"{file.name} has no function {name}()")
        self._predict = module.predict
        try:
            self._model = module.load(file.parent)
        except Exception as error:
            raise ModelNotLoaded(
                f"load() of {file.name} raised {type(error).__name__}; see the log"
            ) from error
        # Shapes are the model's own business: its card names the task.
        self.facts = Facts(
            (TensorFacts("instances", None, "float32"),), (), "custom", rescales=False
        )

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …]."""
        texts = isinstance(batch, np.ndarray) and batch.dtype == object
        scores: Array = np.asarray(
            self._predict(self._model, batch.tolist() if texts else batch)  # type: ignore[union-attr]  # texts are in an array
        )
        return scores
