"""What a network has answered so far, kept so that a run goes on where it was stopped."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import CacheError
from eyespot.features.cache import cache_folder
from eyespot.imagenet_eval.labels import CLASSES

logger = logging.getLogger(__name__)

GUESSES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """To one picture. `guesses`: (class, probability), the five most probable, best first;
    none if it could not be decoded: `error` says why."""

    guesses: tuple[tuple[int, float], ...] = ()
    error: str = ""


class Journal:
    """A file of JSON lines, a line a batch of pictures, only ever appended to.

    A kill can leave half a line, which is passed over when the file is read: its batch is done
    again as a whole, so that the network sees the same batches as in one run, and answers the
    same. Where nothing can be written, one warning is logged and the work goes on without.
    """

    def __init__(self, key: str) -> None:
        self.path: Path | None = None
        try:
            folder = cache_folder() / "judged"
            folder.mkdir(exist_ok=True)
            self.path = folder / f"{key}.jsonl"
            self._write("\n")  # ends half a line, so that the next one is whole
        except (OSError, CacheError) as error:
            self._give_up(error)

    def read(self, sizes: dict[int, int]) -> dict[int, list[Answer]]:
        """The answers by batch; `sizes` says how many pictures each batch has."""
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
        logger.warning("The answers cannot be kept, so this run cannot be resumed: %s", error)
        self.path = None


def _parsed(row: object) -> Answer:
    """Raises ValueError or TypeError for what `Journal.add` does not write."""
    if isinstance(row, str):
        return Answer(error=row)
    if not isinstance(row, list):
        raise TypeError("no guesses")
    guesses = tuple((int(index), float(probability)) for index, probability in row)
    if len(guesses) != GUESSES or not all(0 <= i < CLASSES and 0 <= p <= 1 for i, p in guesses):
        raise ValueError("not five guesses")
    return Answer(guesses)
