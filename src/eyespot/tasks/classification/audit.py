"""Step 2 of `teach`: classes, labels, duplicates, and findings about the photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.audit import audit, misnamed
from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding, worst_first
from eyespot.data.photos import Dataset
from eyespot.errors import DatasetError
from eyespot.shown import Brief
from eyespot.tasks.classification.embed import EmbeddedPhotos


@dataclass(frozen=True, repr=False)
class AuditedPhotos(Brief):
    """`labels`: int64 [n], indices of `classes`."""

    embedded: EmbeddedPhotos
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    duplicates: Duplicates
    findings: list[Finding]


def audit_photos(embedded: EmbeddedPhotos) -> AuditedPhotos:
    """Raises DatasetError for photos of fewer than two classes."""
    photos, features = embedded.photos, embedded.features
    classes = Dataset(tuple(photos)).classes
    if len(classes) < 2:
        skipped, lost = embedded.skipped, ""
        if skipped:
            lost = f" {len(skipped):,} photos were skipped, the first because: {skipped[0].reason}."
        raise DatasetError(
            f"Expected readable photos of at least two classes, found {len(photos):,} of "
            f"{len(classes)}.{lost}"
        )
    duplicates = features.duplicates([photo.group for photo in photos])
    names = [photo.label or "" for photo in photos]
    findings = audit(features.names, names, duplicates)
    findings = worst_first([*embedded.dataset.findings, *findings, *misnamed(photos)])
    labels = np.array([classes.index(name) for name in names], dtype=np.int64)
    return AuditedPhotos(embedded, classes, labels, duplicates, findings)
