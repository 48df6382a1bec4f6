"""Hostile zips."""

import pickle
import stat
import warnings
import zipfile
from pathlib import Path

from facenality.scan import keras_archive as limits

from . import FILES, Touch, honest, hostile

OUTSIDE = "unpacked elsewhere"


def repacked(
    folder: Path,
    *extra: tuple[str | zipfile.ZipInfo, bytes],
    without: str = "",
    method: int = zipfile.ZIP_STORED,
    **changed: bytes,
) -> Path:
    """An honest model with `config` or `weights` changed, and more members after."""
    file = honest(folder)
    with zipfile.ZipFile(file) as packed:
        inside = {name: packed.read(name) for name in packed.namelist()}
    names = {"config": limits.CONFIG, "weights": limits.WEIGHTS}
    inside |= {names[short]: content for short, content in changed.items()}
    inside.pop(without, None)
    with zipfile.ZipFile(file, "w", method) as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in [*inside.items(), *extra]:
            packed.writestr(name, content)
    return file


def with_member(name: str):
    return lambda folder, marker: repacked(folder, (name, b"evil"))


FILES |= {
    "zip_traversal": (with_member("assets/../../evil"), OUTSIDE),
    "zip_backslash": (with_member("assets\\..\\..\\evil"), OUTSIDE),
    "zip_drive_letter": (with_member("C:evil"), OUTSIDE),
    "zip_control_character": (with_member("assets/a\x1b[2J"), OUTSIDE),
    "zip_duplicate": (with_member("config.json"), "'config.json' twice"),
}


@hostile(OUTSIDE)
def zip_absolute_name(folder, marker):
    return repacked(folder, (str(marker), b"evil"))


@hostile(OUTSIDE)
def zip_name_cut_at_nul(folder, marker):
    file = repacked(folder, ("assets/a_b", b"evil"))
    file.write_bytes(file.read_bytes().replace(b"assets/a_b", b"assets/a\0b"))
    return file


@hostile("twice")
def zip_duplicate_but_for_case(folder, marker):
    return repacked(folder, ("assets/a", b""), ("assets/A", b""))


@hostile("'assets/layers' as a link or device")
def zip_symlink(folder, marker):
    """CVE-2025-12060's manner: a link is unpacked, the next member goes through it."""
    link = zipfile.ZipInfo("assets/layers")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    through = ("assets/layers/" + marker.name, b"")
    return repacked(folder, (link, str(marker.parent).encode()), through)


@hostile("'model.pkl', which Keras never writes")
def zip_pickle(folder, marker):
    return repacked(folder, ("model.pkl", pickle.dumps(Touch(marker))))


@hostile("'config.json' encrypted")
def zip_encrypted(folder, marker):
    file = honest(folder)
    content = bytearray(file.read_bytes())
    record = content.rindex(b"config.json") - 46
    assert content[record:][:4] == b"PK\1\2"
    content[record + 8] |= 1
    file.write_bytes(content)
    return file


@hostile("compressed in a rare way")
def zip_lzma(folder, marker):
    return repacked(folder, method=zipfile.ZIP_LZMA)


@hostile("like a zip bomb")
def zip_bomb(folder, marker):
    zeros = bytes(limits.ALWAYS_ALLOWED_BYTES + 1)
    deflated = zipfile.ZIP_DEFLATED
    return repacked(folder, ("assets/zeros", zeros), method=deflated)


@hostile("damaged")
def zip_with_lying_sizes(folder, marker):
    """The headers promise one byte less than there is."""
    file = honest(folder)
    with zipfile.ZipFile(file) as packed:
        size = packed.getinfo(limits.CONFIG).file_size
    content = file.read_bytes()
    start = content.index(b"PK\1\2")
    promised = content[start:].replace(size.to_bytes(4, "little"), b"\1\0\0\0")
    file.write_bytes(content[:start] + promised)
    return file


@hostile("has 1004 members")
def zip_too_many_members(folder, marker):
    return repacked(folder, *((f"assets/{n}", b"") for n in range(1001)))


@hostile(f"has no {limits.WEIGHTS}")
def zip_without_weights(folder, marker):
    return repacked(folder, without=limits.WEIGHTS)


@hostile("not a .keras file, which is a zip")
def zip_that_is_none(folder, marker):
    file = folder / "model.keras"
    file.write_bytes(pickle.dumps(Touch(marker)))
    return file
