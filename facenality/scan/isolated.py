"""HDF5 is read by a child process, with little time and memory.

libhdf5 runs in circles, takes all memory or crashes on some damaged files, and would
take the server with it. What the child has read once, Keras can read too.

The ways in which a vetter says no.
"""

import os
import subprocess
import sys
from pathlib import Path


class Refused(Exception):
    """The rest of a sentence that begins with the file's name, and how to mend it."""


def damaged(error: Exception) -> Refused:
    """Bytes that nobody can read, whatever they make a library raise."""
    return Refused(
        f"is damaged, or no model ({type(error).__name__}): copy it again, or save it "
        "again"
    )


def shown(text: object) -> str:
    """A name from a file that nobody trusts, fit for one line of a log."""
    whole = str(text)
    return repr(whole if len(whole) <= 60 else f"{whole[:20]}...{whole[-37:]}")


REFUSED = 3  # the child's exit status; its sentence is on standard output
WALL_SECONDS = 600.0  # for a slow disk; the child limits its own processor time
PACKAGES = Path(__file__).parents[2]


def child_environment() -> dict[str, str]:
    """Where a child process finds this package."""
    searched = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": searched, "PYTHONIOENCODING": "utf-8"}


def vet_isolated(
    file: Path, allowed: frozenset[str], libraries: frozenset[str] = frozenset()
) -> set[str]:
    """Vet what a .keras or .h5 file holds in HDF5, by `__main__` in a child process.

    Returns the operations of TensorFlow that the model names, not yet judged.
    """
    named = [*sorted(allowed), "--", *sorted(libraries)]
    return set(run_isolated([str(file), *named]).split())


def run_isolated(arguments: list[str]) -> str:
    """What `__main__` prints in a child process. Raises Refused with its reason."""
    # One thread: the others' stacks would count against the child's memory.
    env = child_environment() | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", __package__, *arguments]
    try:
        child = subprocess.run(  # noqa: S603  # ourselves, and no shell
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused("takes too long to read: copy it to a faster disk") from None
    except OSError as error:
        raise Refused(
            f"could not be vetted, no child process starts ({error.strerror}): raise "
            "the limit of processes"
        ) from None
    if child.returncode == REFUSED:
        raise Refused(child.stdout.strip())
    if child.returncode:
        raise Refused(
            f"makes its reader crash or run in circles (status {child.returncode}): "
            "it is damaged; copy it again, or save it again"
        )
    return child.stdout
