import math

import pytest
import torch
import torch.nn.functional as F

from eyespot.tasks.detection.losses import focal, generalised_iou, multi_task, smooth_l1


def test_smooth_l1_by_hand() -> None:
    found = smooth_l1(torch.tensor([0.0, 0.5, -1.0, 3.0, -2.0]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.125, 0.5, 2.5, 1.5]))


def test_the_multi_task_loss_by_hand() -> None:
    """Two RoIs, K = 2: one of class 2 that is off by 2 in x, and background that is off by 9."""
    logits = torch.zeros(2, 3)
    corrections, targets = torch.zeros(2, 2, 4), torch.zeros(2, 4)
    corrections[0, 1, 0] = 2.0  # the true class
    corrections[0, 0] = 100.0  # another class, which does not count
    corrections[1] = 9.0
    found = multi_task(logits, corrections, torch.tensor([2, 0]), targets, weight=3.0)
    assert found == pytest.approx(math.log(3) + 3 * 1.5 / 2)


def test_no_foreground_and_no_box_have_a_loss_with_gradients() -> None:
    for count in (0, 3):
        logits = torch.randn(count, 3, requires_grad=True)
        corrections = torch.randn(count, 2, 4, requires_grad=True)
        nothing = torch.zeros(count, dtype=torch.int64)
        loss = multi_task(logits, corrections, nothing, torch.zeros(count, 4))
        loss.backward()  # type: ignore[no-untyped-call]
        assert torch.isfinite(loss)
        assert corrections.grad is not None
        assert not corrections.grad.any()


def test_focal_loss_is_cross_entropy_without_focus() -> None:
    logits, targets = torch.randn(9), (torch.arange(9) % 2).float()
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    torch.testing.assert_close(focal(logits, targets, alpha=0.5, gamma=0.0), entropy / 2)
    # p = 0.9 of a positive: 0.25 (1 - 0.9)^2 -log 0.9; of a negative: 0.75 0.9^2 -log 0.1.
    logit = torch.tensor([math.log(9)])
    assert focal(logit, torch.ones(1)).item() == pytest.approx(-0.0025 * math.log(0.9))
    assert focal(logit, torch.zeros(1)).item() == pytest.approx(-0.6075 * math.log(0.1), rel=1e-5)


def test_generalised_iou_by_hand() -> None:
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0]] * 3)
    targets = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0], [4.0, 0.0, 6.0, 2.0]])
    # The same; a third shared, no gap in the hull; nothing shared, a third of the hull is gap.
    expected = torch.tensor([0.0, 2 / 3, 1 + 1 / 3])
    torch.testing.assert_close(generalised_iou(boxes, targets), expected)
    far = torch.tensor([[4.0, 0.0, 6.0, 2.0]], requires_grad=True)
    generalised_iou(far, targets[:1]).sum().backward()  # type: ignore[no-untyped-call]
    assert far.grad is not None
    assert far.grad[0, 0] > 0  # towards the target
