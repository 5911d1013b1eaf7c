"""`eyespot studio`."""

from typing import Annotated

import typer

from eyespot.cli.show import say
from eyespot.errors import MissingExtraError


def studio(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Where to listen. [default: 8765, or a free one]"),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only say where the page is, do not open it.")
    ] = False,
) -> None:
    """Teach, look and play on a page that this machine serves to itself alone.

    Example: eyespot studio
    """
    try:
        from eyespot.studio.server import run
    except ModuleNotFoundError as error:
        raise MissingExtraError("The studio", "studio") from error
    run(port, _say, open_browser=not no_browser)


def _say(address: str) -> None:
    say(f"The studio is open at\n\n  {address}\n\nPress Ctrl-C to close it.", flush=True)
