"""What Keras says of a file that it cannot load -> one sentence for operators.

Keras repeats the configuration of the whole model, up to thousands of characters, and
what is wrong stands at the beginning or at the end of it.
"""

import re

MOST = 160  # characters of Keras's own words

_AGAIN = (
    "open it with the version that saved it and save it again there, as "
    "model.export('saved_model'), which needs no layers to be opened"
)
_WRITE = (
    "define {name} in custom.py beside the model, or install the library it is from"
)
_INSTALL = "install {name}, which it was built with"
_REWRITE = "write its function as a layer in custom.py, and save the model again"
_WHOLE = "save the whole model with model.save('model.keras')"
_CUT_SHORT = "the file is not what its own configuration says: copy or save it again"

# The layer whose configuration follows, outermost first: the last one is to blame.
_CONFIGURED = re.compile(
    r"deserializing class '(\w+)' using config=\{[^{}]*?'name': '([^']+)'"
)
_UNKNOWN = re.compile(r"(?:Unknown layer: |Could not locate class )'([^']+)'")
_NOT_IMPORTED = re.compile(
    r"class '(\w+)' because its parent module (\w+)[\w.]* cannot be imported"
)
_UNSAFE = re.compile(r"deserialization of a (?:`Lambda` layer|Python lambda)")
_ARGUMENTS = re.compile(r"keyword arguments passed to (\w+): \{'(\w+)'")
_ARGUMENT = re.compile(
    r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'"
)
_INSIDE = "Exception encountered: "  # behind a configuration, what is wrong in it
_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'> could not be deserialized")
_SHAPES = re.compile(
    r"could not be loaded|shape mismatch|[Ss]hape.*(?:expected|received)"
)


def sentence(said: str, saved_by: str | None) -> str:
    """What is wrong, in which layer, which version saved the file, and the fix.

    `said` is the text of Keras's exception, `saved_by` the version in the file.
    """
    by = f"; Keras {saved_by} saved it" if saved_by else ""
    what, fix = _explained(said)
    return f"{what}{by}: {fix}"


def _explained(said: str) -> tuple[str, str]:
    if _UNSAFE.search(said):
        return "it has a Lambda layer, whose code runs unseen", _REWRITE
    if "No model config found" in said:
        return "it holds weights without their model", _WHOLE
    if missing := _NOT_IMPORTED.search(said):
        what = f"its class {missing[1]} is of {missing[2]}, which is not installed"
        return what, _INSTALL.format(name=missing[2])
    if unknown := _UNKNOWN.search(said):
        what = f"its layer {unknown[1]} is none of this Keras"
        return what, _WRITE.format(name=unknown[1])
    layer = _layer(said)
    for pattern in (_ARGUMENTS, _ARGUMENT):
        if found := pattern.search(said):
            of = layer or found[1]
            return f"its layer {of} has the argument {found[2]!r}, unknown here", _AGAIN
    what = f"{layer and f'its layer {layer}: '}{_reason(said)}"
    return what, _CUT_SHORT if _SHAPES.search(said) else _AGAIN


def _layer(said: str) -> str:
    """Class and name of the innermost layer that is named; "" where none is."""
    if layers := _CONFIGURED.findall(said):
        kind, name = layers[-1]
        return f"{kind} {name!r}"
    classes = _CLASS.findall(said)
    return str(classes[-1]) if classes else ""


def _reason(said: str) -> str:
    """Keras's own words without the configuration."""
    said = said.rsplit(_INSIDE, 1)[-1]
    said = re.split(r"\s+(?:Full object )?config(?:=|: )", said, maxsplit=1)[0]
    plain = " ".join(said.split()).rstrip(".")
    return plain if len(plain) <= MOST else f"{plain[:MOST].rstrip()}…"
