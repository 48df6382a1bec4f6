"""What a model file becomes before it is an engine: one function, traced once.

It stands apart from what loads files, since that imports Keras: a start from a kept
graph does without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...arrays import Array
from ...spec import ModelSpec

UNKNOWN_ACTIVATION = ""  # to be read off the frozen graph


@dataclass(frozen=True)
class Traced:
    """`function` and `reference` take inputs and give outputs in the facts' order."""

    facts: ModelSpec
    function: Any  # a ConcreteFunction of positional tensors
    reference: Callable[[list[Array]], list[Array]]  # the library's own way
    owner: Any  # holds the variables and tables that `function` refers to
    agreement: float | None = None  # with the reference, where that has been measured
