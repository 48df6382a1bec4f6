"""Broken files made from good ones. Case n is the same in every run, anywhere."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from hostile_pictures import bmp, frames

ROOT = Path(__file__).parents[1]
NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31)
LAYOUTS = ("<H", ">H", "<I", ">I")

JSON = (
    b'{"image":"iVBORw0KGgoAAAANSUhEUg=="}',
    b'{"image":"data:image/png;base64,iVBORw0KGgo="}',
    b'{"instances":[[0.5,-1e-3,7,1e300],[1,2,3,4]]}',
    b'{"instances":["iVBORw0KGgo=",{"b64":"AAAA"},null,true,[[[1]]]]}',
    b'{"instances":[{"a":[1,2],"b":[3,4]}]}',
    b'{"text":"caf\\u00e9 \\ud83d\\ude00 \xc3\xa9"}',
    b'{"url":"https://example.com/a.png"}',
)
TOKENS = (
    *(b'[ ] { } , : " \\ null true NaN Infinity -0 1e400 1e-400 -1 0.1 []'.split()),
    *(b"\xef\xbb\xbf \xff \xed\xa0\x80 \\ud800 \\udc00 \\u0000 \\n {} 01 1.".split()),
    b"9" * 30,
    b"9" * 5000,
    b"[" * 300,
    b"[" * 3000,
    b"]" * 300,
    b'"image":',
    b'"instances":',
)
CARD = b"""
task = "image-classification"
labels = ["red", "green", "blue"]
output = "probability"
preprocess = "unit"
max_batch_size = 8
tolerance = 1e-3
[image]
mode = "RGB"
size = [24, 24]
resize = "bilinear"
fit = "stretch"
"""
WORDS = (
    *(b"[] {} [image] [[image]] inf nan -1 1e400 0x10 1979-05-27 true".split()),
    *(b'"" \'\' """ = \\u0000 \\ud800 \xff . "../x" "imagenet" labels size'.split()),
    b"9" * 5000,
    b"[" * 3000,
    b"a." * 3000,
    b'"tensor"',
    b'"text-classification"',
    b'"image-regression"',
)


def pictures() -> list[bytes]:
    """Small, in every format and nearly every way to write it."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (30, 40, 4), "uint8")
    rough = Image.fromarray(noise)
    clouds = rough.resize((48, 36), Image.Resampling.BICUBIC, (0, 0, 8, 6))
    made = [bmp((40, 30), 8, 1, (b"\x28\x07\0\0") * 30 + b"\0\1")]
    made += [frames(form, 3, (24, 18)) for form in ("GIF", "WEBP", "PNG")]
    exif = Image.Exif()
    exif[0x0112] = 6
    for image in (rough, clouds):
        for form, mode, more in (
            ("PNG", "RGB", {}),
            ("PNG", "RGBA", {"exif": exif}),
            ("PNG", "LA", {}),
            ("PNG", "1", {}),
            ("PNG", "P", {"transparency": 3}),
            ("JPEG", "RGB", {"exif": exif}),
            ("JPEG", "L", {"progressive": True}),
            ("JPEG", "CMYK", {}),
            ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
            ("JPEG", "RGB", {"restart_marker_blocks": 2}),
            ("MPO", "RGB", {}),
            ("WEBP", "RGB", {"exif": exif}),
            ("WEBP", "RGBA", {"lossless": True}),
            ("WEBP", "RGBA", {"quality": 40}),
            ("GIF", "P", {"transparency": 3}),
            ("GIF", "L", {"interlace": 1}),
            ("BMP", "RGB", {}),
            ("BMP", "P", {}),
            ("BMP", "1", {}),
            ("BMP", "RGBA", {}),
        ):
            stream = io.BytesIO()
            image.convert("RGB").convert(mode).save(stream, form, **more)
            made.append(stream.getvalue())
    wide = io.BytesIO()
    Image.fromarray(noise[..., 0].astype("uint16") << 8).save(wide, "PNG")
    return [*made, wide.getvalue()]


def picture(case: int, seeds: list[bytes]) -> bytes:
    """A broken picture; half of the PNGs get their checksums mended."""
    chance = Random(case)
    data = mutated(chance.choice(seeds), seeds, chance)
    if data.startswith(b"\x89PNG") and chance.random() < 0.5:
        return checksummed(data)
    return data


def text(case: int, seeds: tuple[bytes, ...], tokens: tuple[bytes, ...]) -> bytes:
    """Broken text: bytes as above, and words where they do not belong."""
    chance = Random(case)
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randint(0, len(data))
        until = min(len(data), at + chance.choice((0, 0, 1, 4)))
        data = data[:at] + chance.choice(tokens) + data[until:]
    return mutated(data, list(seeds), chance) if chance.random() < 0.3 else data


def mutated(data: bytes, seeds: list[bytes], chance: Random) -> bytes:
    """`data` after one to eight changes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if changed:
            chance.choice(CHANGES)(changed, seeds, chance)
    return bytes(changed)


def _bit(data: bytearray, _: list[bytes], chance: Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _byte(data: bytearray, _: list[bytes], chance: Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _head(data: bytearray, _: list[bytes], chance: Random) -> None:
    data[chance.randrange(min(len(data), 64))] = chance.randrange(256)


def _number(data: bytearray, _: list[bytes], chance: Random) -> None:
    layout = chance.choice(LAYOUTS)
    number = chance.choice(NUMBERS) % 2 ** (8 * struct.calcsize(layout))
    at = chance.randrange(len(data))
    data[at : at + struct.calcsize(layout)] = struct.pack(layout, number)


def _cut(data: bytearray, _: list[bytes], chance: Random) -> None:
    del data[chance.randrange(len(data)) :]


def _lose(data: bytearray, _: list[bytes], chance: Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randint(1, 40)]


def _repeat(data: bytearray, _: list[bytes], chance: Random) -> None:
    at = chance.randrange(len(data))
    part = data[at : at + chance.randint(1, 60)]
    data[at:at] = part * chance.choice((1, 1, 2, 50))


def _splice(data: bytearray, seeds: list[bytes], chance: Random) -> None:
    other = chance.choice(seeds)
    start, at = chance.randrange(len(other)), chance.randrange(len(data))
    data[at : at + chance.randint(0, 40)] = other[start : start + chance.randint(1, 80)]


CHANGES: tuple[Callable[[bytearray, list[bytes], Random], None], ...] = (
    _bit,
    _byte,
    _head,
    _number,
    _cut,
    _lose,
    _repeat,
    _splice,
)


def checksummed(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them now."""
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at += 12 + length
    return b"".join(parts)
