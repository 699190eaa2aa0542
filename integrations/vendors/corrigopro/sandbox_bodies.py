"""What the sandbox takes from a request's body, and the errors it answers with: codes and shape as documented."""

from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.kit import Reply, Request

LONGEST_TEXT = 3000
GONE = "The work order was not found or has been recalled."


class Refusal(Exception):
    """The request is understood and not carried out: a code of the 30xx range with its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Mistake(Exception):
    """The request is not understood (2100): the field, the kind of error, and words."""

    def __init__(self, name: str, kind: str, words: str) -> None:
        super().__init__(words)
        self.name, self.kind, self.words = name, kind, words


def failure(status: int, code: int, message: str, message_id: str | None, *mistakes: dict[str, str]) -> Reply:
    body = {"Code": code, "Message": message, "MessageId": message_id, "ValidationErrors": list(mistakes) or None}
    return Reply.json(body, status)


def invalid(name: str, kind: str, message: str, message_id: str | None) -> Reply:
    mistake = {"FieldName": name, "ErrorType": kind, "Message": message}
    return failure(400, 2100, "The request is invalid.", message_id, mistake)


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def text(body: dict[str, Any], name: str, *, is_required: bool = False, most: int = LONGEST_TEXT) -> str:
    value = body.get(name)
    if value is None or value == "":
        if is_required:
            raise Mistake(name, "Required", f"{name} is required")
        return ""
    if not isinstance(value, str):
        raise Mistake(name, "IncorrectType", f"{name} must be text")
    if len(value) > most:
        raise Mistake(name, "OutOfRange", f"{name} is longer than {most}")
    return value


def whole(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if value is None:
        raise Mistake(name, "Required", f"{name} is required")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Mistake(name, "IncorrectType", f"{name} must be a whole number")
    return value


def wholes(body: dict[str, Any], name: str) -> list[int]:
    value = body.get(name)
    if not isinstance(value, list) or not value:
        raise Mistake(name, "Required", f"{name} is required")
    return [whole({name: one}, name) for one in value]


def amount(body: dict[str, Any], name: str, *, is_required: bool = True) -> float | None:
    value = body.get(name)
    if value is None and not is_required:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Mistake(name, "IncorrectType" if value is not None else "Required", f"{name} must be a number")
    return value


def moment(body: dict[str, Any], name: str) -> datetime | None:
    given = text(body, name, most=40)
    try:
        found = datetime.fromisoformat(given) if given else None
    except ValueError:
        raise Mistake(name, "IncorrectType", f"{name} must be an ISO 8601 date and time") from None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def one_of(body: dict[str, Any], name: str, words: tuple[str, ...], default: str) -> str:
    given = text(body, name) or default
    if given not in words:
        raise Mistake(name, "IncorrectValue", f"{name} must be one of {', '.join(words)}")
    return given


def part(body: dict[str, Any], name: str, *, is_required: bool = False) -> dict[str, Any]:
    """A member that is an object; empty when it is not there."""
    value = body.get(name)
    if value is None and not is_required:
        return {}
    if not isinstance(value, dict):
        raise Mistake(name, "IncorrectType" if value is not None else "Required", f"{name} must be an object")
    return value


def parts(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Mistake(name, "IncorrectType", f"{name} must be a list of objects")
    return value


def location(body: dict[str, Any]) -> dict[str, Any] | None:
    place = part(body, "Location")
    if not place:
        return None
    found = {name: amount(place, name) or 0 for name in ("Latitude", "Longitude")}
    if abs(found["Latitude"]) > 90 or abs(found["Longitude"]) > 180:
        raise Mistake("Location", "OutOfRange", "Location is nowhere on earth")
    return found


def performer(body: dict[str, Any]) -> dict[str, Any]:
    """Who did it, as the header of a notification names a sender on our side."""
    person = part(body, "PerformedBy")
    return {"Name": text(person, "Name") or "API", "Phone": text(person, "Phone"), "Type": "CorrigoPro"}
