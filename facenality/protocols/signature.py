"""What a model takes and gives, by name: what both protocols tell, and hold it to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..arrays import Array, Arrays
from ..errors import TooLarge
from ..facts import Facts, TensorFacts
from ..recipe import Recipe

# Half the places of a batcher: a larger request could only ever find an idle server.
MAX_INSTANCES = 256


@dataclass(frozen=True)
class Signature:
    """The tensors in the model's own order, and what else an instance may be."""

    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    labels: tuple[str, ...]
    images: bool  # an encoded image may stand for the input's numbers
    texts: bool  # an instance is one text, whatever the input's shape

    def named(self, scores: Arrays) -> dict[str, Array]:
        """One instance's scores, by output."""
        return scores if isinstance(scores, dict) else {self.outputs[0].name: scores}


def of(recipe: Recipe, facts: Facts) -> Signature:
    """The signature of a model; what a `model.py` does not say, its card does."""
    return Signature(
        tuple(map(recipe.taken, facts.inputs)),
        facts.outputs or (_unsaid(recipe),),
        recipe.labels,
        recipe.image is not None,
        recipe.task == "text-classification",
    )


def _unsaid(recipe: Recipe) -> TensorFacts:
    """The output of a `model.py`: float64 holds whatever numbers it answers."""
    shape = (len(recipe.labels),) if recipe.labels else None
    return TensorFacts("scores", shape, "float64")


def names(tensors: Sequence[TensorFacts]) -> str:
    """As a sentence lists them."""
    return ", ".join(repr(one.name) for one in tensors)


def shown(word: Any) -> str:
    """A client's own word, short, as a sentence repeats it."""
    return repr(word[:80]) if isinstance(word, str) else f"({type(word).__name__})"


def check_count(count: int) -> None:
    """Raise TooLarge for more instances than one request may bring."""
    if count > MAX_INSTANCES:
        raise TooLarge(
            f"{count} instances in one request; at most {MAX_INSTANCES} are taken.",
            code="too_many_inputs",
        )
