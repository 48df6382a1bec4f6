"""An HDF5 file as Keras writes it: groups and plain arrays, all inside the file.

HDF5 can also point at other files, at other places, at ranges that were never written,
and at code that decompresses; a weights file needs none of it. All that is allowed is
also read once, since libhdf5 may hang or crash on what is damaged.
"""

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import h5py  # type: ignore[import-untyped]  # it ships none

from .formats import configuration_beside
from .isolated import Refused, shown
from .keras_config import MAX_BYTES, vet_config
from .saved_by import version_in

MAX_OBJECTS = 100_000  # NASNetLarge has 6,000 with its optimizer
MAX_DEPTH = 100
MAX_ATTRIBUTES = 1000
MAX_ATTRIBUTE_BYTES = 16 << 20
PLAIN = "biufcSV"  # numpy's kinds of numbers, fixed strings, bfloat16's two raw bytes
BEFORE_VERSIONS = "2"  # HDF5 without a version is of Keras 2.0 or older
SAVE_AGAIN = "save it again with Keras"


def vet_h5_model(
    stream: BinaryIO,
    size: int,
    allowed: frozenset[str],
    libraries: frozenset[str] = frozenset(),
    configuration: Path | None = None,
) -> set[str]:
    """Vet a whole model in HDF5, `size` bytes long.

    The `configuration` beside it counts where the file holds weights alone. Returns
    the operations of TensorFlow that the configuration names.
    """
    with h5py.File(stream, "r") as file:
        _walk(file, size)
        config = file.attrs.get("model_config")
        if config is None and configuration:
            config = configuration.read_bytes()[: MAX_BYTES + 1]
        if config is None:
            raise Refused("holds weights only: save the whole model with model.save()")
        text = config.decode() if isinstance(config, bytes) else config
        return vet_config(text, allowed, libraries)


def vet_hdf5(stream: BinaryIO, size: int) -> None:
    """Vet a weights file, `size` bytes long."""
    with h5py.File(stream, "r") as file:
        _walk(file, size)


def version_of_hdf5(file: Path) -> str | None:
    """As `saved_by.keras_version`, in this process."""
    with h5py.File(file, "r") as opened:
        whole = "model_config" in opened.attrs
        version = opened.attrs.get("keras_version")
    if not whole and (beside := configuration_beside(file)):
        return version_in(json.loads(beside.read_bytes()))
    if whole and version is None:
        return BEFORE_VERSIONS
    return version.decode() if isinstance(version, bytes) else version


def _walk(file: Any, size: int) -> None:
    """Visit every object once; hard links may run in circles."""
    budget = size
    visited: set[int] = set()
    pending: list[tuple[Any, int]] = [(file["/"], 0)]
    while pending:
        thing, depth = pending.pop()
        address = h5py.h5o.get_info(thing.id).addr
        if address in visited:
            continue
        visited.add(address)
        if len(visited) > MAX_OBJECTS or depth > MAX_DEPTH:
            raise Refused(f"has more objects than any model has: {SAVE_AGAIN}")
        _vet_attributes(thing)
        if isinstance(thing, h5py.Group):
            pending += ((inner, depth + 1) for inner in _inside(thing))
        elif isinstance(thing, h5py.Dataset):
            budget -= _vet_dataset(thing)
        else:
            raise Refused(f"has {shown(thing.name)}, which is no array: {SAVE_AGAIN}")
        if budget < 0:
            raise Refused(
                f"declares larger arrays than its {size} bytes can hold: {SAVE_AGAIN}"
            )


def _inside(group: Any) -> list[Any]:
    if len(group) > MAX_OBJECTS:
        raise Refused(f"has more objects than any model has: {SAVE_AGAIN}")
    for name in group:
        link = group.get(name, getlink=True)
        if type(link) is not h5py.HardLink:
            target = getattr(link, "filename", None) or getattr(link, "path", "")
            raise Refused(
                f"has the {type(link).__name__} {shown(name)} to {shown(target)}, as "
                f"Keras never does: {SAVE_AGAIN}"
            )
    return [group[name] for name in group]


def _vet_dataset(dataset: Any) -> int:
    """The bytes that its array takes."""
    name = shown(dataset.name)
    if dataset.external:
        raise Refused(
            f"keeps {name} in the other file {shown(dataset.external[0][0])}: "
            f"{SAVE_AGAIN}"
        )
    if dataset.is_virtual:
        raise Refused(f"takes {name} from other files (virtual): {SAVE_AGAIN}")
    if dataset.id.get_create_plist().get_nfilters():
        # A filter may be a plug-in, and a little of gzip unpacks to anything.
        raise Refused(f"has {name} compressed, which Keras never does: {SAVE_AGAIN}")
    dtype = dataset.dtype
    if dtype.kind not in PLAIN or dtype.names or dtype.subdtype:
        raise Refused(f"has {name} of type {shown(dtype)}, no numbers: {SAVE_AGAIN}")
    needed: int = math.prod(dataset.shape or (0,)) * dtype.itemsize
    if needed > dataset.id.get_storage_size():
        raise Refused(
            f"declares {needed} bytes for {name} and holds fewer, like a bomb: "
            f"{SAVE_AGAIN}"
        )
    dataset[()]
    return needed


def _vet_attributes(thing: Any) -> None:
    count = h5py.h5a.get_num_attrs(thing.id)
    if count > MAX_ATTRIBUTES:
        raise Refused(f"has {count} attributes at {shown(thing.name)}: {SAVE_AGAIN}")
    for index in range(count):
        attribute = h5py.h5a.open(thing.id, index=index)
        dtype = attribute.dtype
        is_text = h5py.check_string_dtype(dtype) is not None
        if dtype.kind not in PLAIN and not is_text:
            raise Refused(
                f"has an attribute of type {shown(dtype)} at {shown(thing.name)}: "
                f"{SAVE_AGAIN}"
            )
        needed = math.prod(attribute.shape or ()) * dtype.itemsize
        if needed <= MAX_ATTRIBUTE_BYTES and is_text:
            # Many strings may all be the same long one.
            value = thing.attrs[attribute.name]
            needed = len(value) if isinstance(value, str) else sum(map(len, value.flat))
        if needed > MAX_ATTRIBUTE_BYTES:
            raise Refused(f"has a huge attribute at {shown(thing.name)}: {SAVE_AGAIN}")
