"""A .keras file is a zip of a few known members; nothing else may hide in it."""

import re
import stat
import zipfile
from pathlib import Path

from .isolated import Refused, shown
from .keras_config import vet_config

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
KNOWN = re.compile(
    rf"metadata\.json|{re.escape(CONFIG)}|{re.escape(WEIGHTS)}|assets/.*"
)
OUTSIDE = re.compile(r"/|.*\\|[A-Za-z]:|(.*/)?\.\.(/|$)")
MODES = (0, stat.S_IFREG, stat.S_IFDIR)  # 0: written where there are no modes
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # lzma's memory is the file's word
SAVE_AGAIN = "save it again with model.save()"

MAX_MEMBERS = 1000  # one per vocabulary, and three
# Keras stores without compressing; weights hardly compress.
MAX_EXPANSION = 20
ALWAYS_ALLOWED_BYTES = 64 << 20
CHUNK = 1 << 20


def vet_archive(
    path: Path, allowed: frozenset[str], libraries: frozenset[str] = frozenset()
) -> set[str]:
    """Vet a .keras file and its configuration, not yet its weights.

    Returns the operations of TensorFlow that its configuration names.
    """
    size = path.stat().st_size
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise Refused(f"is not a .keras file, which is a zip: {SAVE_AGAIN}") from None
    with archive:
        _vet_members(archive.infolist())
        for name in (CONFIG, WEIGHTS):
            if name not in archive.namelist():
                raise Refused(f"has no {name} in it: {SAVE_AGAIN}")
        _unpack(archive, max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * size))
        return vet_config(archive.read(CONFIG), allowed, libraries)


def _vet_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise Refused(f"has {len(members)} members, at most {MAX_MEMBERS} are read")
    seen: set[str] = set()
    for member in members:
        name = member.orig_filename  # zipfile cuts its own at a NUL
        _vet_member(member, name)
        if name.casefold() in seen:
            raise Refused(f"has the member {shown(name)} twice: {SAVE_AGAIN}")
        seen.add(name.casefold())


def _vet_member(member: zipfile.ZipInfo, name: str) -> None:
    if OUTSIDE.match(name) or not name.isprintable():
        raise Refused(
            f"has the member {shown(name)}, which would be unpacked elsewhere: "
            f"{SAVE_AGAIN}"
        )
    if not KNOWN.fullmatch(name):
        raise Refused(
            f"has the member {shown(name)}, which Keras never writes: {SAVE_AGAIN}"
        )
    if stat.S_IFMT(member.external_attr >> 16) not in MODES:
        raise Refused(f"has {shown(name)} as a link or device: {SAVE_AGAIN}")
    if member.flag_bits & 1:
        raise Refused(f"has {shown(name)} encrypted: {SAVE_AGAIN}")
    if member.compress_type not in METHODS:
        raise Refused(f"has {shown(name)} compressed in a rare way: {SAVE_AGAIN}")


def _unpack(archive: zipfile.ZipFile, budget: int) -> None:
    """Unpack all that Keras would, into nothing, and count.

    The sizes in the headers are the file's word, so only real bytes count. Reading to
    the end also checks the sums, which tells a damaged copy.
    """
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK):
                budget -= len(chunk)
                if budget < 0:
                    raise Refused(
                        f"unpacks to more than {MAX_EXPANSION} times its size, like a "
                        f"zip bomb: {SAVE_AGAIN}, which does not compress"
                    )
