"""Import weights from other libraries into the store, under eyespot's names."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError
from eyespot.weights import zoo
from eyespot.weights.fitting import fit, read_weights
from eyespot.weights.store import Pretrained, read_description, sha256_of, store_file
from eyespot.weights.write import write_weights


def import_weights(
    name: str,
    path: str | Path,
    *,
    preprocessing: Preprocessing | None = None,
    classes: Sequence[str] | None = None,
) -> Path:
    """Import the weights in `path` as those of the network called `name`.

    `preprocessing`, `classes`: of the weights; None for those of the file, or else the network's.
    Returns the store's file, which is replaced only after all checks. Raises UsageError for an
    unknown name, WeightsError if the file is damaged, unknown, or does not fit.
    """
    network, path = zoo.find(name), Path(path)
    model = zoo.create(name)
    found = read_weights(model, network, path)
    fit(model, network, found.state, path, fresh_head=False)
    state = model.state_dict()
    *_, outputs = (len(state[key]) for key in state if key.startswith(model.head_names))
    if found.checkpoint.metadata.get("eyespot"):
        known = read_description(network, path)
    else:
        own_classes = network.dataset == "ImageNet" and outputs == network.num_classes
        known = Pretrained(
            path,
            "store",
            found.preprocessing,
            None if own_classes else (),
            _digest(found.checkpoint.files),
        )
    if classes is not None:
        known = replace(known, classes=tuple(classes))
    if known.classes and len(known.classes) != outputs:
        raise UsageError(
            f"{path} has {outputs} outputs, but there are {len(known.classes)} names of classes. "
            "Give one for each, in the order of the outputs."
        )
    known = replace(known, preprocessing=preprocessing or known.preprocessing)
    source = f"{path.name} ({found.form})"
    return write_weights(store_file(name), network, state, known, source)


def _digest(files: Sequence[Path]) -> str:
    """sha256 of a file; of several, that of their concatenated digests."""
    digests = [sha256_of(file) for file in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
