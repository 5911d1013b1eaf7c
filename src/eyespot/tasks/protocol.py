"""What a task offers to the verbs of the command line and to the server.

A task is a class, named in `TASKS`. Its methods may have further keyword parameters, which are
options: a verb refuses those that a method lacks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from eyespot.progress import Progress
from eyespot.tasks.figures import Figures, Section

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from eyespot.data.decode import DecodedImage
    from eyespot.tasks.predict_table import TableWork


class Prediction(Protocol):
    """The prediction of one photo. `error`: why the photo could not be used, else empty; `line`,
    `counts` and `details` are then not called.

    `COLUMNS`: of a table, with their Arrow types; `path` and `error` (or null) are among them.
    """

    COLUMNS: ClassVar[Mapping[str, str]]

    def __init__(self, path: str, *, error: str = "") -> None: ...

    @property
    def path(self) -> str: ...

    @property
    def error(self) -> str: ...

    def line(self) -> str:
        """One line of text, without the path."""

    def counts(self) -> Mapping[str, int]:
        """The photo's part in a summary of many photos, by label."""

    def details(self) -> Section:
        """The prediction in full."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with path and error."""

    def to_answer(self) -> dict[str, Any]:
        """Plain values for the answer of a server, which adds name and error."""

    def to_row(self) -> dict[str, Any]:
        """A row of `COLUMNS`."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The prediction that `to_row` wrote."""


class Result(Protocol):
    """The result of `evaluate`."""

    def figures(self, source: Path, *, verbose: bool) -> Figures:
        """The figures for a terminal. `source`: the photos, for a command that is proposed."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""

    def report(self, path: Path) -> None:
        """Write the HTML report, atomically, perhaps by `eyespot.write_report`. Raises OSError."""


class TeachResult(Result, Protocol):
    """The result of `teach`."""

    def save(self, path: Path) -> None:
        """Write the .eyespot file, atomically."""


class Collection(Protocol):
    """Annotated photos, each with the `source` that a `Photo` has."""

    @property
    def photos(self) -> Sequence[Any]: ...


class Explanation(Protocol):
    """The evidence for a prediction."""

    def lines(self) -> list[str]:
        """Text for a terminal, the path first."""

    def draw(self) -> "Image":
        """The evidence as one image."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with path and error."""

    def to_answer(self) -> dict[str, Any]:
        """As `to_dict`, without error and paths, for the answer of a server."""


class Exported(Protocol):
    """Exported files. `checks`: the `findings` and `skipped` photos of the checks before.
    `snippet`: a program that uses the files."""

    @property
    def files(self) -> Sequence[Path]: ...

    @property
    def checks(self) -> Sequence[Any]: ...

    @property
    def snippet(self) -> str: ...

    def lines(self) -> list[str]:
        """The results of the checks for a terminal."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


class Task(Protocol):
    """A taught model.

    `noun`: for messages and as a key of JSON, such as classifier. `prediction`: the type of its
    predictions. `formats`: the formats of `export`.
    """

    noun: ClassVar[str]
    formats: ClassVar[Sequence[str]]

    @property
    def prediction(self) -> type[Prediction]: ...

    # --- from annotated photos to a file -----------------------------------------------------

    @staticmethod
    def annotations(source: Path) -> str | None:
        """The annotations of `source` in words if they are of this task alone, found cheaply."""

    @staticmethod
    def open(source: Path, *, new: bool) -> Collection:
        """Annotated photos. `new`: enough for a new model. Raises DatasetError."""

    @staticmethod
    def teach(photos: Any, *, progress: Progress) -> TeachResult:
        """A model of a collection, and its evaluation."""

    def save(self, path: str | Path) -> None: ...

    @classmethod
    def load(cls, path: str | Path) -> Self: ...

    # --- use ---------------------------------------------------------------------------------

    def predict(self, photo: Any) -> Prediction:
        """The prediction of a photo. Raises PhotoError."""

    def predict_batch(self, photos: Iterable[Any]) -> Iterator[Prediction]:
        """The prediction of each photo, about in order."""

    def table_work(self) -> "TableWork":
        """For `predict_table.write_predictions`; options as of `predict_batch`."""

    def watch(self, frames: "Iterator[NDArray[np.uint8]]") -> Iterator[list[str]]:
        """Lines about each frame uint8 RGB [H, W, 3] of a video: the first is a remark or empty,
        the second is the most important; options as of `predict_batch`."""

    def images(self, photo: "Image", prediction: Any) -> "Iterator[tuple[str, str, Image]]":
        """Images made of an upright RGB photo and its prediction. Each option, a flag, adds some:
        yields the option, the label that the image is of (or ""), and the image. A task with such
        an option predicts a batch in order."""

    def evaluate(self, photos: Any, *, progress: Progress) -> Result:
        """The model on a collection."""

    def explain(self, photo: Any) -> Explanation:
        """The evidence for the prediction of a photo. Raises PhotoError."""

    def export(self, to: str, path: str | Path, *, name: str, progress: Progress) -> Exported:
        """Write the model in one of `formats`. `name`: of the model, for a page."""

    # --- behind a server ---------------------------------------------------------------------

    @property
    def engine(self) -> Any:
        """The server runs `engine.workers` threads, with up to `engine.batch` photos each."""

    def about(self) -> dict[str, Any]:
        """The description of the model, plain values for JSON."""

    def warm_up(self, name: str, others: Iterable["Task"]) -> None:
        """Read the whole file and predict once, so that the first request is fast and a damaged
        model is found. `name`: of the file. `others`: served models to share a network with."""

    def decoder(self) -> Callable[[bytes], Any]:
        """A function of an encoded photo, which can be pickled. Raises PhotoError."""

    def predict_decoded(
        self, names: Sequence[str], photos: Sequence[Any], tops: Sequence[int]
    ) -> Sequence[Prediction]:
        """The predictions of decoded photos. `tops`: the number of classes asked for of each."""

    @property
    def short_side(self) -> int | None:
        """Least short side, in pixels, at which to decode a photo for `explain_decoded`."""

    def explain_decoded(self, name: str, image: "DecodedImage") -> Explanation:
        """The explanation of a photo. Raises UsageError for an option it cannot use."""
