"""Colour profiles, made on the spot: ICC.1:2022, version 2 of the format, matrices and a gamma."""

import struct

D50 = (0.9642, 1.0, 0.8249)
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
ADOBE_RGB = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))


def rgb_profile(primaries: tuple[tuple[float, ...], ...], gamma: float = 2.2) -> bytes:
    """A profile of a display with these primaries, in XYZ under D50."""
    colours = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True))
    tags = {name: _xyz(colour) for name, colour in colours.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma))
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def _xyz(colour: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in colour))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(83),
        b"wtpt": _xyz(D50),
        **tags,
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    size = start + len(body)
    header = struct.pack(">I4sI", size, b"\0\0\0\0", 0x02100000) + b"mntr" + space + b"XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + _xyz(D50)[8:] + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body
