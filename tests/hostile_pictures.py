"""Pictures that cost far more than they weigh; each is made here, in memory.

`python tests/hostile_pictures.py` decodes each in a fresh process, through the real
decode function, and prints what it cost. It forks: not for a process with TensorFlow.
"""

import io
import json
import os
import resource
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

SIDE = 5000  # 25 megapixels
SPEC_SIDE = 224


def saved(form: str, mode: str, size: tuple[int, int], **more: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, form, **more)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def png(
    size: tuple[int, int], kind: int, depth: int, row: int, *more: bytes, lace: int = 0
) -> bytes:
    """All zeros, with rows of so many bytes, and more chunks before the pixels."""
    head = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, lace)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(row + 1)) for _ in range(size[1]))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            *more,
            chunk(b"IDAT", pixels + packer.flush()),
            chunk(b"IEND", b""),
        ]
    )


def small_png(*more: bytes) -> bytes:
    return png((8, 8), 2, 8, 24, *more)


@cache
def squeezed() -> bytes:
    """250 MB of zeros."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(250)]
    return b"".join(parts) + packer.flush()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(*more: bytes) -> bytes:
    plain = saved("JPEG", "RGB", (64, 64))
    return plain[:2] + b"".join(more) + plain[2:]


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan, 31 bytes, stands there `count` times."""
    plain = saved("JPEG", "L", (4000, 4000), progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * count + plain[-2:]


def apart(side: int) -> bytes:
    """Baseline, but a scan for each colour: kept in memory as progressive ones are."""
    grey = saved("JPEG", "L", (side, side))
    frame, start = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    tables = grey[grey.index(b"\xff\xc4") : start]
    quality = grey[grey.index(b"\xff\xdb") : frame]
    parts = b"".join(bytes([n, 0x11, 0]) for n in (1, 2, 3))
    three = segment(0xC0, struct.pack(">BHHB", 8, side, side, 3) + parts)
    pixels = grey[start + 10 : -2]
    one = [segment(0xDA, bytes([1, n, 0, 0, 63, 0])) + pixels for n in (1, 2, 3)]
    return b"\xff\xd8" + quality + three + tables + b"".join(one) + b"\xff\xd9"


def gif(*before: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    plain = saved("GIF", "P", size)
    at = plain.index(b"\x2c", 13 + 3 * 2 ** ((plain[10] & 7) + 1))
    return plain[:at] + b"".join(before) + plain[at:]


def frames(form: str, count: int, size: tuple[int, int], **more: Any) -> bytes:
    stream = io.BytesIO()
    colours = [Image.new("RGB", size, (i % 256, i // 256, 7)) for i in range(count)]
    colours[0].save(stream, form, save_all=True, append_images=colours[1:], **more)
    return stream.getvalue()


def bmp(size: tuple[int, int], bits: int, compression: int, pixels: bytes) -> bytes:
    palette = bytes(1024) if bits <= 8 else b""
    at = 54 + len(palette)
    head = struct.pack(
        "<IiiHHIIiiII", 40, *size, 1, bits, compression, len(pixels), 0, 0, 0, 0
    )
    return struct.pack("<2sIHHI", b"BM", at + len(pixels), 0, 0, at) + (
        head + palette + pixels
    )


def exif(entries: int) -> bytes:
    body = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, entries)
    return body + struct.pack(">HHII", 0x0112, 3, 1, 6 << 16) * entries


def rationals(count: int) -> bytes:
    """EXIF whose orientation is that many fractions."""
    head = struct.pack(">IHHHIII", 8, 1, 0x0112, 5, count, 26, 0)
    return b"MM\0*" + head + b"\0\0\0\1\0\0\0\2" * count


def webp_header(width: int, height: int) -> bytes:
    """Lossless, and nothing behind its header."""
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(8)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


FULL = (SIDE, SIDE)
MANY = 1_200_000

# What it is -> how it is made, and whether it may be refused or must be answered.
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG, 25 MP": (lambda: png(FULL, 2, 8, 3 * SIDE), "answered"),
    "PNG, 25 MP, alpha": (lambda: png(FULL, 6, 8, 4 * SIDE), "answered"),
    "PNG, 25 MP, 16 bits of grey": (lambda: png(FULL, 0, 16, 2 * SIDE), "answered"),
    "PNG, 25 MP, 16 bits a colour": (lambda: png(FULL, 2, 16, 6 * SIDE), "answered"),
    "PNG, 25 MP, grey and alpha": (lambda: png(FULL, 4, 8, 2 * SIDE), "answered"),
    "PNG, 25 MP, transparent palette": (
        lambda: png(
            FULL, 3, 8, SIDE, chunk(b"PLTE", bytes(768)), chunk(b"tRNS", bytes(256))
        ),
        "answered",
    ),
    "PNG, 25 MP, transparent colour": (
        lambda: png(FULL, 2, 8, 3 * SIDE, chunk(b"tRNS", bytes(6))),
        "answered",
    ),
    "PNG, 1 bit, 16384 wide": (
        lambda: png((16_384, 1_500), 0, 1, 2_048),
        "answered",
    ),
    "PNG, 60000 x 60000": (lambda: png((60_000, 60_000), 2, 8, 0), "too_large"),
    "PNG, zTXt of 250 MB": (
        lambda: small_png(chunk(b"zTXt", b"a\0\0" + squeezed())),
        "any",
    ),
    "PNG, iCCP of 250 MB": (
        lambda: small_png(chunk(b"iCCP", b"a\0\0" + squeezed())),
        "any",
    ),
    "PNG, iTXt of 250 MB": (
        lambda: small_png(chunk(b"iTXt", b"a\0\1\0\0\0" + squeezed())),
        "any",
    ),
    "PNG, 1,200,000 chunks": (lambda: small_png(chunk(b"abCd", b"") * MANY), "any"),
    "PNG, 500,000 texts": (
        lambda: small_png(chunk(b"tEXt", b"a\0b") * 500_000),
        "any",
    ),
    "JPEG, 64 MP": (lambda: saved("JPEG", "RGB", (8000, 8000)), "answered"),
    "JPEG, 64 MP, CMYK": (lambda: saved("JPEG", "CMYK", (8000, 8000)), "answered"),
    "JPEG, 64 MP, a scan for each colour": (lambda: apart(8000), "too_large"),
    "JPEG, 16 MP, a scan for each colour": (lambda: apart(4000), "answered"),
    "JPEG, 16 MP, progressive, 4:4:4": (
        lambda: saved("JPEG", "RGB", (4000, 4000), progressive=True, subsampling=0),
        "answered",
    ),
    "JPEG, 16 MP, progressive, CMYK": (
        lambda: saved("JPEG", "CMYK", (4000, 4000), progressive=True),
        "answered",
    ),
    "JPEG, 16 MP, 90 scans": (lambda: scans(84), "answered"),
    "JPEG, 16 MP, 5,000 scans": (lambda: scans(5000), "too_large"),
    "JPEG, 3,900,000 comments": (lambda: jpeg(segment(0xFE, b"") * 3_900_000), "any"),
    "JPEG, EXIF of 65,000 entries": (
        lambda: jpeg(segment(0xE1, exif(5_400))),
        "answered",
    ),
    "JPEG, EXIF in 47,000 segments": (
        lambda: jpeg(segment(0xE1, b"Exif\0\0" + b"x" * 82) * 47_000),
        "too_large",
    ),
    "JPEG, EXIF in 160,000 segments": (
        lambda: jpeg(segment(0xE1, b"Exif\0\0" + b"x" * 82) * 160_000),
        "too_large",
    ),
    "JPEG, EXIF in 450 segments": (
        lambda: jpeg(segment(0xE1, b"Exif\0\0" + b"x" * 34_000) * 450),
        "answered",
    ),
    "PNG, EXIF orientation of 1,900,000 values": (
        lambda: small_png(chunk(b"eXIf", rationals(1_900_000))),
        "answered",
    ),
    "JPEG, 255 pieces of ICC": (
        lambda: jpeg(
            *(
                segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(60_000))
                for n in range(1, 256)
            )
        ),
        "answered",
    ),
    "GIF, 25 MP": (lambda: saved("GIF", "P", FULL), "answered"),
    "GIF, 25 MP, transparent": (
        lambda: saved("GIF", "P", FULL, transparency=0),
        "answered",
    ),
    "GIF, 5,000 frames": (lambda: frames("GIF", 5000, (16, 16)), "answered"),
    "GIF, 5,000,000 extensions": (lambda: gif(b"\x21\xfe\0" * 5_000_000), "any"),
    "GIF, a comment of 7,000,000 pieces": (
        lambda: gif(b"\x21\xfe" + b"\x01a" * 7_000_000 + b"\0"),
        "any",
    ),
    "WebP, 50 MP in 2 KB": (
        lambda: saved("WEBP", "RGB", (7000, 7100), lossless=True, method=0),
        "too_large",
    ),
    "WebP, 25 MP, lossless, alpha": (
        lambda: saved("WEBP", "RGBA", FULL, lossless=True, method=0),
        "too_large",
    ),
    "WebP, 16 MP, lossy": (
        lambda: saved("WEBP", "RGB", (4000, 4000), method=0),
        "answered",
    ),
    "WebP, 16 MP, lossless, alpha": (
        lambda: saved("WEBP", "RGBA", (4000, 4000), lossless=True, method=0),
        "answered",
    ),
    "WebP, 268 MP, header only": (lambda: webp_header(16_383, 16_383), "any"),
    "WebP, 300 frames": (
        lambda: frames("WEBP", 300, (400, 400), method=0),
        "answered",
    ),
    "BMP, 25 MP, 15 MiB of it": (
        lambda: bmp(FULL, 24, 0, bytes(15 << 20)),
        "broken_image",
    ),
    "BMP, 1 bit, 16384 wide": (
        lambda: bmp((16_384, 1_500), 1, 0, bytes(2_048 * 1_500)),
        "answered",
    ),
    "BMP, run lengths, 25 MP": (
        lambda: bmp(FULL, 8, 1, (b"\xff\0" * 19 + b"\x9b\0\0\0") * SIDE + b"\0\1"),
        "answered",
    ),
    "BMP, 7,000,000 runs of one": (
        lambda: bmp((3500, 2000), 8, 1, b"\x01\0" * 7_000_000),
        "any",
    ),
    "BMP, 3,000,000 steps aside": (
        lambda: bmp((5000, 5000), 8, 1, b"\0\2\1\0" * 3_000_000),
        "any",
    ),
    "BMP, -2147483648 high": (
        lambda: bmp((9, -(2**31)), 24, 0, bytes(100)),
        "any",
    ),
}


def cost(data: bytes) -> dict[str, Any]:
    """Decode in a child of its own: what came out, its CPU seconds, its extra MiB."""
    from facenality.errors import FacenalityError
    from facenality.spec import ImageSpec
    from facenality.tasks import image_decode

    spec = ImageSpec("RGB", SPEC_SIDE, SPEC_SIDE, "bilinear", "stretch", "tf")
    ours, theirs = os.pipe()
    if child := os.fork():
        os.close(theirs)
        with os.fdopen(ours) as stream:
            said = stream.read()
        _, status = os.waitpid(child, 0)
        return json.loads(said) if said else {"outcome": f"died: {status}"}
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    before = _memory("VmRSS")
    try:
        image_decode.decode(data, spec)
        outcome = "answered"
    except FacenalityError as error:
        outcome = error.code
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "outcome": outcome,
        "seconds": round(used.ru_utime + used.ru_stime, 3),
        "mebibytes": round(_memory("VmHWM") - before, 1),
    }
    os.write(theirs, json.dumps(said).encode())
    os._exit(0)


def _memory(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def main() -> None:
    """A line of JSON for each, or a table."""
    as_json = sys.argv[1:2] == ["--json"]
    if not as_json:
        print("| picture | bytes | came to | CPU seconds | extra MiB |")
        print("|---|---|---|---|---|")
    for name in sys.argv[1 + as_json :] or BOMBS:
        data = BOMBS[name][0]()
        got = {"name": name, "bytes": len(data), **cost(data)}
        cells = " | ".join(map(str, got.values()))
        print(json.dumps(got) if as_json else f"| {cells} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
