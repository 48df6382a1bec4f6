"""What a model takes and gives, by name: what both protocols tell, and hold it to.

One table of what each side calls a number's kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..arrays import Array, Arrays
from ..errors import TooLarge
from ..spec import ModelConfig, ModelSpec, TensorSpec

# Half the places of a batcher: a larger request could only ever find an idle server.
MAX_INSTANCES = 256


@dataclass(frozen=True)
class Signature:
    """The tensors in the model's own order, and what else an instance may be."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    images: bool  # an encoded image may stand for the input's numbers
    texts: bool  # an instance is one text, whatever the input's shape

    def named(self, scores: Arrays) -> dict[str, Array]:
        """One instance's scores, by output."""
        return scores if isinstance(scores, dict) else {self.outputs[0].name: scores}


def of(recipe: ModelConfig, facts: ModelSpec) -> Signature:
    """The signature of a model; what a `model.py` does not say, its card does."""
    return Signature(
        tuple(map(recipe.taken, facts.inputs)),
        facts.outputs or (_unsaid(recipe),),
        recipe.labels,
        recipe.image is not None,
        recipe.task == "text-classification",
    )


def _unsaid(recipe: ModelConfig) -> TensorSpec:
    """The output of a `model.py`: float64 holds whatever numbers it answers."""
    shape = (len(recipe.labels),) if recipe.labels else None
    return TensorSpec("scores", shape, "float64")


def names(tensors: Sequence[TensorSpec]) -> str:
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


class Names(NamedTuple):
    """A dtype's name in the Open Inference Protocol and in TensorFlow."""

    v2: str
    tensorflow: str


# By NumPy's name; "string" as in TensorFacts.
NAMES = {
    "bool": Names("BOOL", "DT_BOOL"),
    "uint8": Names("UINT8", "DT_UINT8"),
    "uint16": Names("UINT16", "DT_UINT16"),
    "uint32": Names("UINT32", "DT_UINT32"),
    "uint64": Names("UINT64", "DT_UINT64"),
    "int8": Names("INT8", "DT_INT8"),
    "int16": Names("INT16", "DT_INT16"),
    "int32": Names("INT32", "DT_INT32"),
    "int64": Names("INT64", "DT_INT64"),
    "float16": Names("FP16", "DT_HALF"),
    "float32": Names("FP32", "DT_FLOAT"),
    "float64": Names("FP64", "DT_DOUBLE"),
    "bfloat16": Names("BF16", "DT_BFLOAT16"),
    "string": Names("BYTES", "DT_STRING"),
}
DTYPES = {names.v2: dtype for dtype, names in NAMES.items()}


def names_of(dtype: str) -> Names:
    """Of any dtype that a model may have; one beyond the table keeps its own name."""
    return NAMES.get(dtype, Names(dtype.upper(), f"DT_{dtype.upper()}"))
