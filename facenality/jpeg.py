"""How many scans a JPEG has, read off its markers without decoding it.

A scan of 31 bytes makes the decoder pass over the whole picture once more, so a small
file can keep it busy for minutes. Source: ITU-T T.81, annex B.
"""

import re

# A photograph has some thirty, a profile of colours up to 255. Pillow puts EXIF
# together anew with each of its segments.
MAX_SEGMENTS = 500

# In coded pixels 0xFF is followed by 0x00, or by a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = (0x01, 0xD8)  # markers without a length
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


BEGIN = b"\xff\xd8\xff"


def scans(data: bytes) -> int | None:
    """Of the first picture in `data`; None where there are too many segments to tell.

    Thumbnails inside segments do not count, nor do pictures behind the first one.
    """
    count, at = 0, 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return count
        at = found.end()
        marker = data[at - 1]
        if marker == _END_OF_IMAGE:
            return count
        count += marker == _START_OF_SCAN
        if marker not in _ALONE:
            at += int.from_bytes(data[at : at + 2])
    return None
