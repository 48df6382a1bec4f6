"""The model that is exported, as this machine would serve it on TensorFlow."""

from dataclasses import dataclass
from typing import Any

from .. import card, recipe, tasks
from ..arrays import Array, Arrays
from ..card import Card
from ..engines import batches
from ..engines.signatures import exported_name
from ..engines.traced import UNKNOWN_ACTIVATION
from ..facts import Facts
from ..folder import Found
from ..recipe import Recipe
from ..tasks import Task


@dataclass(frozen=True)
class Subject:
    """Loaded and traced, with all that serving it takes."""

    found: Found
    written: Card
    facts: Facts
    recipe: Recipe
    task: Task
    traced: Any

    def inputs(self, batch: Arrays) -> list[Array]:
        """What the model takes, in its order: pictures are decoded to float32."""
        arrays = batches.inputs(batch, self.facts)
        return [
            array if one.dtype == "string" else array.astype(one.dtype)
            for array, one in zip(arrays, self.facts.inputs, strict=True)
        ]

    def scores(self, parts: list[Array]) -> Arrays:
        """What the model answered, by name where there are several outputs."""
        if len(parts) == 1:
            return parts[0]
        names = (one.name for one in self.facts.outputs)
        return dict(zip(names, parts, strict=True))

    @property
    def names(self) -> list[str]:
        """Of the inputs, as the SavedModel has them."""
        return [exported_name(one.name) for one in self.facts.inputs]

    def traced_answers(self, inputs: list[Array]) -> list[Array]:
        """Those of the function that is exported, with the variables as they are."""
        from ..engines import saving

        return saving.traced_answers(self.traced, inputs)

    def answers(self, inputs: list[Array]) -> list[Array]:
        """Those of the model's own library."""
        from ..engines import saving

        return saving.reference(self.traced, inputs)


def subject(found: Found) -> Subject:
    """Load, trace and complete the card. Raises ModelNotLoaded."""
    from ..engines import tensorflow

    written = card.read(found.beside("model.toml"))
    traced = tensorflow.trace(found.file)
    facts = traced.facts
    if facts.activation == UNKNOWN_ACTIVATION:
        facts = tensorflow.of_traced(traced, (1,)).facts  # read off the graph
    settled = recipe.complete(written, facts, found.labels_folder())
    task = tasks.make(settled, facts)
    return Subject(found, written, facts, settled, task, traced)
