"""Evaluations of classifiers as `teach`, `evaluate` and `demo` print them."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.shown import counted, percent, percent_interval, printable
from eyespot.tasks.figures import Figures, Section

if TYPE_CHECKING:
    from eyespot.data.photos import Skipped
    from eyespot.evaluation import Evaluation
    from eyespot.tasks.classification.result import EvaluateResult, TeachResult

HINT = " eyespot teach -v lists the misclassified photos."
LISTED = 5
"""Reasons for skipped photos that are named."""
MISTAKES = 10
"""Misclassified photos that are printed."""
CLASSES = 20
"""Classes whose recalls are printed without --verbose."""
COUNTED = ("exact duplicates", "near duplicates")
"""Findings that are a row already."""


def taught_figures(taught: "TeachResult", source: Path, *, verbose: bool) -> Figures:
    """The figures of a new classifier; `verbose`: those of each candidate, too."""
    evaluation = taught.evaluation
    rows = [
        ("Photos", _photos(taught)),
        *accuracy_rows(evaluation, taught.evaluated_on, bool(taught.duplicates.near)),
        ("Method", _method(taught)),
        ("Review", _review(taught, source)),
        ("Advice", taught.advice + ("" if verbose or not taught.mistakes else HINT)),
        ("Time", f"{taught.seconds['total']:.1f} s, {taught.photos_per_second:,.0f} photos/s"),
    ]
    sections = []
    if verbose:
        alone = "Candidates (cross-validated accuracy of each alone, selection not included)"
        best_first = sorted(taught.candidates, key=lambda one: -one.top1)
        bars = [(one.method, one.top1, f"  {one.seconds:.1f} s") for one in best_first]
        sections = [_recalls(evaluation), Section(alone, bars=bars), Section(taught.reason)]
        sections += _mistakes(taught, len(taught.mistakes))
    findings = [one for one in taught.findings if one.kind not in COUNTED]
    return Figures(rows, sections, findings)


def evaluated_figures(result: "EvaluateResult", *, verbose: bool) -> Figures:
    """The figures of an evaluation, and its most confident mistakes."""
    evaluation, classifier = result.evaluation, result.classifier
    warning = ""
    if result.known:
        known = counted(len(result.known), "photo")
        warning = f"the classifier was trained on {known} of these; the accuracy is inflated."
    held_out = classifier.training_photos is not None and not result.known
    top5 = ""
    if len(classifier.classes) > 5:
        interval = percent_interval(evaluation.top5_interval)
        top5 = f"{percent(evaluation.top5)}  95% CI {interval}"
    skipped = skipped_words(result.skipped)
    rows = [
        ("Photos", f"{evaluation.count:,}" + (f" ({skipped})" if skipped else "")),
        *accuracy_rows(evaluation, "held-out photos" if held_out else "these photos"),
        ("Top-5", top5),
        ("Calibration", f"expected calibration error (ECE) {evaluation.ece:.3f}"),
        ("Unknown", f"{percent(result.rejected)} rejected as none of these"),
        ("Advice", result.advice),
    ]
    few = verbose or len(classifier.classes) <= CLASSES
    sections = [_recalls(evaluation)] if few else []
    sections += _mistakes(result, len(result.mistakes) if verbose else MISTAKES)
    return Figures(rows, sections, result.findings, warning)


def accuracy_rows(
    evaluation: "Evaluation", measured_on: str, grouped: bool = False
) -> list[tuple[str, str]]:
    """Accuracy with its interval, the majority-class baseline, and the class of lowest recall.

    `grouped`: near-duplicates stayed in the same fold.
    """
    from eyespot.evaluation.verdict import LEAST, too_early

    if too_early(evaluation):
        text = f"too early to measure: n = {evaluation.count:,}, fewer than {LEAST} photos a class"
        return [("Accuracy", text)]
    how = f"on {measured_on}"
    if "cross-validation" in measured_on:
        how = "cross-validated" + (", model selection included" if "nested" in measured_on else "")
        how += ", near-duplicates kept together" if grouped else ""
    supports = [score.support for score in evaluation.per_class]
    return [
        (
            "Accuracy",
            f"{percent(evaluation.top1)}  95% CI {percent_interval(evaluation.top1_interval)}, "
            f"n = {evaluation.count:,}, {how}",
        ),
        ("Baseline", f"{percent(max(supports) / max(sum(supports), 1))}  majority class"),
        ("Weakest", weakest(evaluation)),
    ]


def weakest(evaluation: "Evaluation") -> str:
    """The class of lowest recall, with its most frequent confusion; empty if all recalls are 1."""
    from eyespot.evaluation.verdict import confused_pairs

    measured = [score for score in evaluation.per_class if score.support]
    lowest = min(measured, key=lambda score: score.recall, default=None)
    if lowest is None or lowest.recall == 1:
        return ""
    index = evaluation.classes.index(lowest.name)
    confused = next(pair[1] for pair in confused_pairs(evaluation) if pair[0] == index)
    return (
        f"{lowest.name}: recall {percent(lowest.recall)}, most often misclassified as "
        f"{evaluation.classes[confused]}"
    )


def _recalls(evaluation: "Evaluation") -> Section:
    """A bar for the recall of each class."""
    measured = [score for score in evaluation.per_class if score.support]
    bars = [(score.name, score.recall, f" of {score.support:,}") for score in measured]
    return Section("Recall", bars=bars)


def _mistakes(result: "EvaluateResult", most: int) -> list[Section]:
    """The paths of the `most` most confident mistakes; nothing without mistakes."""
    shown = result.mistakes[:most]
    if not shown:
        return []
    rest = "" if len(shown) == len(result.mistakes) else f" of {len(result.mistakes):,}"
    lines = [
        f"  {one.path}: predicted {one.predicted} ({percent(one.probability)}), actual {one.label}"
        for one in shown
    ]
    return [Section(f"Misclassified, the {len(shown):,} most confident{rest}", lines)]


def skipped_words(skipped: "Sequence[Skipped]") -> str:
    """How many photos were skipped, and why: 3 skipped: 2 truncated, 1 empty."""
    reasons = Counter(one.reason for one in skipped).most_common(LISTED)
    if not reasons:
        return ""
    why = ", ".join(f"{number:,} {reason}" for reason, number in reasons)
    return f"{len(skipped):,} skipped: {reasons[0][0] if len(reasons) == 1 else why}"


def _photos(taught: "TeachResult") -> str:
    words = f"{len(taught.features):,} in {len(taught.classifier.classes):,} classes"
    of_columns = any(one.kind == "columns" for one in taught.dataset.findings)
    photos = taught.dataset.photos
    if not of_columns and all(one.label in Path(one.name).parts[:-1] for one in photos):
        words += ", labels from folder names"
    skipped = skipped_words(taught.skipped)
    return f"{words} ({skipped})" if skipped else words


def _method(taught: "TeachResult") -> str:
    from eyespot.heads import NAMES

    recipe, count = taught.classifier.recipe, len(taught.candidates)
    stages = len({block.rpartition(".")[0] for block in recipe.blocks})
    words = taught.method
    if recipe.method in NAMES:
        words = f"{NAMES[recipe.method]} on {counted(stages, 'stage')}"
    if count > 1:
        words += f", selected from {count} candidates by log loss"
    left = dict.fromkeys(one.why for one in taught.omitted)
    if left:
        words += f"; {counted(len(taught.omitted), 'candidate')} omitted: {', '.join(left)}"
    return words


def _review(taught: "TeachResult", photos: Path) -> str:
    copies = sum(len(group) - 1 for group in (*taught.duplicates.near, *taught.duplicates.exact))
    found = []
    if issues := len(taught.label_issues):
        found.append(f"{counted(issues, 'label')} may be wrong")
    if copies:
        found.append(counted(copies, "near-duplicate"))
    command = f"eyespot explain dataset {shlex.quote(str(photos))}"
    return f"{', '.join(found)}:\n{printable(command)}" if found else ""
