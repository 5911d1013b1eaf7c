"""A project's classifier, learnt anew from all its pictures at every change.

Features are computed once for each picture; what is learnt on them is quick. It comes in two
steps: the head that answers, then the figures that say how well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from eyespot.arrays import most_similar, unit_rows
from eyespot.data.photos import FileSource, Photo, Skipped
from eyespot.errors import PhotoError, Stopped
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache, Record
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import Features, block_widths, head_inputs, stream
from eyespot.features.usable import fault_of
from eyespot.heads import make_method
from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear
from eyespot.heads.method import Prepared
from eyespot.heads.ood import fit_ood
from eyespot.progress import Progress, counting
from eyespot.shown import Brief
from eyespot.studio.figures import Figures, judge
from eyespot.studio.project import Project
from eyespot.studio.snapshot import Picture
from eyespot.tasks.classification.classifier import Classifier, Recipe, TrainingPhotos
from eyespot.tasks.classification.policy import blocks_of, candidates, similarity

PENALTY = 1e-2
"""Of the linear SVM. Measured on four sets of photos, up to three classes, 2 to 80 photos each, on
the features that are chosen here: it is right for at most 0.7 % more or less of unseen photos than
with the penalty that cross-validation chooses."""
TEMPERATURE = 0.3
"""Until cross-validation finds one. On the same photos, from 5 a class on, it found 0.24 to
0.57."""
MOST_DIMENSIONS = 1024
"""Of the space in which the head is learnt; see `Eigenbasis`."""


@dataclass(frozen=True, slots=True)
class Near:
    """A taught picture that looks alike. `similarity`: cosine, -1..1."""

    picture: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on a picture. `probabilities`: of every class, in their order. `unknown`: it is none
    of these. `near`: the taught pictures most alike, the nearest first."""

    probabilities: tuple[tuple[str, float], ...]
    unknown: bool
    near: tuple[Near, ...]


@dataclass(frozen=True, repr=False)
class Learnt(Brief):
    """What was learnt from one state of a project.

    `version`: of the project. `classifier`: None if there is nothing to tell apart yet; `needed`
    then says what is missing. `figures`: None until they are there. `left_out`: pictures of which
    nothing could be learnt. `pictures`: ids of those learnt from; `rows`: what the network's last
    layer says of them, float32 [n, d], of length one.
    """

    version: int
    classifier: Classifier | None
    needed: str = ""
    figures: Figures | None = None
    left_out: tuple[Skipped, ...] = ()
    pictures: tuple[int, ...] = ()
    rows: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def look(self, data: bytes | NDArray[np.uint8], k: int = 3) -> Seen:
        """Answer for a picture, a file or uint8 [H, W, 3]. Raises PhotoError; there must be a
        classifier."""
        classifier = self.classifier
        assert classifier is not None
        features = classifier.engine.run(classifier.prepare(data)[None])
        if fault := fault_of(features):
            raise PhotoError(fault)
        probabilities, ood_scores = classifier.score_features(features)
        return Seen(
            tuple(zip(classifier.classes, probabilities[0].tolist(), strict=True)),
            bool(ood_scores[0] > classifier.ood_threshold),
            self.nearest(features[0], k),
        )

    def nearest(self, features: NDArray[np.floating], k: int = 3) -> tuple[Near, ...]:
        """The taught pictures most alike, by the features [D] of a picture."""
        if self.classifier is None:
            return ()
        last = (self.classifier.backbone.last,)
        query = unit_rows(head_inputs(features[None], self.classifier.engine.layout, last))[0]
        return tuple(
            Near(self.pictures[row], cosine) for row, cosine in most_similar(query, self.rows, k)
        )


class Learner:
    """Learns one project's pictures with `backbone`. Keeps their features, and holds no lock."""

    def __init__(self, backbone: Backbone, engine: Engine | None = None) -> None:
        self.backbone = backbone
        self.engine = engine or open_engine(backbone)
        self._known: dict[str, Record] = {}
        self._before: Classifier | None = None
        self._cores = ThreadpoolController()

    def update(
        self,
        project: Project,
        on_head: Callable[[Learnt], None] = lambda learnt: None,
        progress: Progress = lambda stage, done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Learnt:
        """Learn the project as it is now.

        `on_head` is told as soon as there is something that answers; what is returned has figures
        as well. Raises Stopped if `stopped` says so between two steps, MissingError and
        ProjectError.
        """

        def check() -> None:
            if stopped():
                raise Stopped("Learning was stopped.")

        snapshot = project.snapshot()
        enabled = {of.id: of.name for of in snapshot.classes if of.enabled}
        wanted = [picture for picture in snapshot.pictures if picture.class_id in enabled]
        known, left_out = self._features(project, wanted, progress, check)
        pictures = [picture for picture in wanted if picture.sha256 in known]
        there = {picture.class_id for picture in pictures}
        own = {id: name for id, name in enabled.items() if id in there}
        if len(own) < 2:
            needed = _needed(list(enabled.values()), list(own.values()))
            nothing = Learnt(snapshot.version, None, needed, left_out=left_out)
            on_head(nothing)
            return nothing
        check()
        # A second core gains nothing where the browser and the camera need it, and waiting for it
        # costs a multiple: 1,200 instead of 300 ms for 600 pictures on two busy cores.
        with self._cores.limit(limits=1, user_api="blas"):
            order = list(own)
            labels = np.array([order.index(p.class_id) for p in pictures], dtype=np.int64)
            features = self._gather([known[p.sha256] for p in pictures], pictures, own)
            bursts = [picture.burst for picture in pictures]
            classifier, prepared = self._learn(features, labels, tuple(own.values()), bursts)
            last = features.inputs((self.backbone.last,))
            learnt = Learnt(
                snapshot.version,
                classifier,
                left_out=left_out,
                pictures=tuple(picture.id for picture in pictures),
                rows=unit_rows(last),
            )
            check()
            on_head(learnt)
            judged, figures = judge(
                classifier, prepared, features, labels, learnt.pictures, bursts, check
            )
        self._before = judged
        empty = [name for id, name in enabled.items() if id not in own]
        if empty:
            told = f"{empty[0]} has no picture yet: add some, or turn it off."
            figures = replace(figures, advice=told)
        return replace(learnt, classifier=judged, figures=figures)

    def _features(
        self,
        project: Project,
        pictures: Sequence[Picture],
        progress: Progress,
        check: Callable[[], None],
    ) -> tuple[dict[str, Record], tuple[Skipped, ...]]:
        """What is known of the pictures, by sha256, and those of which nothing can be."""
        wanted = dict.fromkeys(picture.sha256 for picture in pictures)
        known = {sha256: self._known[sha256] for sha256 in wanted if sha256 in self._known}
        missing = [sha256 for sha256 in wanted if sha256 not in known]
        reasons: dict[str, str] = {}
        if missing:
            cache = FeatureCache()  # one for each thread
            try:
                known |= cache.get_many(missing, self.backbone.cache_key)
                self._compute(
                    project,
                    [s for s in missing if s not in known],
                    known,
                    reasons,
                    cache,
                    progress,
                    check,
                )
            finally:
                cache.close()
                self._known = known
        left_out = [
            Skipped(f"picture {picture.id}", reasons[picture.sha256])
            for picture in pictures
            if picture.sha256 in reasons
        ]
        return known, tuple(left_out)

    def _compute(
        self,
        project: Project,
        missing: Sequence[str],
        known: dict[str, Record],
        reasons: dict[str, str],
        cache: FeatureCache,
        progress: Progress,
        check: Callable[[], None],
    ) -> None:
        """Add to `known` what files or a classifier say of `missing`, else to `reasons` why not."""
        files = {sha256: project.path(sha256) for sha256 in missing}
        files = {sha256: path for sha256, path in files.items() if path.exists()}
        photos = [Photo(sha256, FileSource(path)) for sha256, path in files.items()]
        step = counting(progress, "Looking at pictures", len(photos))
        for item in stream(photos, self.backbone, self.engine, cache):
            check()
            name = photos[item.index].name
            if item.record is None:
                reasons[name] = item.error
            elif item.sha256 != name:
                reasons[name] = "its file was damaged: remove the picture and add it again"
            else:
                known[name] = replace(item.record, features=item.record.features.astype(np.float16))
            step(1)
        others = [sha256 for sha256 in missing if sha256 not in files]
        taught = project.training_photos(others, self.backbone.extractor)
        width = max(columns.stop for columns in self.engine.layout.values())
        for sha256 in others:
            if sha256 in taught and len(taught[sha256].features) == width:
                known[sha256] = taught[sha256]
            else:
                reasons[sha256] = (
                    "the photo itself is not here, only what another network saw in it: add the "
                    "photo, or choose the network it was taught with"
                )

    def _gather(
        self, records: Sequence[Record], pictures: Sequence[Picture], classes: Mapping[str, str]
    ) -> Features:
        return Features(
            names=tuple(f"{classes[p.class_id]}/{p.id}" for p in pictures),
            sha256=tuple(picture.sha256 for picture in pictures),
            values=np.stack([record.features for record in records]).astype(np.float16, copy=False),
            layout=self.engine.layout,
            dhash=np.array([record.dhash for record in records], dtype=np.uint64),
            thumbnails=tuple(record.thumbnail for record in records),
        )

    def _learn(
        self,
        features: Features,
        labels: NDArray[np.int64],
        classes: tuple[str, ...],
        bursts: Sequence[str | None],
    ) -> tuple[Classifier, Prepared]:
        """A head by the decision table's first choice; a burst counts as one picture."""
        differing = [
            len({bursts[index] or index for index in np.flatnonzero(labels == k).tolist()})
            for k in range(len(classes))
        ]
        alike = similarity(features, self.backbone)
        first = candidates("auto", float(np.median(differing)), alike)[0]
        blocks = blocks_of(first.view, features.layout)
        method = make_method(first.method)
        assert isinstance(method, Linear)
        inputs, widths = features.inputs(blocks), block_widths(features.layout, blocks)
        prepared = method.over(Eigenbasis(inputs, widths, MOST_DIMENSIONS))
        classifier = Classifier(
            classes=classes,
            backbone=self.backbone,
            recipe=Recipe(first.method, blocks, PENALTY),
            scorer=prepared.fit(labels, len(classes), PENALTY),
            temperature=TEMPERATURE,
            ood_scorer=fit_ood(features.inputs((self.backbone.last,)), labels),
            _training_photos=TrainingPhotos(features, labels),
            _engine=self.engine,
        )
        before = self._before
        if before and (before.classes, before.recipe) == (classes, classifier.recipe):
            # Nearer to what the figures will find than any constant: the bars stay calm meanwhile.
            classifier.temperature = before.temperature
            classifier.ood_threshold = before.ood_threshold
        return classifier, prepared


def _needed(enabled: Sequence[str], own: Sequence[str]) -> str:
    """What is missing, where there are fewer than two classes with pictures."""
    empty = [name for name in enabled if name not in own]
    if own and empty:
        return f"Add pictures of {empty[0]}: then it can be told from {own[0]}."
    if own:
        return f"Add a second class, with pictures of something that is not {own[0]}."
    if empty:
        return f"Add pictures of {empty[0]}, by holding the button or dropping files."
    return "Add two classes, with pictures of each."
