"""What is written down while serving: a JSON object a line, on standard error."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

from eyespot.shown import harmless_json

logger = logging.getLogger(__name__)


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
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _write(error)
    threading.excepthook = lambda failed: _write(failed.exc_value)
    sys.unraisablehook = lambda failed: _write(failed.exc_value)


def _write(error: BaseException | None) -> None:
    """What nobody caught, which Python would write as a traceback."""
    logger.error("failed", exc_info=error)
