"""The sha256 of the weights that torchvision publishes.

The names of the files end in its first 8 digits, which prove nothing: another file with the same
digits can be found in minutes.
"""

import re
from pathlib import Path

# fmt: off
WHOLE = {
    "alexnet-owt-7be5be79.pth": "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    "googlenet-1378be20.pth": "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
    "mobilenet_v2-b0353104.pth":
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    "resnet101-63fe2227.pth": "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    "resnet152-394f9c45.pth": "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
    "resnet18-f37072fd.pth": "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    "resnet34-b627a593.pth": "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    "resnet50-0676ba61.pth": "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    "squeezenet1_1-b8a52dc0.pth":
        "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
    "vgg16-397923af.pth": "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    "vgg16_bn-6c64b313.pth": "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a",
    "vgg19-dcbb9e9d.pth": "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    "vgg19_bn-c79401a0.pth": "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6",
}
"""Each as at least two independent projects pin it. None were found for vgg11, vgg11_bn, vgg13,
vgg13_bn and squeezenet1_0."""
# fmt: on


def digest_record(path: Path) -> Path:
    """The file that keeps the whole digest of a downloaded file."""
    return path.with_name(f"{path.name}.sha256")


def published_digest(path: Path) -> str:
    """The sha256 of the published file at `path`, which need not exist.

    Only its first digits if no project pins it and the file was not downloaded yet.
    """
    if path.name in WHOLE:
        return WHOLE[path.name]
    first = path.name.removesuffix(".pth").rpartition("-")[2]
    try:
        kept = digest_record(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return first
    return kept if re.fullmatch("[0-9a-f]{64}", kept) and kept.startswith(first) else first
