"""Logs as JSON lines, one event each, with secrets taken out by name and by shape."""

import json
import logging
import re
from datetime import UTC, datetime

_BY_NAME = re.compile(
    r"(?i)((?:client[_-]?secret|secret[_-]?key|password|passwd|access[_-]?token|refresh[_-]?token|api[_-]?key|"
    r"subscription-key|authorization|code|state|sessionid)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+|basic\s+)?)[^\s\"'&,;}]+"
)
_BY_SHAPE = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=<>-]{8,}|\beyJ[A-Za-z0-9._-]{20,}")
_ONE_TIME_LINK = re.compile(r"(/(?:give|invitations)/)[A-Za-z0-9_-]{20,}")
_ADDRESS_LOGIN = re.compile(r"(://[^:/@\s]+:)[^@\s]+@")


def redact(text: str) -> str:
    """`text` with everything that looks like a secret replaced by `***`."""
    text = _BY_NAME.sub(r"\1***", text)
    text = _BY_SHAPE.sub("***", text)
    text = _ONE_TIME_LINK.sub(r"\1***", text)
    return _ADDRESS_LOGIN.sub(r"\1***@", text)


class Redact(logging.Filter):
    """Formats the message once and cleans it, whoever logged it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True


class JsonLine(logging.Formatter):
    """One event a line. The trace names the code, not its local variables."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("tenant", "connection", "run", "status_code"):
            if hasattr(record, name):
                line[name] = str(getattr(record, name))
        if record.exc_info:
            line["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(line)
