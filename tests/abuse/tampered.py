"""Classifier files that somebody has tampered with, each with a zip that is in order otherwise."""

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

Members = Mapping[str, bytes]
DTYPES = ("BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "F32", "F64", "I64", "F8_E5M2")
ODD: tuple[Any, ...] = (
    None,
    7,
    -1,
    0,
    "x",
    "",
    [],
    {},
    [1, [2]],
    True,
    float("nan"),
    1e400,
    10**30,
    "../../../x",
)
NUMBERS = (np.nan, np.inf, -np.inf, 3e38, 1e-45, 0.0)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file of these members; a name may stand twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name that stands twice
        for name, data in content:
            entry = zipfile.ZipInfo(name)  # as it is: ZipFile would make names harmless
            entry.filename = name
            entry.compress_type = method
            archive.writestr(entry, data)
    return buffer.getvalue()


def replaced(whole: Members, name: str, data: bytes) -> bytes:
    return zipped([*{**whole, name: data}.items()])


def mutated_members(whole: Members) -> Iterator[tuple[str, bytes]]:
    """Every member empty, cut, doubled, of zeros, of rubbish, and in another's place."""
    rng = np.random.default_rng(0)
    for name, data in whole.items():
        odd = {
            "empty": b"",
            "cut": data[: len(data) // 2],
            "one byte short": data[:-1],
            "one byte long": data + b"\0",
            "doubled": data * 2,
            "zeros": bytes(len(data)),
            "rubbish": rng.bytes(len(data)),
            **{f"as {other}": content for other, content in whole.items() if other != name},
        }
        for what, content in odd.items():
            yield f"{name} {what}", replaced(whole, name, content)


def flipped_members(whole: Members, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Bytes of a member changed, and its checksum in the zip made right again."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        name = list(whole)[number % len(whole)]
        data = bytearray(whole[name])
        headers = min(len(data), 800)  # where most of what can be told stands
        for place in rng.integers(0, headers if number % 3 else len(data), 1 + number % 4):
            data[place] = rng.integers(256)
        yield f"flipped {number} {name}", replaced(whole, name, bytes(data))


def zip_tricks(whole: Members) -> Iterator[tuple[str, bytes]]:
    """Names and structures that a careless reader would trust."""
    normal = list(whole.items())
    for name, data in whole.items():
        yield f"{name} twice", zipped([*normal, (name, data)])
        yield f"{name} twice, the last empty", zipped([*normal, (name, b"")])
        yield f"{name} twice, the first empty", zipped([(name, b""), *normal])
        rest = [(other, content) for other, content in normal if other != name]
        yield f"{name} missing", zipped(rest)
        for odd in (f"/{name}", f"../{name}", f"./{name}", f"{name}/", name.upper(), f"{name}\0"):
            yield f"{odd!r} for {name}", zipped([*rest, (odd, data)])
    for name in ("/tmp/evil", "../../evil", "C:\\evil", "..\\evil", "x" * 60_000, "\u202egpj.exe"):
        yield f"beside it {name[:20]!r}", zipped([*normal, (name, b"evil")])
    yield "20,000 members", zipped([*normal, *((f"{n}", b"") for n in range(20_000))])
    file = zipped(normal)
    yield "after a program", b"#!/bin/sh\nexit\n" * 99 + file
    yield "before rubbish", file + bytes(70_000)
    yield "twice", file + file
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"packed by method {method}", zipped(normal, method)
    yield from _lies(file)


def _lies(file: bytes) -> Iterator[tuple[str, bytes]]:
    """Every field of the headers of every member, and of the end, becomes extreme."""
    for signature, length in ((b"PK\3\4", 30), (b"PK\1\2", 46), (b"PK\5\6", 22)):
        start = -1
        while (start := file.find(signature, start + 1)) >= 0:
            for field in range(4, length, 2):
                for value in (b"\0\0", b"\1\0", b"\xff\xff", b"\xff\x7f"):
                    data = bytearray(file)
                    data[start + field : start + field + 2] = value
                    yield f"{signature!r} at {start}: {value!r} at {field}", bytes(data)


def tensor_tricks(whole: Members, name: str) -> Iterator[tuple[str, bytes]]:
    """The arrays of a member: false headers, other types and shapes, numbers that are none."""
    data = whole[name]
    (length,) = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]

    def headed(new: Any) -> bytes:
        text = new if isinstance(new, bytes) else json.dumps(new).encode()
        return replaced(whole, name, struct.pack("<Q", len(text)) + text + body)

    for size in (0, 1, length - 1, length + 1, len(data), 2**31, 2**63, 2**64 - 1):
        yield f"{name} header of {size}", replaced(whole, name, struct.pack("<Q", size) + data[8:])
    deep = b"[" * 50_000
    for odd in (b"", b"null", b"{}", deep, b'{"__metadata__":{"a":1}}', b"\xff" * 99):
        yield f"{name} header {odd[:20]!r}", headed(odd)
    for key in header:
        if key == "__metadata__":
            continue
        about = header[key]
        first, last = about["data_offsets"]
        shapes: tuple[list[int], ...]
        shapes = ([], [0], [-1], [2**63], [2**32, 2**32], [*about["shape"], 1], [1, 1, 1, 1])
        places: tuple[list[int], ...]
        places = ([first, last + 4], [last, first], [-4, last], [0, 2**64], [first, 2**40], [])
        changes: list[dict[str, Any]] = [
            *({"dtype": dtype} for dtype in DTYPES),
            *({"shape": shape} for shape in shapes),
            *({"data_offsets": place} for place in places),
        ]
        for change in changes:
            yield f"{name} {key} {change}", headed({**header, key: {**about, **change}})
        yield f"{name} without {key}", headed({k: v for k, v in header.items() if k != key})
    yield from _values(whole, name)


def _values(whole: Members, name: str) -> Iterator[tuple[str, bytes]]:
    """Arrays of a right file with wrong content."""
    arrays = load(whole[name])
    casts: dict[str, Callable[[Any], Any]] = {
        "half": lambda a: a.astype(np.float16),
        "double": lambda a: a.astype(np.float64),
        "whole numbers": lambda a: np.nan_to_num(a).astype(np.int64),
        "bytes": lambda a: np.nan_to_num(a).astype(np.uint8),
        "truths": lambda a: a.astype(bool),
        "flat": lambda a: a.reshape(-1),
        "one more axis": lambda a: a[None],
        "turned": lambda a: np.ascontiguousarray(a.T),
        "none": lambda a: a[:0],
        "fewer": lambda a: a[: max(1, len(a) // 2)] if a.ndim else a,
        "one number": lambda a: np.zeros((), a.dtype),
    }
    for key, array in arrays.items():
        for what, cast in casts.items():
            with np.errstate(all="ignore"):
                odd = {**arrays, key: np.ascontiguousarray(cast(array))}
            yield f"{name} {key} as {what}", replaced(whole, name, save(odd))
        whole_number = array.dtype.kind in "iu"
        for number in (-1, 0, 2**31, 2**62) if whole_number else NUMBERS:
            for every in (True, False):
                changed = array.copy()
                with np.errstate(all="ignore"):
                    value = np.array(number).astype(array.dtype)
                changed.reshape(-1)[: None if every else 1] = value
                odd = {**arrays, key: changed}
                yield f"{name} {key} {number} {every}", replaced(whole, name, save(odd))


def manifest_tricks(whole: Members) -> Iterator[tuple[str, bytes]]:
    """Every entry of the manifest, down to the last, becomes something odd or is gone."""
    manifest = json.loads(whole["manifest.json"])

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        if path:
            yield path
        if path[:1] == ("metrics",) and len(path) > 1:
            return
        for key in value if isinstance(value, dict) else range(len(value[:2])):
            inner = value[key]
            if isinstance(inner, dict | list):
                yield from places(inner, (*path, key))
            else:
                yield (*path, key)

    for path in places(manifest):
        for odd in (..., *ODD):
            changed = json.loads(whole["manifest.json"])
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            if odd is ...:
                del inner[path[-1]]
            else:
                inner[path[-1]] = odd
            text = json.dumps(changed).encode()
            yield f"manifest {path} {odd!r}", replaced(whole, "manifest.json", text)
    for size in (0, -1, 100_000, 30_000, 2**31, 2**63):
        changed = {**manifest, "preprocessing": {**manifest["preprocessing"], "size": size}}
        text = json.dumps(changed).encode()
        yield f"images of {size}", replaced(whole, "manifest.json", text)
