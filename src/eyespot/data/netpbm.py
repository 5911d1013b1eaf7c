"""PBM, PGM and PPM files, plain or raw, with any maximum value.

Pillow reads most of them value by value in Python: 15 s for 3 million pixels of 16 bits. NumPy
takes a fraction of that. The formats: https://netpbm.sourceforge.net/doc/
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.cost import check_parts
from eyespot.errors import PhotoError

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([1-6])" + 2 * (_GAP + rb"(\d{1,10})"))
_LARGEST = re.compile(_GAP + rb"(\d{1,10})")
_HEADER_BYTES = 100_000
_COMMENT = re.compile(rb"#[^\r\n]*")
_SPACE = re.compile(rb"\s")
_DIGITS = re.compile(rb"[\s\d]*")
_MISSING_END = "the end of the image is missing"
_AT_ONCE = 1_000_000
"""Values, or bytes of text, that are read at a time."""


class Netpbm:
    """A PBM, PGM or PPM file; the constructor reads its header. Raises PhotoError."""

    def __init__(self, data: bytes) -> None:
        head = data[:_HEADER_BYTES]
        if not (found := _HEADER.match(head)):
            raise _damaged("its size is missing")
        sort, self.width, self.height = map(int, found.groups())
        self._is_plain, self._bits = sort < 4, sort in (1, 4)
        self._channels = 3 if sort in (3, 6) else 1
        self._largest = 1
        if not self._bits:
            if not (found := _LARGEST.match(head, found.end())):
                raise _damaged("its maximum value is missing")
            self._largest = int(found[1])
        if not self.width or not self.height or not 0 < self._largest < 2**16:
            raise _damaged(
                f"{self.width} x {self.height} pixels with values up to {self._largest:,}"
            )
        self._data, self._start = data, found.end()
        self._count = self.width * self.height * self._channels

    def read(self) -> Image.Image:
        """An image of mode L, RGB, or I;16 with 65,535 as white. Raises PhotoError."""
        values = self._read_bits() if self._bits else self._read_numbers()
        shape = (self.height, self.width, self._channels)
        return Image.fromarray(values.reshape(shape[: 2 + (self._channels > 1)]))

    def _read_bits(self) -> NDArray[np.uint8]:
        """The bits as 0 and 255; 1 is black."""
        if self._is_plain:
            digits = b"".join(self._text().split())
            self._expect(len(digits))
            bits = np.frombuffer(digits, np.uint8, self._count) - np.uint8(ord("0"))
            if bits.max() > 1:
                raise _damaged("expected digits of 0 and 1")
        else:
            row = -(-self.width // 8)
            packed = self._values(np.dtype(np.uint8), row * self.height)
            bits = np.unpackbits(packed.reshape(-1, row), axis=1, count=self.width)
        return (1 - bits) * np.uint8(255)

    def _read_numbers(self) -> NDArray[Any]:
        kind = np.dtype(">u2" if self._largest > 255 else "u1")
        values = self._plain(kind) if self._is_plain else self._values(kind, self._count)
        white = 65535 if self._channels == 1 and self._largest > 255 else 255
        if self._largest == white:
            return values.astype(values.dtype.newbyteorder("="), copy=False)
        # Values above the maximum are white.
        every = np.arange(1 << 8 * values.itemsize).clip(max=self._largest)
        scaled = np.rint(every / self._largest * white)
        table = scaled.astype(np.uint16 if white > 255 else np.uint8)
        out = np.empty(len(values), table.dtype)
        for start in range(0, len(values), _AT_ONCE):
            out[start : start + _AT_ONCE] = table[values[start : start + _AT_ONCE]]
        return out

    def _values(self, kind: np.dtype[Any], count: int) -> NDArray[Any]:
        """`count` numbers after the header and one space."""
        place = self._start + 1
        if len(self._data) < place + count * kind.itemsize:
            raise _damaged(_MISSING_END)
        return np.frombuffer(self._data, kind, count, place)

    def _text(self) -> bytes:
        """The digits and spaces of a plain file."""
        text = self._data[self._start :]
        check_parts(comments := text.count(b"#"))
        return _COMMENT.sub(b"", text) if comments else text

    def _plain(self, kind: np.dtype[Any]) -> NDArray[Any]:
        text = self._text()
        self._expect(len(text) // 2)
        values = np.empty(self._count, kind.newbyteorder("="))
        place = filled = 0
        while filled < len(values) and place < len(text):
            gap = _SPACE.search(text, place + _AT_ONCE)
            end = gap.start() if gap else len(text)
            part, place = text[place:end].strip(), end
            if not _DIGITS.fullmatch(part):
                raise _damaged("expected numbers")
            if part:
                numbers = np.fromstring(part, np.int64, sep=" ")[: len(values) - filled]
                if numbers.max(initial=0) > self._largest:
                    raise _damaged(f"a value is larger than {self._largest:,}")
                values[filled : filled + len(numbers)] = numbers
                filled += len(numbers)
        self._expect(filled)
        return values

    def _expect(self, there: int) -> None:
        if there < self._count:
            raise _damaged(_MISSING_END)


def _damaged(reason: str) -> PhotoError:
    return PhotoError(f"damaged or truncated PPM: {reason}")
