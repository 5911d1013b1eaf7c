"""Parse XML, JSON and YAML of strangers within limits; nothing in them is executed or expanded."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from eyespot.data.photos import printable
from eyespot.data.text import decode_text
from eyespot.errors import DatasetError
from eyespot.files import read_file
from eyespot.limits import (
    MAX_ANNOTATION_BYTES,
    MAX_ANNOTATION_MARKS,
    MAX_YAML_BYTES,
)
from eyespot.shown import reason_of, sentence


def read_xml(file: Path) -> ElementTree.Element:
    """The root element of an XML file. Raises DatasetError."""
    data = _read(file, MAX_ANNOTATION_BYTES)
    _check_marks(file, data, b"<=")
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314 - _Builder refuses entities
    try:
        parser.feed(data)
        root: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DatasetError(f"{printable(file)} is not valid XML: {sentence(error)}") from error
    return root


class _Builder(ElementTree.TreeBuilder):
    """Refuses document types, which alone can define entities."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it declares a DOCTYPE, which annotations never need")


def read_json(file: Path) -> Any:
    """The value of a JSON file. Raises DatasetError."""
    data = _read(file, MAX_ANNOTATION_BYTES)
    _check_marks(file, data, b"{[")
    try:
        return json.loads(decode_text(data))
    except RecursionError as error:
        raise DatasetError(f"{printable(file)} is nested too deeply.") from error
    except ValueError as error:
        raise DatasetError(f"{printable(file)} is not valid JSON: {sentence(error)}") from error


def read_yaml(file: Path) -> Any:
    """The value of a YAML file, with every scalar as text: the class `no` is not False, and 010 is
    not 8. Raises DatasetError, also for aliases, which can expand to any size."""
    import yaml

    class Loader(yaml.BaseLoader):  # type: ignore[misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it has an alias; write its value instead")
            return super().compose_node(parent, index)

    try:
        return yaml.load(decode_text(_read(file, MAX_YAML_BYTES)), Loader)  # noqa: S506 - BaseLoader
    except RecursionError as error:
        raise DatasetError(f"{printable(file)} is nested too deeply.") from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise DatasetError(f"{printable(file)} is not valid YAML: {sentence(why)}") from error


def read_lines(file: Path) -> list[str]:
    """The lines of a text file, stripped, without empty ones. Raises DatasetError."""
    text = decode_text(_read(file, MAX_ANNOTATION_BYTES))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read(file: Path, most: int) -> bytes:
    try:
        data = read_file(file, most)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{printable(file)} cannot be read: {sentence(reason_of(error))}"
        ) from error
    if len(data) > most:
        raise DatasetError(
            f"Expected annotations of at most {most:,} bytes, {printable(file)} has more. Split it."
        )
    return data


def _check_marks(file: Path, data: bytes, marks: bytes) -> None:
    found = sum(data.count(mark) for mark in marks)
    if found > MAX_ANNOTATION_MARKS:
        raise DatasetError(
            f"Expected at most {MAX_ANNOTATION_MARKS:,} values in {printable(file)}, found "
            f"{found:,}. Split it."
        )
