from eyespot.playground.simulator import MOST_POINTS, Curves


def test_long_curves_thin_out_evenly() -> None:
    curves = Curves()
    for epoch in range(5 * MOST_POINTS):
        if epoch % curves.every == 0:
            curves.add(epoch, epoch / 2, -epoch)
        assert len(curves.epochs) <= MOST_POINTS
    assert curves.every == 8
    assert curves.epochs == list(range(0, 5 * MOST_POINTS, 8))
    assert curves.train == [epoch / 2 for epoch in curves.epochs]
    assert curves.test == [-epoch for epoch in curves.epochs]


def test_short_ones_are_whole() -> None:
    curves = Curves()
    for epoch in range(MOST_POINTS):
        assert epoch % curves.every == 0
        curves.add(epoch, 0, 0)
    assert curves.epochs == list(range(MOST_POINTS))
