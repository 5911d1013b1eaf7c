"""Ways to learn a head over feature arrays, by name."""

from typing import TYPE_CHECKING

from eyespot.errors import UsageError
from eyespot.shown import shown

if TYPE_CHECKING:
    from eyespot.heads.method import Method

NAMES = {
    "knn": "nearest neighbours",
    "prototypes": "prototypes",
    "logistic": "logistic regression",
    "svm": "linear SVM",
}
"""What `--method` calls the heads, and what they are called in words."""


def make_method(name: str) -> "Method":
    """The head called `name` in `NAMES`. Raises UsageError for an unknown one."""
    # Imported here: scipy and scikit-learn are needed for learning only.
    from eyespot.heads.linear import Linear
    from eyespot.heads.neighbours import Neighbours
    from eyespot.heads.prototypes import Prototypes

    # Balanced: with 10 X-rays of one kind among 500 of each other, the share of the rare ones that
    # is recognised rises from 7 to 70 %, that of all from 85.2 to 86.2 %.
    methods: dict[str, Method] = {
        "knn": Neighbours(),
        "prototypes": Prototypes(),
        "logistic": Linear("cross-entropy", balanced=True),
        "svm": Linear("squared hinge", balanced=True, hyperparameters=(1e-1, 1e-2, 1e-3)),
    }
    given: object = name
    if not isinstance(given, str) or name not in methods:
        raise UsageError(
            f"The method must be one of auto, {', '.join(methods)} or finetune; {shown(name)} "
            "is not."
        )
    return methods[name]
