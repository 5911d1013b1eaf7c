"""Write the images that a task makes of photos and their predictions."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.cli.outputs import (
    check_folder,
    check_outputs,
    identities,
    identity,
    numbered_files,
    write_jpeg,
)
from eyespot.cli.show import say
from eyespot.errors import PhotoError, UsageError
from eyespot.shown import printable, sentence

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.tasks.protocol import Prediction, Task

MOST = 100_000
"""Images of labels, such as crops, that one command writes."""


@dataclass
class Images:
    """`folders`: by option of the task's `images`; perhaps none.

    An image of a whole photo is FOLDER/NUMBER-NAME.jpg, and one of a label
    FOLDER/LABEL/NUMBER-NAME-COUNT.jpg.
    """

    model: "Task"
    photos: "Sequence[Photo]"
    folders: Mapping[str, Path]
    _written: int = field(default=0, init=False)

    def check(self) -> None:
        """Raises UsageError where a folder cannot be written, or a photo would be replaced."""
        for folder in self.folders.values():
            files = numbered_files(self.photos, folder, ".jpg")
            if files:
                check_folder(folder, files[0].name)
            check_outputs(files, photos=self.photos)

    def write(self, predictions: "Iterable[Prediction]") -> "Iterator[Prediction]":
        """The predictions, one for each photo and in their order; yields each when its images are
        written. Raises UsageError if one would replace a photo, and OSError."""
        if not self.folders:
            yield from predictions
            return
        photos = identities(self.photos)
        names = [file.stem for file in numbered_files(self.photos, Path(), ".jpg")]
        for photo, name, one in zip(self.photos, names, predictions, strict=True):
            if not one.error:
                self._write_photo(photo, name, one, photos)
            yield one
        if self._written >= MOST:
            say(f"Note: only the first {MOST:,} crops were written.", file=sys.stderr)

    def _write_photo(
        self, photo: "Photo", name: str, prediction: Any, photos: set[tuple[int, int]]
    ) -> None:
        from PIL import Image

        from eyespot.data.decode import decode

        try:
            image = Image.fromarray(decode(photo.read()).pixels)
        except PhotoError as error:  # it was readable before
            say(printable(f"{photo.name} was not drawn: {sentence(error)}"), file=sys.stderr)
            return
        chosen = dict.fromkeys(self.folders, True)
        numbers: Counter[str] = Counter()
        for option, label, made in self.model.images(image, prediction, **chosen):
            path = self.folders[option] / f"{name}.jpg"
            if label:
                if self._written >= MOST:
                    continue
                self._written += 1
                numbers[label] += 1
                path = path.with_name(_folder_of(label)) / f"{name}-{numbers[label]}.jpg"
            if path.exists() and identity(path) in photos:
                raise UsageError(f"{printable(path)} is a photo that is read. Choose a new folder.")
            write_jpeg(made, path)


def _folder_of(label: str) -> str:
    """A folder's name, which every system accepts; different ones for different labels."""
    from eyespot.studio.names import folder_names

    (name,) = folder_names([label])
    if name == label:
        return name
    return f"{name}-{hashlib.sha256(label.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
