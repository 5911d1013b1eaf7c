"""timm's network with the weights that eyespot uses. Import this before torchvision."""

import torch

# Wheels of torchvision expect CUDA's torch; beside the CPU's they need these two names to import.
_LIBRARY = torch.library.Library("torchvision", "DEF")
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def load_in_order(network: torch.nn.Module, weights: str) -> None:
    """Both definitions list the same arrays in the same order; shapes are checked."""
    from safetensors.torch import load_file

    arrays = load_file(weights)
    state = network.state_dict()
    for (name, array), (_, given) in zip(state.items(), sorted(arrays.items()), strict=False):
        if array.shape != given.shape:
            raise ValueError(f"{name}: {tuple(array.shape)} is not {tuple(given.shape)}")
        state[name] = given
    network.load_state_dict(state)


def network(weights: str) -> torch.nn.Module:
    import timm

    net = timm.create_model("tf_efficientnet_lite0", num_classes=1000)
    load_in_order(net, weights)
    net.reset_classifier(0)
    return net.eval()


def loader(folder: str, batch: int = 32):
    """timm's own loader, as its validation script sets it up."""
    from timm.data import ImageDataset, create_loader

    return create_loader(
        ImageDataset(folder),
        input_size=(3, 224, 224),
        batch_size=batch,
        is_training=False,
        use_prefetcher=False,
        interpolation="bicubic",
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        crop_pct=0.875,
        num_workers=2,
        device=torch.device("cpu"),
    )
