"""A long JSON text -> values, piece by piece, so that other threads run in between.

A parser holds the interpreter from beginning to end, in whatever thread: 8 MiB of
numbers stopped the hub for a tenth of a second, and making an array of them for
another.

Theory of operation. Vector operations, which hold nothing, find the brackets and commas
that are outside of strings, and how deep each lies. A list or object that is longer
than a piece is cut at its own commas. Each piece is parsed as a list or object of its
own, and where all in it are numbers it becomes an array at once; a long list of numbers
is such an array, put together from its pieces, in place of nested lists.

The garbage collector, which would look at each new list again and again.
"""

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array


@contextmanager
def paused() -> Iterator[None]:
    """Nothing is collected inside the block.

    Where threads have such blocks side by side, the end of the first ends it for all:
    it saves time, and nothing depends on it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


PIECE_BYTES = 64 * 1024  # some 2 ms
MAX_DEPTH = 64  # of a long text: NumPy's arrays have no more axes

# 32 is the bit in which [ differs from { and ] from }.
_BRACE, _COMMA, _COLON, _QUOTE = 32, ord(","), ord(":"), ord('"')
_OPEN, _CLOSE = ord("{"), ord("}")
_BLANK = re.compile(rb"[ \t\n\r]*")
_EXACT = 2.0**53  # from here on a float64 leaves whole numbers out

Parse = Callable[[bytes], Any]


class Marks:
    """Brackets and commas outside of strings: where, which, and how deep behind it."""

    def __init__(self, text: bytes) -> None:
        letters = np.frombuffer(_unescaped(text), np.uint8)
        folded = letters | _BRACE
        marked = (folded == _OPEN) | (folded == _CLOSE) | (letters == _COMMA)
        quoted = text.rfind(b'"') + 1  # behind it there are no strings
        marked[:quoted] &= ~np.bitwise_xor.accumulate(letters[:quoted] == _QUOTE)
        self.places = np.flatnonzero(marked)
        self.letters = letters[self.places]
        folded = self.letters | _BRACE
        opens, closes = folded == _OPEN, folded == _CLOSE
        self.depths = np.cumsum(opens.astype(np.int8) - closes, dtype=np.int32)
        self.containers = np.count_nonzero(opens)
        self.keys = np.count_nonzero(letters == _COLON)  # in strings, too
        self.commas = np.count_nonzero(self.letters == _COMMA)


def _unescaped(text: bytes) -> bytes:
    """As long as `text`, without quotes that end no string."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def loads(text: bytes, marks: Marks, parse: Parse) -> Any:
    """`text` as JSON. Raises ValueError, and what `parse` raises, for what is none."""
    if marks.depths.max(initial=0) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    return _Text(text, marks, parse).value(_Span(0, len(text), 0, len(marks.places)))


@dataclass(frozen=True)
class _Span:
    """text[start:end], in which lie marks[low:high]."""

    start: int
    end: int
    low: int
    high: int

    @property
    def long(self) -> bool:
        return self.end - self.start > PIECE_BYTES

    @property
    def at_once(self) -> bool:
        """Whether it is parsed as it stands: it is short, or cannot be cut."""
        return not self.long or self.low == self.high


class _Text:
    def __init__(self, text: bytes, marks: Marks, parse: Parse) -> None:
        self._text = text
        self._marks = marks
        self._parse = parse

    def value(self, span: _Span) -> Any:
        """The one value that stands there."""
        if span.at_once:
            return self._read(span.start, span.end)
        inner = self._inside(span)
        if self._marks.letters[span.low] == _OPEN:
            return self._object(inner)
        return _joined([self._members(piece) for piece in self._pieces(inner)])

    def _inside(self, span: _Span) -> _Span:
        """What is between the brackets, which must be the first and the last there."""
        marks, first, last = self._marks, span.low, span.high - 1
        begin, end = int(marks.places[first]), int(marks.places[last])
        if (
            marks.letters[last] != marks.letters[first] + 2  # ] behind [, } behind {
            or marks.depths[first:last].min() < marks.depths[first]
            or not self._blank(span.start, begin)
            or not self._blank(end + 1, span.end)
        ):
            raise ValueError(f"no list or object in bytes {span.start} to {span.end}")
        return _Span(begin + 1, end, first + 1, last)

    def _pieces(self, inner: _Span) -> Iterator[_Span]:
        """Members in pieces; what is longer than one is a single member."""
        marks, low, high = self._marks, inner.low, inner.high
        own = marks.depths[low:high] == marks.depths[low - 1]
        commas = low + np.flatnonzero(own & (marks.letters[low:high] == _COMMA))
        cuts = marks.places[commas]
        start, nth = inner.start, 0
        while nth < len(cuts) and inner.end - start > PIECE_BYTES:
            within = int(np.searchsorted(cuts, start + PIECE_BYTES, "right")) - 1
            cut = max(within, nth)
            yield self._some(_Span(start, int(cuts[cut]), low, int(commas[cut])))
            start, low, nth = int(cuts[cut]) + 1, int(commas[cut]) + 1, cut + 1
        if nth or not self._blank(start, inner.end):
            yield self._some(_Span(start, inner.end, low, high))

    def _some(self, span: _Span) -> _Span:
        if self._blank(span.start, span.end):
            raise ValueError(f"nothing before the comma or bracket at byte {span.end}")
        return span

    def _members(self, span: _Span) -> Array | list[Any]:
        """Of a list."""
        if span.long:
            value = self.value(span)
            return value[np.newaxis] if isinstance(value, np.ndarray) else [value]
        with paused():
            members: list[Any] = self._read(span.start, span.end, b"[]")
            if self._has(span, b'"', b"{", b"n"):  # a text, an object, null
                return members
            return _packed(members, whole=not self._has(span, b".", b"e", b"E"))

    def _has(self, span: _Span, *letters: bytes) -> bool:
        return any(self._text.find(one, span.start, span.end) >= 0 for one in letters)

    def _object(self, inner: _Span) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for span in self._pieces(inner):
            if span.at_once:
                whole |= self._read(span.start, span.end, b"{}")
                continue
            begin = int(self._marks.places[span.low])
            (key,) = self._read(span.start, begin, b"{null}")
            whole[key] = self.value(_Span(begin, span.end, span.low, span.high))
        return whole

    def _read(self, start: int, end: int, around: bytes = b"") -> Any:
        """text[start:end], between the first letter of `around` and the others."""
        text = self._text[start:end]
        if around:
            text = around[:1] + text + around[1:]
        try:
            return self._parse(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{error.msg}: byte {start + error.pos}") from None

    def _blank(self, start: int, end: int) -> bool:
        return _BLANK.fullmatch(self._text, start, end) is not None


def _packed(members: list[Any], *, whole: bool) -> Array | list[Any]:
    """An array, where the lists fit together and it has the very same numbers."""
    try:
        packed = np.asarray(members, "int64" if whole else "float64")
    except (ValueError, OverflowError):
        return members
    exact = np.abs(packed).max(initial=0) < _EXACT
    return packed if exact else members


def _joined(parts: list[Array | list[Any]]) -> Array | list[Any]:
    """One array where all are and fit together, else a list of all members."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({part.shape[1:] for part in arrays}) == 1:
        return np.concatenate(arrays)
    members: list[Any] = []
    for part in parts:
        members += part.tolist() if isinstance(part, np.ndarray) else part
    return members
