"""What is written down while serving: a JSON object a line, on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime

from eyespot.shown import harmless_json


class JsonLines(logging.Formatter):
    """`extra={"facts": {...}}` of a message become fields of its line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return harmless_json(json.dumps(line, default=str))


def write_json_lines() -> None:
    """Have this process write all its messages so: eyespot's from info on, others' warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("eyespot").setLevel(logging.INFO)
