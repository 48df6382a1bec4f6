"""Parses a long JSON text in pieces, so that other threads run in between.

A parser holds the interpreter from start to end, in whatever thread: 8 MiB of numbers
stopped the hub for a tenth of a second, and making an array of them for another.

Theory of operation. Vector operations, which release the interpreter, find the brackets
and commas outside of strings, and the depth of each. A list or object that is longer
than a piece is cut at its own commas. Each piece is parsed as a list or object of its
own; a piece with numbers only becomes an array at once. So a long list of numbers
becomes one array, joined from those of its pieces, instead of nested lists.
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
    """Pause the garbage collector, which would scan each new list again and again.

    If several threads are in such a block, the first one that leaves it ends the pause
    for all. That only costs time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


PIECE_BYTES = 64 * 1024  # takes about 2 ms to parse
MAX_DEPTH = 64  # of a long text; NumPy's arrays cannot have more axes

# 32 is the bit in which [ differs from { and ] from }.
_BRACE, _COMMA, _COLON, _QUOTE = 32, ord(","), ord(":"), ord('"')
_OPEN, _CLOSE = ord("{"), ord("}")
_BLANK = re.compile(rb"[ \t\n\r]*")
_EXACT = 2.0**53  # from here on float64 cannot represent every whole number

Parse = Callable[[bytes], Any]


class Marks:
    """Brackets and commas outside of strings: place, letter, and depth after each."""

    def __init__(self, text: bytes) -> None:
        letters = np.frombuffer(_unescaped(text), np.uint8)
        folded = letters | _BRACE
        marked = (folded == _OPEN) | (folded == _CLOSE) | (letters == _COMMA)
        quoted = text.rfind(b'"') + 1  # there are no strings after the last quote
        marked[:quoted] &= ~np.bitwise_xor.accumulate(letters[:quoted] == _QUOTE)
        self.places = np.flatnonzero(marked)
        self.letters = letters[self.places]
        folded = self.letters | _BRACE
        opens, closes = folded == _OPEN, folded == _CLOSE
        self.depths = np.cumsum(opens.astype(np.int8) - closes, dtype=np.int32)
        self.containers = np.count_nonzero(opens)
        self.keys = np.count_nonzero(letters == _COLON)  # also counts those in strings
        self.commas = np.count_nonzero(self.letters == _COMMA)


def _unescaped(text: bytes) -> bytes:
    """`text` with escaped quotes replaced; the length stays the same."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def loads(text: bytes, marks: Marks, parse: Parse) -> Any:
    """Parse `text` as JSON. Raises ValueError, and what `parse` raises."""
    if marks.depths.max(initial=0) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    return _Text(text, marks, parse).value(_Span(0, len(text), 0, len(marks.places)))


@dataclass(frozen=True)
class _Span:
    """text[start:end], which contains marks[low:high]."""

    start: int
    end: int
    low: int
    high: int

    @property
    def long(self) -> bool:
        return self.end - self.start > PIECE_BYTES

    @property
    def at_once(self) -> bool:
        """True if it is parsed as a whole: it is short, or cannot be cut."""
        return not self.long or self.low == self.high


class _Text:
    def __init__(self, text: bytes, marks: Marks, parse: Parse) -> None:
        self._text = text
        self._marks = marks
        self._parse = parse

    def value(self, span: _Span) -> Any:
        """The single value in `span`."""
        if span.at_once:
            return self._read(span.start, span.end)
        inner = self._inside(span)
        if self._marks.letters[span.low] == _OPEN:
            return self._object(inner)
        return _joined([self._members(piece) for piece in self._pieces(inner)])

    def _inside(self, span: _Span) -> _Span:
        """The text between the brackets, which must be the first and last marks."""
        marks, first, last = self._marks, span.low, span.high - 1
        begin, end = int(marks.places[first]), int(marks.places[last])
        if (
            marks.letters[last] != marks.letters[first] + 2  # ] behind [, } behind {
            or marks.depths[first:last].min() < marks.depths[first]
            or not self._blank(span.start, begin)
            or not self._blank(end + 1, span.end)
        ):
            raise ValueError(
                f"bytes {span.start} to {span.end} are not a list or an object"
            )
        return _Span(begin + 1, end, first + 1, last)

    def _pieces(self, inner: _Span) -> Iterator[_Span]:
        """The members in pieces; a member longer than a piece gets one of its own."""
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
            raise ValueError(
                f"a value is missing before the comma or bracket at byte {span.end}"
            )
        return span

    def _members(self, span: _Span) -> Array | list[Any]:
        """The members of a list in `span`."""
        if span.long:
            value = self.value(span)
            return value[np.newaxis] if isinstance(value, np.ndarray) else [value]
        with paused():
            members: list[Any] = self._read(span.start, span.end, b"[]")
            if self._has(span, b'"', b"{", b"n"):  # a string, an object or null
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
        """Parse text[start:end], preceded by around[:1], followed by around[1:]."""
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
    """An array if the lists have one shape and the numbers stay exact."""
    try:
        packed = np.asarray(members, "int64" if whole else "float64")
    except (ValueError, OverflowError):
        return members
    exact = np.abs(packed).max(initial=0) < _EXACT
    return packed if exact else members


def _joined(parts: list[Array | list[Any]]) -> Array | list[Any]:
    """One array if all parts are arrays of one shape, else a list of all members."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({part.shape[1:] for part in arrays}) == 1:
        return np.concatenate(arrays)
    members: list[Any] = []
    for part in parts:
        members += part.tolist() if isinstance(part, np.ndarray) else part
    return members
