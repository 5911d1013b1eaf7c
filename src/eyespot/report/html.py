"""What the pages have in common: templates, the style, pictures inside the page."""

import base64
from importlib import resources
from typing import Any

from eyespot import __version__
from eyespot.evaluation import percent, percent_interval


def fill(template: str, **values: Any) -> str:
    """A page as HTML: `template` of this folder with `values`, and `style` and `version`."""
    from jinja2 import Environment, PackageLoader

    templates = Environment(loader=PackageLoader("eyespot.report", "."), autoescape=True)
    templates.filters["percent"] = percent
    templates.filters["interval"] = percent_interval
    return templates.get_template(template).render(
        version=__version__, style=part("style.css"), **values
    )


def part(name: str) -> str:
    """A file of this folder."""
    return resources.files("eyespot.report").joinpath(name).read_text("utf-8")


def data_uri(jpeg: bytes) -> str:
    """A JPEG file as the address of a picture."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
