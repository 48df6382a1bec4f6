"""A .keras file is a zip of a few known members; nothing else may hide in it.

What a Keras configuration would construct: only what stands on the list.

Keras looks a class up by `registered_name` among what custom.py registered, then by
`module` and `class_name`; where there is no `module`, as in old files, by `class_name`
among the names of keras.layers. Each way is followed here.
"""

import json
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

from .allowlists import BARE, CLASSES, FUNCTION_MODULES, FUNCTIONS
from .isolated import Refused, shown

MAX_BYTES = 16 << 20  # NASNetLarge, the longest of keras.applications, takes 1 MiB
MAX_DEPTH = 200  # about fifty models within each other

CODE = {
    "Lambda": "is arbitrary code: rewrite it as a layer class in custom.py",
    "__lambda__": "is arbitrary code: write it as a registered function in custom.py",
    "TFSMLayer": "runs a SavedModel from another place: serve that one itself",
    "TorchModuleWrapper": "is unpickled, which runs code: rewrite it in Keras",
    "JaxLayer": "is arbitrary code: rewrite it as a layer class in custom.py",
    "FlaxLayer": "is arbitrary code: rewrite it as a layer class in custom.py",
}
# Values that JSON has no form for, and shapes of the old encoder.
VALUES = (
    "__tensor__",
    "__numpy__",
    "__keras_tensor__",
    "__bytes__",
    "__slice__",
    "__ellipsis__",
    "__tuple__",
    "TensorShape",
)
# numpy takes dtypes such as S2147483647, which is memory for the asking.
DTYPE = re.compile(
    r"bool|string|u?int(4|8|16|32|64)|bfloat16|float(16|32|64)|float8_\w+|complex(64|128)"
)
LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization")


def vet_config(text: str | bytes, allowed: frozenset[str]) -> None:
    """Refuse a configuration that names anything but computing, or `allowed`."""
    if len(text) > MAX_BYTES:
        raise Refused(f"has a configuration of {len(text)} bytes, more than any model")
    try:
        root = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise Refused(
            f"has a configuration that is not JSON ({type(error).__name__}): save it "
            "again"
        ) from None
    if not isinstance(root, dict):
        raise Refused("has a configuration that is no object: save it again")
    # compile=False ignores it, and a loss of the trainer's own is no reason to refuse.
    root.pop("compile_config", None)
    pending: list[tuple[Any, int]] = [(root, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise Refused(f"has a configuration nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            if "class_name" in value:
                _vet_object(value, allowed)
            pending += ((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            pending += ((inner, depth + 1) for inner in value)


def _vet_object(made: dict[str, Any], allowed: frozenset[str]) -> None:
    name, module = made["class_name"], made.get("module")
    registered = made.get("registered_name")
    if not all(isinstance(part, str | None) for part in (name, module, registered)):
        raise Refused("names a class by something that is no string: save it again")
    inner = made.get("config")
    called = inner.get("name") if isinstance(inner, dict) else None
    if name in CODE:
        kind = "a lambda" if name == "__lambda__" else f"a {name} layer"
        named = f" {shown(called)}" if isinstance(called, str) else ""
        raise Refused(f"has {kind}{named}, which {CODE[name]}")
    if name in VALUES and module is None:
        _vet_value(inner)
    elif name == "function":
        _vet_function(inner, module, registered, allowed)
    elif not _is_allowed(name, module, registered, allowed):
        raise Refused(_unknown(name, module, registered))
    elif name in LOOKUPS and isinstance(inner, dict):
        _vet_vocabulary(name, inner)


def _is_allowed(
    name: str, module: str | None, registered: str | None, allowed: frozenset[str]
) -> bool:
    if name in CLASSES.get(module or "", ()):
        return registered in (None, name) or registered in allowed
    if module and module.split(".")[0] == "keras":
        return False  # else Keras would import the module, whatever was registered
    return name in allowed or registered in allowed or (not module and name in BARE)


def _unknown(name: str, module: str | None, registered: str | None) -> str:
    where = f" of {shown(module)}" if module else ""
    alias = f" (registered as {shown(registered)})" if registered else ""
    mend = "" if module else "; or save the model as .keras, which says more than .h5"
    return (
        f"names the class {shown(name)}{where}{alias}, which is neither one of Keras's "
        "layers nor registered by this model's custom.py: write it there, with "
        f"@keras.saving.register_keras_serializable(){mend}"
    )


def _vet_value(inner: object) -> None:
    dtype = inner.get("dtype", "bool") if isinstance(inner, dict) else "bool"
    if not DTYPE.fullmatch(str(dtype)):
        raise Refused(f"has a value of type {shown(dtype)}: save it again")


def _vet_function(
    name: object, module: str | None, registered: str | None, allowed: frozenset[str]
) -> None:
    if name in allowed:
        return
    # Keras up to 3.6 wrote "swish" for what is registered as "Custom>swish".
    if module == "builtins" and any(own.endswith(f">{name}") for own in allowed):
        return
    known = name in FUNCTIONS and module in FUNCTION_MODULES
    if not known or registered not in (None, "function", name):
        raise Refused(
            f"names the function {shown(name)} of {shown(module)}, which is neither an "
            "activation, loss or metric of Keras nor registered by this model's "
            "custom.py: register it there"
        )


def _vet_vocabulary(name: str, config: dict[str, Any]) -> None:
    for key in ("vocabulary", "idf_weights"):
        if isinstance(config.get(key), str):
            raise Refused(
                f"has a {name} layer whose {key} is the file {shown(config[key])} "
                "outside the model: give the words as a list, or adapt() it, and save "
                "again"
            )


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


def vet_archive(path: Path, allowed: frozenset[str]) -> None:
    """Vet a .keras file and its configuration, not yet its weights."""
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
        vet_config(archive.read(CONFIG), allowed)


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
