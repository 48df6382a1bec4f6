"""A label -> the name of a folder, on any file system."""

import re
import unicodedata
from collections.abc import Iterable

_UNSAFE = re.compile(r"[^\w .+-]")  # \w: the letters and digits of any script
# Names that Windows keeps for devices, whatever comes after a dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MAX_BYTES = 100


def folders(labels: Iterable[str]) -> dict[str, str]:
    """A folder for each label; no two are the same, also where case does not count."""
    taken: set[str] = set()
    names = {}
    for label in sorted(set(labels)):
        name = plain = _safe(label)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names[label] = name
    return names


def _safe(label: str) -> str:
    text = _UNSAFE.sub("_", unicodedata.normalize("NFC", label))
    text = text.encode()[:MAX_BYTES].decode(errors="ignore")
    text = text.strip(" .") or "_"  # hidden, "..", or cut off by Windows
    return f"_{text}" if _DEVICE.fullmatch(text) else text
