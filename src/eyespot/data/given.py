"""Turn the arguments of a program (photos, lists of photos, labels) into `Photo`s and texts.

Anything else raises an error that says what was expected."""

import enum
import operator
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.photos import (
    FileSource,
    ImageSource,
    MemorySource,
    Photo,
    Source,
    Unreadable,
    label_of,
    printable,
)
from eyespot.errors import DatasetError, PhotoError, UsageError
from eyespot.limits import MAX_PHOTO_BYTES
from eyespot.shown import sentence, shown


class Array(Protocol):
    """What numpy can read: its own arrays, and tensors."""

    def __array__(self) -> NDArray[Any]: ...


PhotoLike = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Array | Image.Image
)
"""A path, an encoded file in memory, an open file, an array or tensor, a Pillow image."""
Label = str | bytes | int | float | enum.Enum
LONGEST_PATH = 4096
"""Characters; a longer text is the content of a file."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_CHANNELS = (1, 3, 4)


def photo_of(item: object, name: str = "photo") -> Photo:
    """One photo; `name` is for an item without a name.

    Raises PhotoError for an item of another type. A photo that cannot be read raises when it is
    read.
    """
    if isinstance(item, Photo):
        return item
    if isinstance(item, str | os.PathLike):
        path = os.fsdecode(item)
        if not 0 < len(path) <= LONGEST_PATH:
            return Photo(shown(path), Unreadable(f"is not a path: it has {len(path):,} characters"))
        if _ADDRESS.match(path):
            return Photo(printable(path), Unreadable("is a web address; download the file first"))
        return Photo(printable(path), FileSource(Path(path)))
    if isinstance(item, Image.Image):
        return Photo(name, ImageSource(item))
    if isinstance(item, bytes | bytearray | memoryview) and memoryview(item).ndim == 1:
        return Photo(name, MemorySource(bytes(item)))
    if hasattr(item, "read"):
        own = getattr(item, "name", None)
        return Photo(printable(own) if isinstance(own, str) else name, _read(item))
    source = _array(item)
    if source is None:
        kind = "None" if item is None else f"a {type(item).__name__}"
        more = "; predict_batch takes many" if isinstance(item, Iterable) else ""
        raise PhotoError(
            "expected one photo (a path, bytes, an open file, an array, an image), got "
            f"{kind}{more}"
        )
    return Photo(name, source)


def readable_photo(item: object, name: str) -> Photo:
    """As `photo_of`, for a batch that goes on: an item of another type is an Unreadable photo."""
    try:
        return photo_of(item, name)
    except PhotoError as error:
        return Photo(name, Unreadable(str(error)))


def named_photos(items: Iterable[object]) -> list[Photo]:
    """The photos of a list, with unique names. Raises DatasetError as `photo_of` raises."""
    out: list[Photo] = []
    seen: set[str] = set()
    for number, item in enumerate(items):
        try:
            photo = photo_of(item, f"photo {number}")
        except PhotoError as error:
            raise DatasetError(f"Photo {number}: {sentence(error)}") from error
        name = photo.name
        while name in seen:
            name = f"{name} ({number})"
        seen.add(name)
        out.append(replace(photo, name=name))
    return out


def many(photos: object) -> list[Any]:
    """The items of a list of photos, or of any other iterable.

    Raises DatasetError for a single photo and for unordered collections.
    """
    shape = getattr(photos, "shape", None)
    single = isinstance(photos, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(
        photos, "read"
    )
    if isinstance(shape, tuple):  # [N], [N, H, W] or [N, H, W, C]; not an image or a table
        single |= len(shape) in (0, 2) or (len(shape) == 3 and shape[-1] in _CHANNELS)
    if single or isinstance(photos, Mapping | Set) or not isinstance(photos, Iterable):
        raise DatasetError(
            f"Expected a list of photos, got {'None' if photos is None else type(photos).__name__}"
            f"{' ' + shown(photos) if isinstance(photos, str) else ''}. "
            "Put even a single photo into a list: [photo]"
        )
    return list(photos)


def label_texts(labels: object, count: int) -> list[str]:
    """The class of each of `count` photos as text: 1.0 is "1", b"cat" and " cat " are "cat".

    Raises DatasetError for items that are not labels, for another number of labels, and for
    different labels with the same text, as 1 and "1".
    """
    given: list[Any] | None = None
    if isinstance(labels, Iterable) and not isinstance(labels, str | bytes | Mapping | Set):
        given = list(labels) if len(_shape(labels)) < 2 else None
    if given is None or len(given) != count:
        got = "none" if labels is None else f"a {type(labels).__name__}"
        raise DatasetError(
            f"Expected a list with a label for each of {count} photos, got "
            f"{got if given is None else len(given)}."
        )
    kinds: dict[str, tuple[str, object]] = {}
    texts = []
    for number, label in enumerate(given):
        text, kind = _label_text(number, label)
        known, first = kinds.setdefault(text, (kind, label))
        if known != kind:
            raise DatasetError(
                f"Expected labels of one type; {shown(first)} and {shown(label)} would be one "
                "class. Use only texts or only numbers."
            )
        texts.append(text)
    return texts


def class_name(name: object) -> str:
    """The name of a class as text. Raises UsageError."""
    try:
        return _label_text(0, name)[0]
    except DatasetError as error:
        raise UsageError(
            f"Expected a name for a class, a text that is not empty; got {shown(name)}."
        ) from error


def whole_number(value: Any, meaning: str) -> int:
    """An integer of 1 or more. Raises UsageError, with its `meaning`, for anything else."""
    try:
        if not isinstance(value, bool | np.bool_) and (number := operator.index(value)) >= 1:
            return int(number)
    except TypeError:
        pass
    raise UsageError(f"{meaning}, 1 or more; got {shown(value)}.")


def path_of(value: object) -> Path:
    """A value as a path. Raises UsageError."""
    if isinstance(value, str | os.PathLike) and 0 < len(path := os.fsdecode(value)) <= LONGEST_PATH:
        return Path(path)
    raise UsageError(f"Expected the path of a file, got {shown(value)}.")


def _read(file: Any) -> Source:
    """The whole content of an open file, which may be closed or change before decoding."""
    try:
        if getattr(file, "seekable", bool)():
            file.seek(0)  # after writing an image, the position is at the end
        data = file.read(MAX_PHOTO_BYTES + 1)
        if isinstance(data, bytes | bytearray | memoryview):
            return MemorySource(bytes(data))
    except UnicodeDecodeError:
        data = ""
    except Exception as error:  # file-like objects may raise anything
        return Unreadable(f"the open file cannot be read: {shown(str(error))}")
    if isinstance(data, str):
        return Unreadable('the file is open as text; open it with the mode "rb"')
    if hasattr(data, "close"):
        data.close()  # a coroutine, never awaited
    return Unreadable(f"expected an open file of bytes, got a {type(data).__name__} from it")


def _array(item: Any) -> Source | None:
    """The pixels of an array or tensor; None for any other item."""
    torch = sys.modules.get("torch")
    try:
        if torch is not None and isinstance(item, torch.Tensor):
            item = item.detach().cpu()
            item = (item.float() if item.dtype == torch.bfloat16 else item).numpy()
        if isinstance(item, memoryview) or (hasattr(item, "__array__") and len(_shape(item)) > 1):
            item = np.asarray(item) if not isinstance(item, np.ma.MaskedArray) else item
    except Exception as error:
        return Unreadable(f"the array cannot be read: {shown(str(error))}")
    if not isinstance(item, np.ndarray) or (item.ndim == 1 and item.dtype.kind in "OSU"):
        return None
    if item.ndim == 4:
        return Unreadable(
            f"expected one image, got an array of {len(item)}; predict_batch takes many"
        )
    if np.ma.is_masked(item):
        return Unreadable("some values of the array are masked; fill them")
    if item.ndim == 3 and item.shape[0] in _CHANNELS and item.shape[2] not in _CHANNELS:
        return Unreadable(
            f"expected [H, W, 3], got the shape {item.shape}: move the channels to the end with "
            "transpose(1, 2, 0) in numpy or permute(1, 2, 0) in torch"
        )
    return MemorySource(np.asarray(item, item.dtype.newbyteorder("=")))


def _shape(item: object) -> Sequence[int]:
    shape = getattr(item, "shape", ())
    return shape if isinstance(shape, tuple) else ()


def _label_text(number: int, label: Any) -> tuple[str, str]:
    """A label as text, and its type: text or number."""
    given = label
    if isinstance(label, enum.Enum):
        label = label.value if isinstance(label.value, str) else label.name
    elif hasattr(label, "item") and _shape(label) == ():  # a numpy scalar or a tensor
        label = label.item()
    kind = "number"
    if isinstance(label, bytes):
        label = label.decode("utf-8", "surrogateescape")
    if isinstance(label, str):
        kind, text = "text", label_of(label.strip())
    elif {str(label), str(given)} & {"nan", "None", "<NA>", "NaT", "--"}:
        text = ""
    elif isinstance(label, float) and label.is_integer():
        text = str(int(label))
    elif isinstance(label, Real):
        text = str(label)
    else:
        raise DatasetError(
            f"Expected a text or a number as the label of photo {number}, got a "
            f"{type(given).__name__}, {shown(given)}. eyespot supports one label per photo."
        )
    if not text:
        raise DatasetError(
            f"Expected a label for photo {number}, got {shown(given)}. Label the photo, or remove "
            "it."
        )
    return text, kind
