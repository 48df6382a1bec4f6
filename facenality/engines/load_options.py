"""What a model's card says about opening its file."""

import importlib
from dataclasses import dataclass

from ..errors import ModelLoadFailed

KERAS_LIBRARIES = frozenset({"keras_hub", "keras_cv", "keras_nlp"})
"""Of Keras's own team: a file that names their classes needs no word in its card."""


@dataclass(frozen=True)
class LoadOptions:
    """`libraries` are imported first: packages whose layers the file names."""

    libraries: tuple[str, ...] = ()
    allow_code: bool = False  # Lambda layers too, opened in a child process only

    @property
    def known_libraries(self) -> frozenset[str]:
        """Packages whose classes the file may name."""
        return KERAS_LIBRARIES.union(self.libraries)


DEFAULTS = LoadOptions()


def import_libraries(names: tuple[str, ...]) -> None:
    """Import what registers layers with Keras. Raises ModelLoadFailed."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ModelLoadFailed(
                f"its card names the library {name}, which cannot be imported "
                f"({error}): install it"
            ) from None
