"""`eyespot explain`: first-layer filters, activation maps, and the group of its verbs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer.core import TyperGroup

from eyespot.cli.explain_photo import photo
from eyespot.cli.models import expect_network, open_network
from eyespot.cli.options import MODEL_HELP, argument, models, option
from eyespot.cli.outputs import check_ending, check_outputs, write_png
from eyespot.cli.show import say
from eyespot.errors import PhotoError
from eyespot.shown import counted, printable, sentence

if TYPE_CHECKING:
    from eyespot.data.transforms import Preprocessing
    from eyespot.models.convnet import ConvNet

Name = Annotated[str, argument(MODEL_HELP, metavar="MODEL", autocompletion=models)]
Random = Annotated[bool, option("Random weights instead of trained ones.", "--random")]


def filters(
    name: Name,
    output: Annotated[Path, option("The PNG file to write.", "-o", "--output")] = Path(
        "filters.png"
    ),
    random: Random = False,
) -> None:
    """Draw the first-layer filters of a network.

    Example: eyespot explain filters efficientnet_lite0 -o filters.png
    """
    check_ending(output, ".png")
    check_outputs([output])
    from eyespot.explain.filters import draw_filters

    network, _ = _network(name, random)
    say(write_png(draw_filters(network, _shown(name, random)), output))


def activations(
    name: Name,
    photo: Annotated[Path, argument("The photo.")],
    stage: Annotated[
        str | None, option("The stage; 'all' for a file for each.", show_default="the first")
    ] = None,
    output: Annotated[
        Path | None,
        option(
            "The PNG file, or the folder for all.", "-o", "--output", show_default="maps.png, maps"
        ),
    ] = None,
    random: Random = False,
) -> None:
    """Draw the activation maps of a photo in a network.

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
    short_side = needed_short_side(preprocessing)
    try:
        pixels = decode(FileSource(photo).read(), short_side=short_side).pixels
    except PhotoError as error:
        raise PhotoError(f"{printable(photo)} cannot be used: {sentence(error)}") from error
    image = network_input(network, pixels, preprocessing)
    maps = activations(network, image, preprocessing)
    if whole:
        digits = len(str(len(maps)))
        files = {n: output / f"{i:0{digits}}-{n}.png" for i, n in enumerate(maps, start=1)}
        check_outputs([*files.values()], [photo])
    else:
        files = {stage or next(iter(maps)): output}
        for wanted in files:
            stage_called(wanted, maps)
    for wanted, path in files.items():
        title = f"{_shown(name, random)}: {wanted}"
        say(write_png(draw_activations(maps[wanted], image, title), path))
    if whole:
        say(f"Wrote {counted(len(files), 'stage')} to {printable(output)}")


VERBS = (photo, filters, activations)


class PhotoFirst(TyperGroup):
    """A group in which `explain photo.jpg` is short for `explain photo photo.jpg`."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, "PHOTO -m MODEL [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # a shell completes
            return super().parse_args(ctx, args)
        if not args:
            ctx.fail(f"Name a photo, as in: {ctx.command_path} photo.jpg -m pets.eyespot")
        if args[0] not in (*self.commands, "--help"):
            args = [photo.__name__, *args]
        return super().parse_args(ctx, args)


def _network(name: str, random: bool) -> "tuple[ConvNet, Preprocessing]":
    if not random:
        return open_network(name)
    import torch

    from eyespot.weights.zoo import create, find

    expect_network(name)
    torch.manual_seed(0)  # the same weights in each run
    return create(name), find(name).preprocessing


def _shown(name: str, random: bool) -> str:
    return f"{name}, random weights" if random else name
