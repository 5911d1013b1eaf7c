"""Train a network on labelled photos, into a folder: the work of `eyespot train`."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.nn import Dropout

from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo, Skipped
from eyespot.evaluation import evaluate, fit_rejection
from eyespot.features.backbone import LOGITS, Backbone, load_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.features.extract import head_inputs
from eyespot.features.usable import expect_usable
from eyespot.heads.calibration import fit_temperature, softmax
from eyespot.heads.ood import MOST_REFERENCES, fit_ood
from eyespot.heads.scorers import LogitsScorer
from eyespot.models.catalogue import Network
from eyespot.progress import Progress, counting
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.training import processes
from eyespot.training.augment import find_augmentation
from eyespot.training.checkpoint import LAST
from eyespot.training.evaluate import centre, evaluate_network
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


def as_classifier(
    trained: Trained, path: Path, train: ImageSet, val: ImageSet | None, test: ImageSet | None
) -> Classifier:
    """The network in `path`, as `trained`, with temperature, OOD threshold and metrics.

    `val` sets the temperature and the OOD threshold; without it the network's own probabilities
    stand, and no photo is rejected. The metrics are those of `test`, else of `val` (which also
    selected the epoch and the temperature, so that they are slightly optimistic).
    """
    body = load_backbone(str(path))
    body = replace(body, preprocessing=trained.preprocessing, blocks=(LOGITS, body.last))
    engine = open_engine(body)
    classifier = Classifier(
        classes=trained.classes,
        backbone=body,
        recipe=Recipe("training", (LOGITS,), 0.0),
        scorer=LogitsScorer(len(trained.classes)),
        _engine=engine,
    )
    evaluated_on, images = ("the test split", test) if test else ("the validation split", val)
    if val is not None:
        sample = np.random.default_rng(0).permutation(len(train))[:MOST_REFERENCES]
        _, references, classes = _predict(engine, train.take(np.sort(sample)), body)
        scores, last, truth = _predict(engine, val, body)
        ood_scorer = fit_ood(references, classes)
        rejection = fit_rejection(ood_scorer(last), scores.argmax(axis=1) == truth)
        classifier.temperature = fit_temperature(scores, truth)
        classifier.ood_scorer, classifier.ood_threshold = ood_scorer, rejection.ood_threshold
        classifier.metrics["rejection"] = rejection.to_dict()
    if images is not None:
        scores, _, truth = _predict(engine, images, body)
        found = evaluate(softmax(scores / classifier.temperature), truth, trained.classes)
        classifier.metrics |= {**found.to_metrics(), "evaluated_on": evaluated_on}
    return classifier


def _predict(
    engine: Engine, images: ImageSet, body: Backbone
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Logits [n, K], last-layer features [n, D], and labels [n], of the images' centre crops."""
    side, reading = body.preprocessing.size, Lock()

    def run(start: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        index = np.arange(start, min(start + BATCH, len(images)))
        with reading:  # images are decoded on demand for one thread at a time
            batch, labels = images.batch(index)
        squares = centre(batch, side).expand(-1, 3, -1, -1)
        features = engine.run(squares.permute(0, 2, 3, 1).numpy())
        return expect_usable(features, body.name), labels.numpy()

    with ThreadPoolExecutor(engine.workers) as pool:
        parts = list(pool.map(run, range(0, len(images), BATCH)))
    features, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    last = head_inputs(features, engine.layout, (body.last,))
    return features[:, engine.layout[LOGITS]], last, labels
