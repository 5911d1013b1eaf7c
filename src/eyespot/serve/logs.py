"""Log lines of the server: one JSON object a line, on standard error."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

from eyespot.shown import harmless_json

logger = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Makes fields of a line from `extra={"facts": {...}}`."""

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
    """Log as JSON lines in this process: eyespot from INFO, other libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("eyespot").setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _write(error)
    threading.excepthook = lambda failed: _write(failed.exc_value)
    sys.unraisablehook = lambda failed: _write(failed.exc_value)


def _write(error: BaseException | None) -> None:
    """Log an uncaught exception, which Python would print as a traceback."""
    logger.error("failed", exc_info=error)
