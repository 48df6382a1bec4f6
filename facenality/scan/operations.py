"""The operations of TensorFlow that a model may run: those that only compute.

TensorFlow's registry says which operations keep state. Those without state compute,
less the few that reach out of the graph all the same; of those with state, variables,
tables, arrays, random numbers and control flow are needed to predict.
"""

import ctypes
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from .isolated import REFUSED, Refused, child_environment, shown
from .protobuf import fields, messages, text

OUTSIDE = re.compile(
    "Debug|(?<!Sharded)File|Immutable|Proto|PyFunc|VocabRemapping|Xla(Launch|Custom|Cluster)"
)
"""Files, other machines and Python, although the registry calls them without state.

TensorFlow may run an operation without state as soon as it imports a graph, to know a
shape; so these are refused even where nothing leads to them.
"""

_NOT_TO_PREDICT = re.compile(
    "^_|Abort|Accumulator|Barrier|^Batch$|BatchFunction|Compress|CustomAggregator"
    "|DTensor|Dataset|Deserialize|ElementAtIndex|Host|Infeed|Iterator|Mlir|Optional"
    "|ParseTensor|Prelinearize|Queue|Reader|Snapshot|SparseCore|Stats|Summary|Symbolic"
    "|T(PU|pu)|Unbatch|Xla(Sparse|Merge)"
)
_WITH_STATE = re.compile(
    "Anonymous(Mutable(Dense)?)?HashTable|(Mutable(Dense)?)?HashTableV2"
    "|InitializeTableV2|LookupTable(Export|Find|Import|Insert|Remove|Size)V2"
    "|VarHandleOp|VarIsInitializedOp|VariableShape|VariableV2|ReadVariableOp"
    "|Assign(Add|Sub)?VariableOp|DestroyResourceOp|DisableCopyOnRead"
    "|Resource(Gather(Nd)?|Scatter(Add|Update)|StridedSliceAssign)"
    "|TensorArray(Close|Concat|Gather|Read|Scatter|Size|Split|Write)?V3"
    "|If|Case|While|StatefulPartitionedCall|Assert|CheckNumerics(V2)?|GuaranteeConst"
    "|Empty|CudnnRNN(V[23])?|Multinomial|ParameterizedTruncatedNormal|TruncatedNormal"
    "|Random(Crop|Gamma|PoissonV2|Shuffle|StandardNormal|Uniform(Int)?)"
    "|Rng(ReadAndSkip|Skip)|StatelessRandomGetAlg"
    "|Stateful(RandomBinomial|StandardNormalV2|TruncatedNormal|Uniform(Full)?(Int)?)"
)


def is_allowed(operation: str) -> bool:
    """Whether an operation only computes. Raises Refused without TensorFlow."""
    if OUTSIDE.search(operation) or _NOT_TO_PREDICT.search(operation):
        return False
    if _WITH_STATE.fullmatch(operation):
        return True
    return operation in _without_state()


def vet_operations(operations: set[str]) -> None:
    """Refuse what a Keras 2 model's layers would run, unless it only computes."""
    for operation in sorted(operations):
        if not is_allowed(operation):
            raise Refused(
                f"has a TensorFlowOpLayer that runs the operation {shown(operation)}, "
                "which does more than compute: save the model without that layer"
            )


@cache
def _without_state() -> frozenset[str]:
    """Read by a child process, so that this one does not load TensorFlow."""
    command = [sys.executable, "-P", "-m", f"{__package__}.operations"]
    child = subprocess.run(  # noqa: S603  # ourselves, and no shell
        command,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if child.returncode == REFUSED:
        raise Refused(
            "needs TensorFlow to be judged, which is not installed here: install "
            "facenality[tensorflow], or save the model as .keras"
        )
    if child.returncode:
        why = (child.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise Refused(
            "could not be judged, TensorFlow's operations cannot be read "
            f"({why:.150}): install TensorFlow again"
        )
    return frozenset(child.stdout.split())


class _Buffer(ctypes.Structure):
    """TF_Buffer of TensorFlow's C API."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    )


def registered() -> dict[str, bool]:
    """Each operation that TensorFlow knows, and whether it keeps state.

    TensorFlow's library is loaded, which takes half a second, but not its Python.
    """
    spec = find_spec("tensorflow")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("tensorflow")
    folder = Path(spec.origin).parent
    # libtensorflow_framework.so.2, and .2.dylib on macOS
    for part in ("framework", "cc"):
        (file,) = folder.glob(f"libtensorflow_{part}*.2*")
        library = ctypes.CDLL(str(file), ctypes.RTLD_GLOBAL)
    library.TF_GetAllOpList.restype = ctypes.POINTER(_Buffer)
    buffer = library.TF_GetAllOpList().contents
    listed = memoryview(ctypes.string_at(buffer.data, buffer.length))
    return {
        text(operation, 1): any(n == 17 and value for n, value in fields(operation))
        for operation in messages(listed, 1)
    }


if __name__ == "__main__":
    if find_spec("tensorflow") is None:
        sys.exit(REFUSED)
    print(*(name for name, is_stateful in registered().items() if not is_stateful))
