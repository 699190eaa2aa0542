"""What KORE really sends compared with what we look for: nothing about its fields is documented (assumption K-7)."""

import msgspec

from integrations.contract import Capability, Settings
from integrations.vendors.kore import fieldmap
from integrations.vendors.kore.client import Rows
from integrations.vendors.kore.streams import KoreStream

MAX_NOTE = 500
NEEDED = ("id", "modified_date")  # without these nothing can be followed; both are documented


def capability(stream: KoreStream, settings: Settings, rows: Rows) -> Capability:
    """What may be read, with a note on which fields were found; `rows` is one row with its null fields, or none."""
    if not rows:
        return Capability(stream=stream.key, state="available", note="No records yet, so no fields to compare.")
    try:
        keys = msgspec.json.decode(rows[0], type=dict[str, msgspec.Raw]).keys()
    except (msgspec.DecodeError, RecursionError):
        return Capability(stream=stream.key, state="unknown", note="KORE's record is no JSON object we can read.")
    if absent := [name for name in NEEDED if name not in keys]:
        note = f"KORE sends no {' and no '.join(absent)} with its {stream.key}: without that they cannot be followed."
        return Capability(stream=stream.key, state="unknown", note=note)
    return Capability(stream=stream.key, state="available", note=_note(stream, settings, frozenset(keys)))


def _note(stream: KoreStream, settings: Settings, keys: frozenset[str]) -> str:
    wanted, own = stream.wanted(settings), fieldmap.overrides(settings, stream.key)
    matched, missing, mistaken = [], [], []
    for name, candidates in wanted.items():
        if found := next((key for key in candidates if key in keys), ""):
            matched.append(name if found == name else f"{name} = {found}")
        elif name in own:
            mistaken.append(f"{name} = {', '.join(candidates)}")
        else:
            missing.append(name)
    sentences = [
        f"Your field names that KORE does not send: {'; '.join(mistaken)}." if mistaken else "",
        f"Not provided by KORE: {', '.join(missing)}." if missing else "",
        f"Found: {', '.join(matched)}." if matched else "",
    ]
    note = " ".join(filter(None, sentences))
    return note if len(note) <= MAX_NOTE else f"{note[: MAX_NOTE - 1]}…"
