"""A journal of a network's answers, from which an interrupted evaluation is resumed."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import CacheError
from eyespot.features.cache_folder import cache_folder
from eyespot.imagenet_eval.images import CLASSES

logger = logging.getLogger(__name__)

GUESSES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one image. `guesses`: (class, probability) of the five most probable classes,
    in order; empty if the image could not be decoded, for the reason in `error`."""

    guesses: tuple[tuple[int, float], ...] = ()
    error: str = ""


class Journal:
    """A file of JSON lines, one for each batch of images, which is only appended to.

    A killed process can leave half a line, which `read` skips: the whole batch is predicted again,
    so that batches and answers are those of an uninterrupted run. If the file cannot be written,
    one warning is logged and the evaluation continues without it.
    """

    def __init__(self, key: str) -> None:
        self.path: Path | None = None
        try:
            folder = cache_folder() / "imagenet"
            folder.mkdir(exist_ok=True)
            self.path = folder / f"{key}.jsonl"
            self._write("\n")  # ends half a line, so that the next one is complete
        except (OSError, CacheError) as error:
            self._give_up(error)

    def read(self, sizes: dict[int, int]) -> dict[int, list[Answer]]:
        """The answers by batch. `sizes`: the number of images of each batch."""
        found: dict[int, list[Answer]] = {}
        if self.path is None:
            return found
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    batch, rows = json.loads(line)
                    answers = [_parsed(row) for row in rows]
                    if sizes.get(batch) == len(answers):
                        found[batch] = answers
                except (ValueError, TypeError):
                    continue
        return found

    def add(self, batch: int, answers: list[Answer]) -> None:
        rows = [answer.error or answer.guesses for answer in answers]
        try:
            self._write(json.dumps([batch, rows]) + "\n")
        except OSError as error:
            self._give_up(error)

    def _write(self, text: str) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)

    def _give_up(self, error: Exception) -> None:
        logger.warning("The answers cannot be saved, so this run cannot be resumed: %s", error)
        self.path = None


def _parsed(row: object) -> Answer:
    """Parse an answer. Raises ValueError or TypeError for other values."""
    if isinstance(row, str):
        return Answer(error=row)
    if not isinstance(row, list):
        raise TypeError("no guesses")
    guesses = tuple((int(index), float(probability)) for index, probability in row)
    if len(guesses) != GUESSES or not all(0 <= i < CLASSES and 0 <= p <= 1 for i, p in guesses):
        raise ValueError("not five guesses")
    return Answer(guesses)
