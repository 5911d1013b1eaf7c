import pytest

from eyespot.errors import UsageError
from eyespot.nearest import nearest_name
from eyespot.weights.zoo import NETWORKS, find


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("resnet5", "resnet50"),
        ("ResNet-50", "resnet50"),
        ("resnet_50", "resnet50"),
        ("resnet15", "resnet152"),
        ("vgg", "vgg11"),
        ("alexnett", "alexnet"),
        ("efficientnet", "efficientnet_lite0"),
        ("squeezenet", "squeezenet1_0"),
        ("zzz", None),
        ("", None),
    ],
)
def test_networks(asked: str, meant: str | None) -> None:
    assert nearest_name(asked, NETWORKS) == meant
    with pytest.raises(UsageError) as refusal:
        find(asked)
    hint = "list all networks with: eyespot zoo" if meant is None else f"did you mean '{meant}'?"
    assert str(refusal.value).endswith(hint)


def test_of_equals_the_first_is_meant() -> None:
    assert nearest_name("cot", ["cat", "cut"]) == "cat"
    assert nearest_name("CAT", ["dog", "cat"]) == "cat"
