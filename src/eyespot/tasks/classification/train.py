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
from eyespot.models.catalogue import Network
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
    """The result of a training run. `test`: loss and accuracy on the test split, if there is one.
    `validation`: the validation images, if any. `path`: the trained weights, which
    `create(model, weights=path)` reads. `classifier`: that of the folder's classifier.eyespot;
    None in all processes but the first. `held_out`: the share of every class that was held out for
    validation; None with a validation split, or without validation."""

    trained: Trained
    train_photos: int
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
        """The settings of the plan that had an effect, by name."""
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
    """Train on the photos that `teach` takes. Resumes an interrupted run in `folder` if the photos
    and their split are the same. `watch` gets all epochs so far at the start and after every
    epoch, `missed` the skipped photos before the first.

    Raises UsageError, DatasetError, TrainingError (also while another process is at work there).
    """
    first = processes.rank() == 0
    if not first:  # only the first reports progress
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
        images, unread = open_images(photos, dataset.classes, side, about.in_channels, step)
        skipped.extend(unread)
        return images

    with exclusive_folder(folder, LAST) if first else nullcontext():
        images, val, test = map(read, parts)
        if first:
            missed(skipped)
        assert images is not None  # `split_photos` ensures training photos
        expect_every_class((images.classes[n] for n in images.labels.tolist()), dataset.classes)
        photos = processes.from_first(lambda: fingerprint(*parts[:2]))
        trained = train(
            plan, images, val, folder, every=every, photos=photos, progress=progress, watch=watch
        )
        metrics = classifier = None
        if test:
            metrics = evaluate_network(trained.network, test, trained.preprocessing, trained.plan)
        for part in (images, val, test):
            skipped += processes.gather(list(part.unread.values())) if part else []
        if first:
            classifier = _write(trained, folder, about, (images, val, test), progress)
    sizes = (len(images), len(val or ()), len(test or ()))
    unread = tuple(dict.fromkeys(skipped))
    given = any(photo.split == "val" for photo in dataset.photos)
    share = held_out if val and not given else None
    return Training(trained, *sizes, metrics, val, unread, folder / NETWORK, classifier, share)


def _write(
    trained: Trained,
    folder: Path,
    about: Network,
    parts: tuple[ImageSet, ImageSet | None, ImageSet | None],
    progress: Progress,
) -> Classifier:
    """Write the network and its classifier. `parts`: images for training, validation, test."""
    path, state = folder / NETWORK, trained.network.state_dict()
    known = Pretrained(path, "store", trained.preprocessing, trained.classes, state_digest(state))
    origin = f"trained on {len(parts[0])} images for {len(trained.epochs)} epochs"
    write_weights(path, about, state, known, origin)
    progress("Evaluating", 0, 1)
    classifier = as_classifier(trained, path, *parts)
    classifier.save(folder / CLASSIFIER)
    progress("Evaluating", 1, 1)
    return classifier
