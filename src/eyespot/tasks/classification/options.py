"""Options of `teach`, checked."""

from dataclasses import dataclass
from numbers import Real

from eyespot.errors import UsageError
from eyespot.features.backbone import DEFAULT
from eyespot.progress import Progress
from eyespot.shown import shown
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.policy import FINETUNE


@dataclass(frozen=True)
class TeachOptions:
    """See `teach`. Raises UsageError for values or combinations that it cannot use."""

    method: str = "auto"
    budget: float | None = None
    backbone: str = DEFAULT
    onto: Classifier | None = None
    forget_photos: bool = False
    use_cache: bool = True
    progress: Progress = lambda stage, done, total: None

    def __post_init__(self) -> None:
        method, budget, onto = (getattr(self, name) for name in ("method", "budget", "onto"))
        if onto is not None and not isinstance(onto, Classifier):
            raise UsageError(f"onto is a Classifier from eyespot.load, not {shown(onto)}.")
        if not isinstance(method, str):
            raise UsageError(f"method is a name such as auto or finetune, not {shown(method)}.")
        if budget is not None and (
            isinstance(budget, bool) or not isinstance(budget, Real) or not float(budget) >= 0
        ):
            raise UsageError(f"budget is a number of seconds, 0 or more; got {shown(budget)}.")
        if self.forget_photos and method == "knn":
            raise UsageError(
                "Nearest neighbours need the photos' features, which --forget-photos leaves out. "
                "Choose another method, or keep the features."
            )
        if onto is not None:
            self._check_onto(onto)

    def _check_onto(self, onto: Classifier) -> None:
        if self.backbone not in (DEFAULT, onto.backbone.name):
            raise UsageError(
                f"The classifier to add photos to has the backbone {onto.backbone.name}, not "
                f"{self.backbone}. Leave out the backbone, or train a new classifier."
            )
        if FINETUNE in (self.method, onto.recipe.method):
            raise UsageError(
                "Fine-tuning needs the photos themselves, and a classifier keeps only their "
                "features. Leave out the classifier to add to, and give all the photos."
            )
