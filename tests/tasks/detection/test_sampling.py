import torch

from eyespot.tasks.detection.sampling import (
    BACKGROUND,
    FAST_RCNN,
    FOREGROUND,
    RPN,
    UNUSED,
    Matches,
    draw,
    match,
)

OBJECT = torch.tensor([[0.0, 0.0, 100.0, 100.0]])
TAUGHT = torch.tensor([False])


def part(share: float) -> list[float]:
    """A part of the object: its overlap is this share."""
    return [0, 0, 100, 100 * share]


def test_fast_rcnn_s_bounds() -> None:
    references = torch.tensor([part(share) for share in (0.05, 0.1, 0.49, 0.5, 1)])
    found = match(references, OBJECT, TAUGHT, FAST_RCNN)
    assert found.kind.tolist() == [UNUSED, BACKGROUND, BACKGROUND, FOREGROUND, FOREGROUND]
    assert found.truth.tolist() == [0] * 5


def test_a_reference_belongs_to_the_object_that_it_overlaps_most() -> None:
    boxes = torch.cat([OBJECT, OBJECT + 30])
    references = torch.tensor([[5.0, 5.0, 105.0, 105.0], [25.0, 25.0, 125.0, 125.0]])
    assert match(references, boxes, torch.zeros(2, dtype=torch.bool), RPN).truth.tolist() == [0, 1]


def test_each_object_has_an_anchor() -> None:
    """Ren et al. 2015: the anchors with the highest overlap, where none reaches 0.7."""
    references = torch.tensor([part(0.4), part(0.4), part(0.2), part(0.35), [200, 0, 300, 100]])
    found = match(references, OBJECT, TAUGHT, RPN)
    assert found.kind.tolist() == [FOREGROUND, FOREGROUND, BACKGROUND, UNUSED, BACKGROUND]
    far = torch.tensor([[200.0, 0.0, 300.0, 100.0]])  # the highest overlap is 0: no anchor
    assert match(far, OBJECT, TAUGHT, RPN).kind.tolist() == [BACKGROUND]


def test_ignored_objects_are_neither_foreground_nor_background() -> None:
    references = torch.tensor([part(1), part(0.6), [200, 0, 300, 100]])
    for rule in (FAST_RCNN, RPN):
        found = match(references, OBJECT, torch.tensor([True]), rule)
        assert found.kind[:2].tolist() == [UNUSED] * 2
    both = torch.cat([OBJECT, OBJECT])  # a taught object at the same place
    found = match(references, both, torch.tensor([True, False]), FAST_RCNN)
    assert found.kind[0] == FOREGROUND
    assert found.truth[0] == 1


def test_photos_without_objects_are_background() -> None:
    references, none = torch.rand(5, 4), torch.zeros(0, 4)
    nothing = torch.zeros(0, dtype=torch.bool)
    assert match(references, none, nothing, RPN).kind.tolist() == [BACKGROUND] * 5
    # Fast R-CNN's background overlaps an object by 0.1.
    assert match(references, none, nothing, FAST_RCNN).kind.tolist() == [UNUSED] * 5
    assert len(match(none, OBJECT, TAUGHT, RPN).kind) == 0


def drawn(foreground: int, background: int) -> tuple[int, int]:
    kind = torch.tensor([FOREGROUND] * foreground + [BACKGROUND] * background + [UNUSED] * 50)
    kind = kind[torch.randperm(len(kind))]
    matches = Matches(kind, torch.zeros_like(kind))
    indices = draw(matches, FAST_RCNN, torch.Generator().manual_seed(3))
    assert len(set(indices.tolist())) == len(indices)
    kinds = kind[indices].tolist()
    assert kinds == sorted(kinds, reverse=True)
    assert UNUSED not in kinds
    return kinds.count(FOREGROUND), kinds.count(BACKGROUND)


def test_a_quarter_is_foreground() -> None:
    assert drawn(100, 500) == (16, 48)
    assert drawn(5, 500) == (5, 59)
    assert drawn(100, 10) == (16, 10)
    assert drawn(0, 0) == (0, 0)


def test_the_generator_decides() -> None:
    matches = Matches(torch.ones(500, dtype=torch.int64), torch.zeros(500, dtype=torch.int64))
    first, again, other = (
        draw(matches, FAST_RCNN, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
