"""Scalars over steps in TensorBoard's event files.

Written here because torch's writer needs 59 MB of packages (tensorboard and its dependencies), and
the writer of tensorboardX (1.6 MB with protobuf) runs in a thread that flushes late and loses
errors such as a full disk.

A file is a row of records (`tensorflow/core/lib/io/record_writer.h`): the length as uint64, its
masked CRC-32C, a message, the masked CRC-32C of that. The messages are `Event` of
`tensorflow/core/util/event.proto`; below, fields are given by their numbers there.
"""

import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

CASTAGNOLI = 0x82F63B78
"""The polynomial of CRC-32C, its bits reversed (RFC 3720, section 12.1)."""


class Events:
    """A new event file in `folder` for a run that continues after `step`.

    TensorBoard drops what earlier files have after `step`: a killed process lost that work. Raises
    OSError if the file cannot be written.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # TensorBoard reads files in the order of their names.
        name = f"events.out.tfevents.{time.time_ns():019}.{socket.gethostname()}"
        self._file = (folder / name).open("xb")
        self._write(_bytes(3, b"brain.Event:2"))
        self._write(_number(2, step + 1) + _bytes(7, _number(1, 1)))  # a session's START

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write values of `step` by their names, and flush them."""
        values = (
            _bytes(1, name.encode()) + b"\x15" + struct.pack("<f", value)
            for name, value in scalars.items()
        )
        self._write(_number(2, step) + _bytes(5, b"".join(_bytes(1, value) for value in values)))

    def close(self) -> None:
        self._file.close()

    def _write(self, event: bytes) -> None:
        message = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(message))
        self._file.write(length + _checksum(length) + message + _checksum(message))
        self._file.flush()


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth bit marks that more bytes follow."""
    more, last = value >> 7, value & 0x7F
    return bytes([last | 0x80]) + _varint(more) if more else bytes([last])


def _checksum(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (CASTAGNOLI if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
