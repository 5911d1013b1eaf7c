"""Results of teaching and evaluating a detector: metrics, detections, report."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding
from eyespot.data.photos import Skipped
from eyespot.evaluation.box_issues import BoxIssue
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_metrics import DetectionEvaluation
from eyespot.shown import Brief
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.figures import evaluated_figures, taught_figures
from eyespot.tasks.detection.select import Candidate
from eyespot.tasks.figures import Figures


@dataclass(frozen=True, repr=False, kw_only=True)
class DetectionResult(Brief):
    """A detector on annotated photos; the report is made of it.

    `evaluation`: the metrics on the photos that `evaluated_on` names. `photos`, `truths`,
    `detections`: those photos, with calibrated scores. `known`: names of those that are among the
    training photos.
    """

    page: ClassVar[str] = "eyespot.report.detection"
    """The module that renders the report."""

    detector: Detector
    evaluation: DetectionEvaluation
    evaluated_on: str
    photos: tuple[AnnotatedPhoto, ...]
    truths: tuple[Truth, ...]
    detections: tuple[Detections, ...]
    skipped: tuple[Skipped, ...]
    findings: list[Finding]
    known: tuple[str, ...] = ()
    issues: tuple[BoxIssue, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def figures(self, source: Path, *, verbose: bool = False) -> Figures:
        """The figures for a terminal."""
        return evaluated_figures(self, verbose=verbose)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **self.evaluation.to_dict(),
            "known_photos": list(self.known),
            "findings": [finding.to_dict() for finding in self.findings],
            "skipped": [asdict(one) for one in self.skipped],
        }

    def report(self, path: str | Path) -> None:
        """Write the HTML report to `path`, atomically. Raises OSError."""
        import eyespot

        eyespot.write_report(self, Path(path))


@dataclass(frozen=True, repr=False, kw_only=True)
class DetectionTeachResult(DetectionResult):
    """A new detector with its evaluation on held-out photos. `trained`: photos that the detector
    was trained on. `candidates`: the methods that were compared, the best first."""

    duplicates: Duplicates
    candidates: tuple[Candidate, ...] = ()
    trained: int

    def save(self, path: str | Path) -> None:
        """Write the detector to NAME.eyespot; see `Detector.save`."""
        self.detector.save(path)

    def figures(self, source: Path, *, verbose: bool = False) -> Figures:
        """The figures for a terminal."""
        return taught_figures(self, verbose=verbose)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **super().to_dict(),
            "photos": self.trained,
            "evaluated_on": self.evaluated_on,
            "method": self.detector.method,
            "candidates": [asdict(one) for one in self.candidates],
            "box_issues": [self._issue(one) for one in self.issues],
            "seconds": self.seconds,
        }

    def _issue(self, issue: BoxIssue) -> dict[str, Any]:
        return {
            **asdict(issue),
            "photo": self.photos[issue.photo].photo.name,
            "label": self.detector.classes[issue.label],
            "box": list(issue.box),
        }
