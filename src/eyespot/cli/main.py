"""`eyespot`: find the verb, run it, and turn every error into a message and an exit code.

0: done. 1: failed. 2: bad use. 130: interrupted. A verb's own file is imported only when it is
called, so that `eyespot predict` starts fast.
"""

import importlib
import os
import sys
from typing import Any

import click
import typer
from typer.core import TyperGroup

from eyespot import __version__
from eyespot.errors import EyespotError, UsageError

VERBS = {
    "teach": "Teach a classifier from photos and report how good it is.",
    "predict": "Say what is on photos.",
    "evaluate": "Measure a classifier on photos it has not seen.",
    "demo": "Do the whole job on pictures that installed packages carry.",
    "embed": "Write the features of photos to a Parquet file.",
    "cache": "Show or clear the cache of features.",
}


class Verbs(TyperGroup):
    """The verbs, each imported from its own file when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"eyespot.cli.{cmd_name}")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(name=cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(app)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


app = typer.Typer(cls=Verbs, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _version(value: bool) -> None:
    if value:
        print(f"eyespot {__version__}")
        raise typer.Exit


@app.callback()
def eyespot(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Teach a computer to recognise new things from a few photos.

    Begin with: eyespot demo
    """


def main() -> Any:
    """Run the command line and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except UsageError as error:
        _fail(str(error), 2)
    except EyespotError as error:
        _fail(str(error), 1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _fail("Interrupted. What was computed is kept; run the same command to go on.", 130)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _fail("There is not enough memory for this. Close other programs or use fewer photos.", 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"The system refused: {error.strerror or error}{where}.", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    print(f"eyespot: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
