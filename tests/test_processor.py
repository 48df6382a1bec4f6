"""What a processor says of itself, on x86 and Arm; and where nothing is said."""

import platform

import pytest

from facenality.cpu import features, has_amx, has_bfloat16


@pytest.mark.parametrize(
    ("cpuinfo", "found", "able"),
    [
        ("flags\t\t: fpu avx2 amx_bf16 sse\n", ("amx_bf16", "avx2"), True),
        ("model: x\nflags : avx avx512_bf16\n", ("avx", "avx512_bf16"), True),
        ("flags : fpu avx2 fma\n", ("avx2", "fma"), False),
        ("Features\t: fp asimd sve crc32\n", ("asimd", "sve"), False),
        ("", (), False),
        (None, (), False),
    ],
)
def test_the_extensions_that_count(tmp_path, cpuinfo, found, able):
    if cpuinfo is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc" / "cpuinfo").write_text(cpuinfo)
    assert features(tmp_path) == (platform.machine(), *found)
    assert has_bfloat16(tmp_path) == able
    assert has_amx(tmp_path) == ("amx_bf16" in found)
