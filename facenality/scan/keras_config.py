"""What a Keras configuration would construct: Keras's classes, and no code.

Keras looks a class up by `registered_name` among what custom.py registered, then by
`module` and `class_name`; where there is no `module`, as in old files, by `class_name`
among the names of keras.layers. Each way is followed here. What only Keras 2 writes,
`keras2_layers` judges.
"""

import json
import re
from typing import Any

from . import keras2_layers
from .isolated import Refused, shown
from .library_names import defined_name, defining_module, exists

MAX_BYTES = 16 << 20  # NASNetLarge, the longest of keras.applications, takes 1 MiB
MAX_DEPTH = 200  # about fifty models within each other

FUNCTIONAL = "calls a function for each element: write it as a layer in custom.py"
CODE = {
    "Lambda": "is arbitrary code: rewrite it as a layer class in custom.py; or, if you "
    "trust the file, set allow_code = true in model.toml",
    "__lambda__": "is arbitrary code: write it as a registered function in custom.py; "
    "or, if you trust the file, set allow_code = true in model.toml",
    "TFSMLayer": "runs a SavedModel from another place: serve that one itself",
    "TorchModuleWrapper": "is unpickled, which runs code: rewrite it in Keras",
    "JaxLayer": "is arbitrary code: rewrite it as a layer class in custom.py",
    "FlaxLayer": "is arbitrary code: rewrite it as a layer class in custom.py",
    "KerasLayer": "runs a model of TensorFlow Hub from another place: export the whole "
    "model as a SavedModel, which contains it",
} | dict.fromkeys(
    (
        *("AssociativeScan", "Cond", "ForiLoop", "JVP", "Map", "Scan", "Switch"),
        *("VectorizedMap", "WhileLoop"),
    ),
    FUNCTIONAL,
)
LAMBDAS = ("Lambda", "__lambda__")
CODE_ALLOWED = "<code>"
"""Among the allowed names: the operator trusts this file's Lambda layers."""
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
HOMES = re.compile(
    r"keras\.src\.(activations|applications|constraints|dtype_policies|initializers"
    r"|layers|legacy\.layers|losses|metrics|models|ops|optimizers|quantizers|random"
    r"|regularizers)(\..+)?"
)
"""Where Keras defines what a model is made of, and nothing that reads or calls out."""

EXPORTING = (
    *("keras.layers", "keras", "keras.initializers", "keras.regularizers"),
    *("keras.constraints", "keras.dtype_policies", "keras.losses", "keras.metrics"),
    *("keras.optimizers", "keras._legacy.layers", "keras.src.models.functional"),
    "keras.src.layers.attention.grouped_query_attention",
)
"""Among whose names those without a module are looked up."""

KERAS_2 = re.compile(
    r"(keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras)"
    r"(\.src|\.api|\._v[12]|\.keras)*(\.(constraints|dtensor|engine|feature_column"
    r"|initializers|layers|legacy_tf_layers|losses|metrics|mixed_precision|models"
    r"|optimizers|regularizers|saving)(\.\w+)*)?"
)
FUNCTION_MODULES = ("keras.activations", "keras.losses", "keras.metrics")


def vet_config(
    text: str | bytes,
    allowed: frozenset[str],
    libraries: frozenset[str] = frozenset(),
) -> set[str]:
    """Refuse a configuration that names what runs code, or a class that is unknown.

    Known are Keras's classes, those that custom.py registered (`allowed`) and those of
    the packages in `libraries`. Returns the operations of TensorFlow that it names.
    """
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
    operations: set[str] = set()
    pending: list[tuple[Any, int]] = [(root, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise Refused(f"has a configuration nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            if "class_name" in value:
                operations |= _vet_object(value, allowed, libraries)
            pending += ((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            pending += ((inner, depth + 1) for inner in value)
    return operations


def _vet_object(
    made: dict[str, Any], allowed: frozenset[str], libraries: frozenset[str]
) -> set[str]:
    name, module = made["class_name"], made.get("module")
    registered = made.get("registered_name")
    if not all(isinstance(part, str | None) for part in (name, module, registered)):
        raise Refused("names a class by something that is no string: save it again")
    inner = made.get("config")
    if name in LAMBDAS and CODE_ALLOWED in allowed:
        return set()
    if name in CODE:
        raise Refused(_runs_code(name, inner))
    if name in VALUES and module is None:
        _vet_value(inner)
    elif name == "function":
        _vet_function(inner, module, registered, allowed)
    elif name in keras2_layers.NAMES and (not module or KERAS_2.fullmatch(module)):
        return keras2_layers.vet_layer(name, inner)
    elif not _is_allowed(name, module, registered, allowed, libraries):
        raise Refused(_unknown(name, module, registered, libraries))
    elif isinstance(inner, dict):
        _vet_vocabulary(name, inner)
    return set()


def _runs_code(name: str, config: object) -> str:
    called = config.get("name") if isinstance(config, dict) else None
    if name == "__lambda__":
        kind = "a lambda"
    elif CODE[name] == FUNCTIONAL:
        kind = f"the operation {name}"
    else:
        kind = f"a {name} layer"
    named = f" {shown(called)}" if isinstance(called, str) else ""
    return f"has {kind}{named}, which {CODE[name]}"


def _is_allowed(
    name: str | None,
    module: str | None,
    registered: str | None,
    allowed: frozenset[str],
    libraries: frozenset[str],
) -> bool:
    if not name:
        return False
    top = (module or "").partition(".")[0]
    if _is_keras_class(name, module):
        return registered in (None, name) or registered in allowed
    if top in libraries:
        return defining_module(module or "", name) is not None
    if top == "keras":
        return False  # else Keras would import the module, whatever was registered
    return name in allowed or registered in allowed


def _is_keras_class(name: str, module: str | None) -> bool:
    if module and module.startswith("keras") and exists(module):
        return _is_defined_by_keras(name, module)
    if module and module != "keras._legacy.layers" and not KERAS_2.fullmatch(module):
        return False
    if module == "keras._legacy.layers":
        return _is_defined_by_keras(name, module)
    return name in keras2_layers.GONE or any(
        _is_defined_by_keras(name, exporting) for exporting in EXPORTING
    )


def _is_defined_by_keras(name: str, module: str) -> bool:
    home = defining_module(module, name)
    is_code = defined_name(module, name) in CODE
    return home is not None and HOMES.fullmatch(home) is not None and not is_code


def _unknown(
    name: str, module: str | None, registered: str | None, libraries: frozenset[str]
) -> str:
    library = (module or "").partition(".")[0]
    if library in libraries and not exists(library):
        return (
            f"names the class {shown(name)} of {shown(module)}, and {shown(library)} "
            "is not installed here: install it"
        )
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
    known = isinstance(name, str) and _is_keras_function(name, module)
    if not known or registered not in (None, "function", name):
        raise Refused(
            f"names the function {shown(name)} of {shown(module)}, which is neither an "
            "activation, loss or metric of Keras nor registered by this model's "
            "custom.py: register it there"
        )


def _is_keras_function(name: str, module: str | None) -> bool:
    """Whether it is an activation, loss or metric, and none that makes others."""
    if name in ("deserialize", "get", "serialize"):
        return False
    if module != "builtins" and module not in FUNCTION_MODULES:
        return False
    modules = FUNCTION_MODULES if module == "builtins" else (module,)
    return any(defining_module(one, name, "def") for one in modules)


def _vet_vocabulary(name: str, config: dict[str, Any]) -> None:
    for key in ("vocabulary", "idf_weights"):
        if isinstance(config.get(key), str):
            raise Refused(
                f"has a {name} layer whose {key} is the file {shown(config[key])} "
                "outside the model: give the words as a list, or adapt() it, and save "
                "again"
            )
