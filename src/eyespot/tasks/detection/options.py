"""How a detector is taught."""

from dataclasses import dataclass

from eyespot.features.backbone import DEFAULT
from eyespot.progress import Progress
from eyespot.tasks.detection.method import DENSE


@dataclass(frozen=True, slots=True)
class TeachOptions:
    """`backbone`: a network of the zoo, or a file that `eyespot train` wrote. `method`: of METHODS,
    or AUTO, which compares them. `use_cache`: look up and store maps."""

    backbone: str = DEFAULT
    method: str = DENSE
    use_cache: bool = True
    progress: Progress = lambda stage, done, total: None
