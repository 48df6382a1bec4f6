"""Protocol Buffers' wire format, as much of it as walking a SavedModel takes.

Written by hand so that a file can be judged before TensorFlow is imported.
Source: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
SKIPPED = {FIXED64: 8, FIXED32: 4}


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: an int, or the bytes of what has a length.

    Raises ValueError where the bytes are no message.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, position = _varint(message, position)
            yield number, value
        elif kind == LENGTH:
            length, position = _varint(message, position)
            end = position + length
            if end > len(message):
                raise ValueError("a field ends after its message")
            yield number, message[position:end]
            position = end
        elif kind in SKIPPED:
            position += SKIPPED[kind]
        else:
            raise ValueError(f"wire type {kind}")


def messages(message: memoryview, *path: int) -> Iterator[memoryview]:
    """Every message at `path`, field numbers from the outside in."""
    for number, value in fields(message):
        if number == path[0] and isinstance(value, memoryview):
            if path[1:]:
                yield from messages(value, *path[1:])
            else:
                yield value


def texts(message: memoryview, *path: int) -> list[str]:
    """Every string at `path`."""
    return [str(value, "utf-8", "replace") for value in messages(message, *path)]


def text(message: memoryview, number: int) -> str:
    """The string in a field that occurs at most once; "" without it."""
    found = texts(message, number)
    if len(found) > 1:
        raise ValueError(f"field {number} occurs twice")
    return found[0] if found else ""


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if position >= len(message):
            raise ValueError("a number ends after its message")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("a number of more than ten bytes")
