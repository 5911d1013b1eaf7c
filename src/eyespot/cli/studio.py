"""`eyespot studio`."""

from typing import Annotated

from eyespot.cli.options import option
from eyespot.cli.show import say
from eyespot.errors import MissingExtraError


def studio(
    port: Annotated[
        int | None,
        option("Port to listen on.", min=1, max=65535, show_default="8765, or a free one"),
    ] = None,
    no_browser: Annotated[
        bool, option("Print the address; do not open it.", "--no-browser")
    ] = False,
) -> None:
    """Train models and explore networks in the browser.

    Only this machine can reach the page.

    Example: eyespot studio
    """
    try:
        from eyespot.studio.server import run
    except ModuleNotFoundError as error:
        raise MissingExtraError("The studio", "studio") from error
    run(port, _announce, open_browser=not no_browser)


def _announce(address: str) -> None:
    say(f"The studio is open at\n\n  {address}\n\nPress Ctrl-C to close it.", flush=True)
