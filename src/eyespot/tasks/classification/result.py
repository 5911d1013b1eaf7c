"""Results of `teach` and `evaluate`: metrics, misclassified photos, report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding
from eyespot.data.photos import Dataset, Skipped
from eyespot.evaluation import (
    Evaluation,
    LabelIssue,
    LearningCurve,
    Rejection,
    advice,
    mistakes,
    percent,
)
from eyespot.features.extract import Features
from eyespot.shown import counted
from eyespot.tasks.classification import notebook
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.cross_validate import CandidateResult, Omitted
from eyespot.tasks.classification.figures import evaluated_figures, taught_figures
from eyespot.tasks.figures import Figures

MOST_SHOWN = 12
"""Misclassified photos that a notebook shows."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified photo: its label, the predicted class and that class's probability."""

    path: str
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, repr=False, kw_only=True)
class EvaluateResult:
    """A classifier on labelled photos; the report is made of it.

    `evaluation`: the metrics on the photos that `evaluated_on` names. `dataset`, `features`: the
    n photos. `labels`: int64 [n], indices of the classifier's classes. `probabilities`: float64
    [n, K]; NaN rows were not evaluated. `trained`: int64 [K], training photos of each class, None
    if unknown. `known`: names of photos that are among the training photos. `rejection`: the OOD
    threshold and its effect. `method`: the head or network. `reason`, `candidates`, `omitted`,
    `learning_curve`: of model selection, empty without. `seconds`: by step, and `total`.
    """

    page: ClassVar[str] = "eyespot.report.page"
    """The module that renders the report."""

    classifier: Classifier
    evaluation: Evaluation
    evaluated_on: str
    dataset: Dataset
    skipped: tuple[Skipped, ...]
    findings: list[Finding]
    duplicates: Duplicates
    labels: NDArray[np.int64]
    trained: NDArray[np.int64] | None
    probabilities: NDArray[np.float64]
    features: Features
    label_issues: list[LabelIssue]
    rejection: Rejection
    method: str
    seconds: dict[str, float] = field(default_factory=dict)
    photos_per_second: float = 0.0
    known: tuple[str, ...] = ()
    reason: str = ""
    candidates: list[CandidateResult] = field(default_factory=list)
    omitted: list[Omitted] = field(default_factory=list)
    learning_curve: LearningCurve | None = None

    @property
    def rejected(self) -> float:
        """Share of the evaluated photos that the classifier rejects as unknown."""
        return self.rejection.known_rejected

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The misclassified photos, the most confident first."""
        return tuple(map(self._mistake, mistakes(self.probabilities, self.labels).tolist()))

    def _mistake(self, index: int) -> Mistake:
        classes, row = self.classifier.classes, self.probabilities[index]
        return Mistake(
            self.features.names[index],
            classes[self.labels[index]],
            classes[row.argmax()],
            float(row.max()),
        )

    @property
    def advice(self) -> str:
        """The next step to a better classifier."""
        counts: Sequence[int] | None = None if self.trained is None else self.trained.tolist()
        return advice(self.evaluation, counts, self.learning_curve)

    def figures(self, source: Path, *, verbose: bool = False) -> Figures:
        """The figures for a terminal."""
        return evaluated_figures(self, verbose=verbose)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **self.evaluation.to_dict(),
            "rejected": self.rejected,
            "known_photos": list(self.known),
            "findings": [finding.to_dict() for finding in self.findings],
            "skipped": [asdict(one) for one in self.skipped],
            "mistakes": [asdict(one) for one in self.mistakes],
        }

    def report(self, path: str | Path) -> None:
        """Write the HTML report to `path`, atomically. Raises OSError."""
        import eyespot

        eyespot.write_report(self, Path(path))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({notebook.accuracy(self.evaluation.to_metrics())} on "
            f"{self.evaluated_on};\n"
            f"  {counted(len(self.labels))}, {len(self.skipped):,} skipped, "
            f"{counted(len(self.findings), 'finding')};\n"
            f"  {self.classifier!r})"
        )

    def _repr_html_(self) -> str:
        metrics = {**self.evaluation.to_metrics(), "evaluated_on": self.evaluated_on}
        table = notebook.classifier_html(self.classifier.classes, self.method, metrics)
        worst = mistakes(self.probabilities, self.labels)[:MOST_SHOWN].tolist()
        captions = [
            f"{one.path}: {one.label} misclassified as {one.predicted} ({percent(one.probability)})"
            for one in map(self._mistake, worst)
        ]
        thumbnails = [self.features.thumbnails[index] for index in worst]
        photos = list(zip(thumbnails, captions, strict=True))
        return table + notebook.photos_html("Misclassified photos, most confident first", photos)


@dataclass(frozen=True, repr=False, kw_only=True)
class TeachResult(EvaluateResult):
    """A new classifier with its evaluation: of out-of-fold predictions, model selection inside, or
    of the test split if there is one. `probabilities` are out of fold or of the test split."""

    def save(self, path: str | Path) -> None:
        """Write the classifier to NAME.eyespot; see `Classifier.save`."""
        self.classifier.save(path)

    def figures(self, source: Path, *, verbose: bool = False) -> Figures:
        """The figures for a terminal. `source`: the photos, which a review is proposed for."""
        return taught_figures(self, source, verbose=verbose)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "classes": list(self.classifier.classes),
            "photos": len(self.features),
            "skipped": [asdict(one) for one in self.skipped],
            "duplicates": [
                [self.features.names[index] for index in group]
                for group in (*self.duplicates.exact, *self.duplicates.near)
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "label_issues": [
                {
                    "path": self.features.names[s.index],
                    "label": self.classifier.classes[self.labels[s.index]],
                    "suggested": self.classifier.classes[s.suggested],
                    "confidence": s.confidence,
                }
                for s in self.label_issues
            ],
            "method": self.method,
            "reason": self.reason,
            "advice": self.advice,
            "evaluated_on": self.evaluated_on,
            **self.evaluation.to_dict(),
            "candidates": [asdict(one) for one in self.candidates],
            "omitted": [asdict(one) for one in self.omitted],
            "learning_curve": self.learning_curve.to_dict() if self.learning_curve else None,
            "rejection": self.rejection.to_dict(),
            "seconds": self.seconds,
            "photos_per_second": self.photos_per_second,
        }
