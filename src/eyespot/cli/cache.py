"""`eyespot cache`."""

from typing import Annotated

import typer

from eyespot.cli.show import print_json, say


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Forget all features.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Show or clear the cache of features.

    Example: eyespot cache --clear
    """
    from eyespot.features.cache import FeatureCache

    store = FeatureCache()
    if clear:
        store.clear()
    info = store.info()
    if as_json:
        print_json(
            {
                "path": str(info.path),
                "photos": info.photos,
                "bytes": info.bytes,
                "limit": info.limit,
            }
        )
    else:
        say(
            f"{info.path}\n{info.photos:,} photos, {info.bytes / 1e6:,.1f} MB of at most "
            f"{info.limit / 1e6:,.0f} MB (EYESPOT_CACHE_LIMIT, in MB)."
        )
