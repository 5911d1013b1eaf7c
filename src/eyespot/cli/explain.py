"""`eyespot explain`: pictures of what a network looks for, of what it finds, and of why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from eyespot.cli.explain_photo import photo
from eyespot.cli.outputs import check_ending, check_outputs, write_png
from eyespot.cli.show import counted, printable, say
from eyespot.errors import PhotoError
from eyespot.shown import sentence

if TYPE_CHECKING:
    from eyespot.data.transforms import Preprocessing
    from eyespot.models.convnet import ConvNet

Name = Annotated[str, typer.Argument(metavar="NAME", help="The network.")]
Random = Annotated[bool, typer.Option("--random", help="Fresh weights instead of trained ones.")]


def filters(
    name: Name,
    output: Annotated[Path, typer.Option("-o", "--output", help="The PNG file to write.")] = Path(
        "filters.png"
    ),
    random: Random = False,
) -> None:
    """Draw the kernels of a network's first layer.

    Example: eyespot explain filters efficientnet_lite0 -o filters.png
    """
    check_ending(output, ".png")
    check_outputs([output])
    from eyespot.explain.filters import draw_filters

    network, _ = _network(name, random)
    say(write_png(draw_filters(network, _shown(name, random)), output))


def activations(
    name: Name,
    photo: Annotated[Path, typer.Argument(help="The photo to look at.")],
    stage: Annotated[
        str | None,
        typer.Option(help="Whose maps; 'all' for a file each. [default: the first stage]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The PNG file, or the folder for all. [default: maps.png, maps]"
        ),
    ] = None,
    random: Random = False,
) -> None:
    """Draw every feature map that a network makes of a photo.

    Example: eyespot explain activations efficientnet_lite0 photo.jpg --stage stage3 -o maps.png
    """
    whole = stage == "all"
    output = output or Path("maps" if whole else "maps.png")
    if not whole:
        check_ending(output, ".png")
        check_outputs([output], [photo])
    from eyespot.data.decode import decode
    from eyespot.data.photos import FileSource
    from eyespot.data.transforms import needed_short_side
    from eyespot.explain.activations import (
        activations,
        draw_activations,
        network_input,
        stage_called,
    )

    network, preprocessing = _network(name, random)
    try:
        short_side = needed_short_side(preprocessing)
        pixels = decode(FileSource(photo).read(), short_side=short_side).pixels
    except PhotoError as error:
        raise PhotoError(f"{printable(str(photo))} cannot be used: {sentence(error)}") from error
    picture = network_input(network, pixels, preprocessing)
    maps = activations(network, picture, preprocessing)
    if whole:
        digits = len(str(len(maps)))
        files = {n: output / f"{i:0{digits}}-{n}.png" for i, n in enumerate(maps, start=1)}
        check_outputs(files.values(), [photo])
    else:
        files = {stage or next(iter(maps)): output}
        for wanted in files:
            stage_called(wanted, maps)
    for wanted, path in files.items():
        title = f"{_shown(name, random)}: {wanted}"
        say(write_png(draw_activations(maps[wanted], picture, title), path))
    if whole:
        say(f"{counted(len(files), 'stage')}, {printable(str(output))}")


VERBS = (photo, filters, activations)


class PhotoFirst(TyperGroup):
    """`explain photo.jpg` is short for `explain photo photo.jpg`."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, "PHOTO -m CLASSIFIER [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args:
            ctx.fail(f"Name a photo, as in: {ctx.command_path} photo.jpg -m pets.eyespot")
        if args[0] not in (*self.commands, "--help"):
            args = [photo.__name__, *args]
        return super().parse_args(ctx, args)


def _network(name: str, random: bool) -> "tuple[ConvNet, Preprocessing]":
    import torch

    from eyespot.weights.find import find_weights
    from eyespot.weights.zoo import create, find

    about = find(name)
    torch.manual_seed(0)  # fresh weights that are the same tomorrow
    if random:
        return create(name), about.preprocessing
    return create(name, weights="imagenet"), find_weights(about).preprocessing


def _shown(name: str, random: bool) -> str:
    return f"{name}, not trained" if random else name
