"""The child process of `isolated`.

python -m facenality.scan FILE [ALLOWED ...] -- [LIBRARY ...]   vets a file
python -m facenality.scan FILE --version                        the Keras that saved it
"""

import contextlib
import io
import resource
import sys
import zipfile
from pathlib import Path

from .formats import configuration_beside, is_hdf5
from .hdf5 import version_of_hdf5, vet_h5_model, vet_hdf5
from .isolated import REFUSED, Refused, damaged
from .keras_archive import MAX_EXPANSION, WEIGHTS

CPU_SECONDS = 10  # NASNetLarge takes one
BYTES_A_SECOND = 100 << 20  # more for the unpacking of large ones
MEMORY = 2 << 30


def main(
    path: Path, allowed: frozenset[str], libraries: frozenset[str] = frozenset()
) -> int:
    """Judge one file. Returns the exit status.

    Standard output has the reason of a refusal, else the operations of TensorFlow that
    the model names.
    """
    size = path.stat().st_size
    _limit(size)
    try:
        operations = _vet(path, size, allowed, libraries)
    except Refused as refusal:
        print(refusal)
        return REFUSED
    except Exception as error:
        print(damaged(error))
        return REFUSED
    for operation in sorted(operations):
        print(operation)
    return 0


def _vet(
    path: Path, size: int, allowed: frozenset[str], libraries: frozenset[str]
) -> set[str]:
    if is_hdf5(path):
        with path.open("rb") as stream:
            beside = configuration_beside(path)
            return vet_h5_model(stream, size, allowed, libraries, beside)
    with zipfile.ZipFile(path) as archive:
        weights = archive.read(WEIGHTS)
    vet_hdf5(io.BytesIO(weights), len(weights))
    return set()


def _limit(size: int) -> None:
    """The kernel ends us where these are passed."""
    seconds = CPU_SECONDS + size // BYTES_A_SECOND
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, MEMORY + MAX_EXPANSION * size),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(what, (most, most))


def show_version(path: Path) -> int:
    """Print the version of Keras that saved an HDF5 file, if it says."""
    _limit(path.stat().st_size)
    with contextlib.suppress(Exception):  # whoever vets the file says what is wrong
        print(version_of_hdf5(path) or "")
    return 0


if __name__ == "__main__":
    if sys.argv[2] == "--version":
        sys.exit(show_version(Path(sys.argv[1])))
    end = sys.argv.index("--", 2)
    own, others = frozenset(sys.argv[2:end]), frozenset(sys.argv[end + 1 :])
    sys.exit(main(Path(sys.argv[1]), own, others))
