"""`eyespot`: the verbs, and every error as a message and an exit code.

0: done. 1: failed. 2: bad use. 130: interrupted. Each verb imports what it needs when it runs, so
that `eyespot predict` starts fast.
"""

import functools
import io
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from eyespot import __version__
from eyespot.cli.cache import cache
from eyespot.cli.demo import demo
from eyespot.cli.embed import embed
from eyespot.cli.evaluate import evaluate
from eyespot.cli.explain import VERBS as EXPLAINING
from eyespot.cli.explain import PhotoFirst
from eyespot.cli.explain_dataset import dataset
from eyespot.cli.export import export
from eyespot.cli.graph import graph
from eyespot.cli.predict import predict
from eyespot.cli.serve import serve
from eyespot.cli.show import guard_terminal, say
from eyespot.cli.similar import similar
from eyespot.cli.streams import reader_is_gone
from eyespot.cli.studio import studio
from eyespot.cli.teach import teach
from eyespot.cli.train import train
from eyespot.cli.tune import tune
from eyespot.cli.weights import weights
from eyespot.cli.zoo import zoo
from eyespot.errors import EyespotError, UsageError


class _Verbs(TyperGroup):
    """Its own errors of bad use quote what was typed, which may be a stranger's file's name."""

    def main(self, *args: Any, **more: Any) -> Any:
        if not more.get("standalone_mode", True):
            return super().main(*args, **more)
        more["standalone_mode"] = False
        try:
            code = super().main(*args, **more)
        except typer.Abort:
            say("Aborted!", file=sys.stderr)
            code = 1
        except Exception as error:
            show = getattr(error, "show", None)
            if show is None:
                raise
            said = io.StringIO()
            show(said)
            say(said.getvalue(), end="", file=sys.stderr)
            code = getattr(error, "exit_code", 1)
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    cls=_Verbs, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


def _version(value: bool) -> None:
    if value:
        say(f"eyespot {__version__}")
        raise typer.Exit


@app.callback()
def eyespot(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Teach a computer to recognise new things from a few photos.

    Begin with: eyespot demo
    """
    guard_terminal()


_IN_CACHE = " What was computed is in the cache."
_GOES_ON = " What is done is kept: the same command goes on where it was."
_KEPT: dict[Callable[..., int | None], str] = {
    teach: _IN_CACHE,
    predict: _GOES_ON,
    embed: _GOES_ON,
    evaluate: _IN_CACHE,
    dataset: _IN_CACHE,
    train: " The same command goes on from the last state that was kept.",
    tune: _GOES_ON,
}
"""What is left of the work of an interrupted verb."""


def _guarded(verb: Callable[..., int | None]) -> Callable[..., None]:
    """The verb, with its errors turned into messages and its result into the exit code."""

    @functools.wraps(verb)
    def run(*args: Any, **options: Any) -> None:
        try:
            code = verb(*args, **options)
        except UsageError as error:
            _fail(str(error), 2)
        except EyespotError as error:
            _fail(str(error), 1)
        except KeyboardInterrupt:
            prints_only = verb is predict and not (options["csv"] or options["parquet"])
            _fail(f"Interrupted.{'' if prints_only else _KEPT.get(verb, '')}", 130)
        except MemoryError:
            _fail("There is not enough memory. Close other programs or use fewer photos.", 1)
        except OSError as error:
            if isinstance(error, BrokenPipeError) and reader_is_gone():  # it has seen enough
                raise typer.Exit(0) from None
            where = f" ({error.filename})" if error.filename else ""
            _fail(f"The system refused: {error.strerror or error}{where}.", 1)
        raise typer.Exit(code or 0)

    return run


def _fail(message: str, code: int) -> NoReturn:
    say(f"eyespot: {message}", file=sys.stderr)
    raise typer.Exit(code)


_verb: Callable[..., int | None]
for _verb in (
    teach,
    predict,
    evaluate,
    demo,
    embed,
    similar,
    cache,
    zoo,
    weights,
    train,
    tune,
    export,
    studio,
    serve,
):
    app.command()(_guarded(_verb))
# An expression may begin with a minus, and is no option then.
app.command(context_settings={"ignore_unknown_options": True})(_guarded(graph))

_explain = typer.Typer(rich_markup_mode=None, cls=PhotoFirst)
app.add_typer(_explain, name="explain", help="Why it says so; what a network looks for and finds.")
for _verb in (*EXPLAINING, dataset):
    _explain.command()(_guarded(_verb))


def main() -> None:
    """Run the command line and exit with its code."""
    app()
