"""`eyespot cache`."""

from typing import Annotated

from eyespot.cli.options import Json, option
from eyespot.cli.show import print_json, say


def cache(
    clear: Annotated[bool, option("Delete the content of the cache.", "--clear")] = False,
    as_json: Json = False,
) -> None:
    """Show or clear cached features and converted networks.

    Example: eyespot cache --clear
    """
    from eyespot.features.cache import FeatureCache
    from eyespot.features.cache_folder import clear_others, other_bytes

    store = FeatureCache()
    if clear:
        store.clear()
        clear_others()
    info, more = store.info(), other_bytes()
    if as_json:
        print_json(
            {
                "path": str(info.path),
                "photos": info.photos,
                "bytes": info.bytes,
                "limit": info.limit,
                "beside_bytes": more,
            }
        )
    else:
        say(
            f"{info.path}\n{info.photos:,} photos, {info.bytes / 1e6:,.1f} MB of at most "
            f"{info.limit / 1e6:,.0f} MB (EYESPOT_CACHE_LIMIT, in MB).\nConverted networks, "
            f"classifiers' own weights and other files: {more / 1e6:,.1f} MB."
        )
