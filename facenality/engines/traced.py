"""What a file becomes before it is an engine: one inference function, traced once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..arrays import Array
from ..facts import Facts

UNKNOWN_ACTIVATION = ""  # to be read off the frozen graph


@dataclass(frozen=True)
class Traced:
    """`function` and `reference` take inputs and give outputs in the facts' order."""

    facts: Facts
    function: Any  # a ConcreteFunction of positional tensors
    reference: Callable[[list[Array]], list[Array]]  # the library's own way
    owner: Any  # holds the variables and tables that `function` refers to
