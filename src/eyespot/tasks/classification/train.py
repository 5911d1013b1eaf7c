"""From labelled photos to a trained network in a folder: the whole job of `eyespot train`."""

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
from eyespot.training.evaluate import evaluate_network
from eyespot.training.fingerprint import fingerprint
from eyespot.training.folder import exclusive_folder
from eyespot.training.images import ImageSet, open_images
from eyespot.training.log import Epoch
from eyespot.training.plan import Plan
from eyespot.training.run import Trained, train
from eyespot.training.settings import used_settings
from eyespot.training.split import HELD_OUT, expect_every_class, split_photos
from eyespot.weights import zoo
from eyespot.weights.store import Pretrained
from eyespot.weights.write import state_digest, write_weights

NETWORK, CLASSIFIER = "network.safetensors", "classifier.eyespot"


@dataclass(frozen=True)
class Training:
    """What came of a run. `test`: loss and accuracy on photos marked as test, if there are any.
    `validation`: the pictures that validated, if any. `path`: the trained weights, which
    `create(model, weights=path)` reads. `classifier`: what is in the folder's classifier.eyespot;
    None in all processes but the first. `held_out`: the share of every class that was held out to
    validate; None where the photos say which validate, or none do."""

    trained: Trained
    learnt: int
    validated: int
    tested: int
    test: tuple[float, float] | None
    validation: ImageSet | None
    skipped: tuple[Skipped, ...]
    path: Path
    classifier: Classifier | None
    held_out: float | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What of the plan had an effect, by name."""
        trained = self.trained
        layers = [layer for layer in trained.network.modules() if isinstance(layer, Dropout)]
        drops = bool(layers) if trained.plan.dropout is not None else any(x.p for x in layers)
        found = used_settings(trained.plan, validated=self.validated > 0, droppable=drops)
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
    """Train on whatever `teach` takes; a run that was stopped in `folder` goes on, if the photos
    and their division are the same. `watch` gets all epochs so far at the start and after every
    epoch, `missed` what was left out in reading, before the first.

    Raises UsageError, DatasetError, TrainingError (also while another process is at work there).
    """
    if processes.rank():  # only the first tells
        progress = lambda stage, done, total: None  # noqa: E731
    about = zoo.find(plan.model)
    side = find_augmentation(plan.augmentation).stored(about.preprocessing.size)
    dataset = open_photos(source, labels)
    parts = split_photos(dataset, held_out, plan.seed)
    step = counting(progress, "Reading", sum(map(len, parts)))
    skipped = list(dataset.skipped)

    def read(photos: Sequence[Photo]) -> ImageSet | None:
        if not photos:
            return None
        pictures, unread = open_images(photos, dataset.classes, side, about.in_channels, step)
        skipped.extend(unread)
        return pictures

    with nullcontext() if processes.rank() else exclusive_folder(folder, LAST):
        learn, val, test = map(read, parts)
        if processes.rank() == 0:
            missed(skipped)
        assert learn is not None  # split_photos raises otherwise
        expect_every_class((learn.classes[n] for n in learn.labels.tolist()), dataset.classes)
        photos = processes.from_first(lambda: fingerprint(*parts[:2]))
        trained = train(
            plan, learn, val, folder, every=every, photos=photos, progress=progress, watch=watch
        )
        state, path = trained.network.state_dict(), folder / NETWORK
        known = Pretrained(
            path, "store", trained.preprocessing, trained.classes, state_digest(state)
        )
        origin = f"trained on {len(learn)} pictures for {len(trained.epochs)} epochs"
        figures = (
            evaluate_network(trained.network, test, trained.preprocessing, trained.plan)
            if test
            else None
        )
        for pictures in (learn, val, test):
            skipped += processes.gather(list(pictures.unread.values())) if pictures else []
        classifier = None
        if processes.rank() == 0:
            write_weights(path, about, state, known, origin)
            progress("Judging", 0, 1)
            classifier = as_classifier(trained, path, learn, val, test)
            classifier.save(folder / CLASSIFIER)
            progress("Judging", 1, 1)
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
