from eyespot.playground.curves import MOST, Curves


def test_long_curves_thin_out_evenly() -> None:
    curves = Curves()
    for epoch in range(5 * MOST):
        if curves.is_due(epoch):
            curves.add(epoch, epoch / 2, -epoch)
        assert len(curves.epochs) <= MOST
    assert curves.every == 8
    assert curves.epochs == list(range(0, 5 * MOST, 8))
    assert curves.train == [epoch / 2 for epoch in curves.epochs]
    assert curves.test == [-epoch for epoch in curves.epochs]


def test_short_ones_are_whole() -> None:
    curves = Curves()
    for epoch in range(MOST):
        assert curves.is_due(epoch)
        curves.add(epoch, 0, 0)
    assert curves.epochs == list(range(MOST))
