"""Photos to frozen features, for scikit-learn's pipelines and for arrays of one's own."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from eyespot.data.given import PhotoLike, many, named_photos
from eyespot.data.unlabelled import find_unlabelled
from eyespot.errors import PhotoError, UsageError
from eyespot.features.backbone import CONFIDENCE, DEFAULT, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, block_widths
from eyespot.features.extract import embed as embed_all
from eyespot.progress import Progress, counting
from eyespot.shown import sentence, shown


def embed(
    photos: str | Path | Sequence[str | Path] | Iterable[PhotoLike],
    *,
    backbone: str = DEFAULT,
    use_cache: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Features:
    """Features of every photo, in their order, with names, hashes and thumbnails.

    `photos`: a path of a folder, a file or shards, or a list of what `Classifier.predict` takes.
    `backbone`: a network of the zoo, or a file that `eyespot train` wrote. Raises PhotoError for
    an unreadable photo, WeightsError if the weights are missing.
    """
    if isinstance(photos, str | Path):
        given = list(find_unlabelled(photos).photos)
    else:
        given = named_photos(many(photos))
    body = load_backbone(backbone)
    step = counting(progress, "Embedding photos", len(given))
    cache = FeatureCache() if use_cache else None
    features, _, skipped = embed_all(given, body, open_engine(body), cache, step)
    if skipped:
        raise PhotoError(f"{skipped[0].path} cannot be used: {sentence(skipped[0].reason)}")
    return features


class EyespotFeatures(TransformerMixin, BaseEstimator):
    """Frozen features of photos, float32 [n, d], as a scikit-learn transformer.

    `backbone`: a network of the zoo, or a file that `eyespot train` wrote. `stages`: "all" stages
    that describe photos well, the "last" one, or names such as ("stage4", "stage5"). `use_cache`:
    keep features between runs.

    Fitted: `blocks_`, names of the pooled stages; `n_features_out_`. X is a list, or an array, of
    what `Classifier.predict` takes. A fitted transformer keeps no engine: it can be pickled.
    """

    def __init__(
        self,
        *,
        backbone: str = DEFAULT,
        stages: str | Sequence[str] = "all",
        use_cache: bool = True,
    ) -> None:
        self.backbone = backbone
        self.stages = stages
        self.use_cache = use_cache

    def fit(self, X: Iterable[PhotoLike], y: object = None) -> "EyespotFeatures":
        """Find the backbone and its stages; photos are not read. Raises UsageError for an unknown
        backbone or stage."""
        many(X)
        body = load_backbone(self.backbone)
        self.blocks_ = _blocks_of(self.stages, body.blocks)
        self.widths_ = block_widths(open_engine(body).layout, self.blocks_)
        self.n_features_out_ = sum(self.widths_)
        return self

    def transform(self, X: Iterable[PhotoLike]) -> NDArray[np.float32]:
        """Features float32 [n, d]: signed roots of the pooled activations, as heads take them.
        Raises PhotoError for an unreadable photo."""
        check_is_fitted(self)
        features = embed(many(X), backbone=self.backbone, use_cache=self.use_cache)
        return features.inputs(self.blocks_)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Names such as "stage5.mean_0", [d]."""
        check_is_fitted(self)
        names = [
            f"{block}_{column}"
            for block, width in zip(self.blocks_, self.widths_, strict=True)
            for column in range(width)
        ]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        tags.no_validation = True  # photos are not an array of numbers
        tags.input_tags.two_d_array = False
        return tags


def _blocks_of(stages: str | Sequence[str], blocks: tuple[str, ...]) -> tuple[str, ...]:
    """The blocks of the named stages, in column order."""
    if stages in ("all", "last"):
        return blocks if stages == "all" else blocks[-1:]
    wanted = {stages} if isinstance(stages, str) else set(stages)
    known = [block.rpartition(".")[0] for block in blocks if block != CONFIDENCE]
    if unknown := wanted - set(known):
        raise UsageError(
            f"There is no stage {shown(min(unknown))}. Expected all, last, or some of: "
            f"{', '.join(dict.fromkeys(known))}"
        )
    return tuple(block for block in blocks if block.rpartition(".")[0] in wanted)
