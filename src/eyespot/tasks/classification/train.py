"""Train a network on labelled photos, into a folder: the work of `eyespot train`."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.nn import Dropout

from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo, Skipped
from eyespot.progress import Progress, counting
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.trained import as_classifier
from eyespot.training import processes
from eyespot.training.augment import find_augmentation
from eyespot.training.checkpoint import LAST
from eyespot.training.division import HELD_OUT, divide, expect_every_class
from eyespot.training.effect import in_effect
from eyespot.training.fingerprint import fingerprint
from eyespot.training.folder import alone_in
from eyespot.training.judged import judged
from eyespot.training.pictures import Pictures, open_pictures
from eyespot.training.plan import Plan
from eyespot.training.records import Epoch
from eyespot.training.trainer import Trained, train
from eyespot.weights import zoo
from eyespot.weights.store import Pretrained
from eyespot.weights.write import state_digest, write_weights

NETWORK, CLASSIFIER = "network.safetensors", "classifier.eyespot"


@dataclass(frozen=True)
class Training:
    """The result of a training run. `test`: loss and accuracy on the test split, if there is one.
    `validation`: the validation images, if any. `path`: the trained weights, which
    `create(model, weights=path)` reads. `classifier`: that of the folder's classifier.eyespot;
    None in all processes but the first. `held_out`: the share of every class that was held out for
    validation; None with a validation split, or without validation."""

    trained: Trained
    learnt: int
    validated: int
    tested: int
    test: tuple[float, float] | None
    validation: Pictures | None
    skipped: tuple[Skipped, ...]
    path: Path
    classifier: Classifier | None
    held_out: float | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the plan that had an effect, by name."""
        trained = self.trained
        layers = [layer for layer in trained.network.modules() if isinstance(layer, Dropout)]
        drops = bool(layers) if trained.plan.dropout is not None else any(x.p for x in layers)
        found = in_effect(trained.plan, validated=self.validated > 0, droppable=drops)
        return found if self.held_out is None else found | {"held_out": self.held_out}


def train_on(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    plan: Plan,
    folder: Path,
    *,
    labels: Iterable[Label] | None = None,
    held_out: float = HELD_OUT,
    every: int = 0,
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Epoch]], None] = lambda epochs: None,
    missed: Callable[[Sequence[Skipped]], None] = lambda skipped: None,
) -> Training:
    """Train on the photos that `teach` takes. Resumes an interrupted run in `folder` if the photos
    and their split are the same. `watch` gets all epochs so far at the start and after every
    epoch, `missed` the skipped photos before the first.

    Raises UsageError, DatasetError, TrainingError (also while another process is at work there).
    """
    if processes.rank():  # only the first reports progress
        progress = lambda stage, done, total: None  # noqa: E731
    about = zoo.find(plan.model)
    side = find_augmentation(plan.augmentation).stored(about.preprocessing.size)
    dataset = open_photos(source, labels)
    parts = divide(dataset, held_out, plan.seed)
    step = counting(progress, "Reading", sum(map(len, parts)))
    skipped = list(dataset.skipped)

    def read(photos: Sequence[Photo]) -> Pictures | None:
        if not photos:
            return None
        pictures, unread = open_pictures(photos, dataset.classes, side, about.in_channels, step)
        skipped.extend(unread)
        return pictures

    with nullcontext() if processes.rank() else alone_in(folder, LAST):
        learn, val, test = map(read, parts)
        if processes.rank() == 0:
            missed(skipped)
        assert learn is not None  # divide sees to it
        expect_every_class((learn.classes[n] for n in learn.labels.tolist()), dataset.classes)
        photos = processes.from_first(lambda: fingerprint(*parts[:2]))
        trained = train(
            plan, learn, val, folder, every=every, photos=photos, progress=progress, watch=watch
        )
        state, path = trained.network.state_dict(), folder / NETWORK
        known = Pretrained(
            path, "store", trained.preprocessing, trained.classes, state_digest(state)
        )
        origin = f"trained on {len(learn)} images for {len(trained.epochs)} epochs"
        figures = (
            judged(trained.network, test, trained.preprocessing, trained.plan) if test else None
        )
        for pictures in (learn, val, test):
            skipped += processes.of_all(list(pictures.unread.values())) if pictures else []
        classifier = None
        if processes.rank() == 0:
            write_weights(path, about, state, known, origin)
            progress("Evaluating", 0, 1)
            classifier = as_classifier(trained, path, learn, val, test)
            classifier.save(folder / CLASSIFIER)
            progress("Evaluating", 1, 1)
    return Training(
        trained,
        len(learn),
        len(val) if val else 0,
        len(test) if test else 0,
        figures,
        val,
        tuple(dict.fromkeys(skipped)),
        path,
        classifier,
        None if not val or any(photo.split == "val" for photo in dataset.photos) else held_out,
    )
