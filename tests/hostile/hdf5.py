"""Hostile HDF5, as a model of its own and as the weights inside a .keras file."""

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from . import FILES, honest, hostile
from .archives import repacked

SECRET = np.arange(8.0)
Change = Callable[[h5py.File, Path], object]


def changed(file: Path, change: Change) -> Path:
    """The file after `change`, which is told the file of a neighbour too."""
    neighbour = file.with_name("neighbour.h5")
    with h5py.File(neighbour, "w") as other:
        other["secret"] = SECRET
    with h5py.File(file, "r+", libver="latest") as opened:
        change(opened, neighbour)
    return file


def external_link(file, neighbour):
    """CVE-2026-1669: another file's arrays become the model's weights."""
    file["evil"] = h5py.ExternalLink(str(neighbour), "/secret")


def soft_link(file, neighbour):
    file["evil"] = h5py.SoftLink("/model_weights")


def external_storage(file, neighbour):
    """Any file of the machine, read as raw numbers."""
    stored = [(str(neighbour), 0, 64)]
    file.create_dataset("evil", (8,), "f8", external=stored)


def virtual(file, neighbour):
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(str(neighbour), "secret", (8,))
    file.create_virtual_dataset("evil", layout)


def shape_bomb(file, neighbour):
    """CVE-2026-0897: petabytes declared, nothing stored."""
    file.create_dataset("evil", (1 << 20, 1 << 20, 1 << 10), "f4", chunks=(64, 64, 64))


def gzip_bomb(file, neighbour):
    file.create_dataset("evil", data=np.zeros(1 << 20), compression="gzip")


def object_references(file, neighbour):
    file["evil"] = np.array([file.ref], h5py.ref_dtype)


def region_references(file, neighbour):
    array = file.create_dataset("array", data=SECRET)
    file["evil"] = np.array([array.regionref[:2]], h5py.regionref_dtype)


def strings_anywhere(file, neighbour):
    file["evil"] = np.array(["text"], h5py.string_dtype())


def record(file, neighbour):
    file["evil"] = np.zeros(2, [("a", "f4"), ("b", "i4")])


def named_type(file, neighbour):
    file["evil"] = np.dtype("f4")


def deep_groups(file, neighbour):
    file.create_group("/".join("g" * 150))


def circles(file, neighbour):
    for number in range(60):
        file.create_group(f"evil/{number}")
        file[f"evil/{number}/hard"] = file["evil"]  # in circles


def huge_attribute(file, neighbour):
    file.create_group("evil").attrs["big"] = np.zeros(17 << 20, "u1")


def reference_attribute(file, neighbour):
    file.attrs["evil"] = file.ref


def many_attributes(file, neighbour):
    group = file.create_group("evil")
    for number in range(1001):
        group.attrs[str(number)] = 0


CHANGES: list[tuple[Change, str]] = [
    (external_link, "ExternalLink 'evil' to .*neighbour.h5"),
    (soft_link, "SoftLink 'evil' to '/model_weights'"),
    (external_storage, "keeps '/evil' in the other file .*neighbour.h5"),
    (virtual, "takes '/evil' from other files"),
    (shape_bomb, "bytes for '/evil' and holds fewer, like a bomb"),
    (gzip_bomb, "'/evil' compressed, which Keras never does"),
    (object_references, "'/evil' of type 'object', no numbers"),
    (region_references, "'/evil' of type 'object', no numbers"),
    (strings_anywhere, "'/evil' of type 'object', no numbers"),
    (record, "'/evil' of type .*, no numbers"),
    (named_type, "'/evil', which is no array"),
    (deep_groups, "more objects than any model"),
    (huge_attribute, "huge attribute at '/evil'"),
    (reference_attribute, "attribute of type 'object' at '/'"),
    (many_attributes, "1001 attributes at '/evil'"),
]

FILES |= {
    f"h5_{change.__name__}": (
        lambda folder, marker, change=change: changed(honest(folder, ".h5"), change),
        reason,
    )
    for change, reason in CHANGES
}


@hostile("ExternalLink 'evil'")
def weights_with_an_external_link(folder, marker):
    weights = folder / "weights.h5"
    h5py.File(weights, "w").close()
    content = changed(weights, external_link).read_bytes()
    return repacked(folder, weights=content)


@hostile("like a bomb")
def weights_with_a_shape_bomb(folder, marker):
    weights = folder / "weights.h5"
    h5py.File(weights, "w").close()
    return repacked(folder, weights=changed(weights, shape_bomb).read_bytes())


@hostile("larger arrays than its .* bytes can hold")
def h5_arrays_over_each_other(folder, marker):
    """Eleven arrays share the bytes of one."""
    file = honest(folder, ".h5")
    size = 100_000
    with h5py.File(file, "r+") as opened:
        opened["first"] = np.ones(size, "u1")
        start = opened["first"].id.get_offset()
        for number in range(10):
            opened.create_dataset(str(number), (size,), "u1")
    nowhere, there = (n.to_bytes(8, "little") for n in ((1 << 64) - 1, start))
    length = size.to_bytes(8, "little")
    content = file.read_bytes()
    assert content.count(nowhere + length) == 10
    file.write_bytes(content.replace(nowhere + length, there + length))
    return file


@hostile("huge attribute at '/evil'")
def h5_one_text_many_times(folder, marker):
    """Each as long as the file allows, and all of them the same one."""
    file = honest(folder, ".h5")
    length = 1 << 20
    with h5py.File(file, "r+") as opened:
        texts = np.array(["x" * length] + ["other"] * 40, h5py.string_dtype())
        opened.create_group("evil").attrs["texts"] = texts
    content = bytearray(file.read_bytes())
    long, short = (n.to_bytes(4, "little") for n in (length, len("other")))
    first = re.search(re.escape(long) + b".{12}" + short, content, re.DOTALL).start()
    content[first : first + 41 * 16] = content[first : first + 16] * 41
    file.write_bytes(content)
    return file


@hostile("holds weights only: save the whole model")
def h5_weights_only(folder, marker):
    file = folder / "model.h5"
    with h5py.File(file, "w") as opened:
        opened["kernel"] = SECRET
    return file


@hostile("is damaged, or no model")
def h5_truncated(folder, marker):
    file = honest(folder, ".h5")
    file.write_bytes(file.read_bytes()[:-5000])
    return file
