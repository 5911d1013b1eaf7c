"""The detector of faces: as its weights are published, and as the lecture draws it."""

import torch

from eyespot.models import tiny_yolo

LECTURE = {
    "conv0": (16, 224, 224),
    "pool0": (16, 112, 112),
    "conv1": (32, 112, 112),
    "pool1": (32, 56, 56),
    "conv2": (64, 56, 56),
    "pool2": (64, 28, 28),
    "conv3": (128, 28, 28),
    "pool3": (128, 14, 14),
    "conv4": (256, 14, 14),
    "pool4": (256, 7, 7),
    "conv5": (512, 7, 7),
    "pool5": (512, 7, 7),
}
PUBLISHED = LECTURE | {"conv0": (16, 222, 222), "pool0": (16, 111, 111), "conv1": (32, 111, 111)}


def test_sizes_of_both_variants() -> None:
    for name, sizes in (("tiny_yolo_face_padded", LECTURE), ("tiny_yolo_face", PUBLISHED)):
        network = tiny_yolo.build(name, 25, 3).eval()
        x = torch.zeros(1, 3, 224, 224)
        maps = network.forward_features(x)
        assert {stage: tuple(value.shape[1:]) for stage, value in maps.items()} == sizes
        assert network(x).shape == (1, 25, 7, 7)


def test_the_variants_share_their_parameters_and_differ_at_edges_alone() -> None:
    torch.manual_seed(0)
    padded = tiny_yolo.build("tiny_yolo_face_padded", 25, 3)
    published = tiny_yolo.build("tiny_yolo_face", 25, 3)
    padded.load_state_dict(published.state_dict())
    x = torch.rand(1, 3, 32, 32)
    inside = padded.stages["conv0"](x)[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(inside, published.stages["conv0"](x))
