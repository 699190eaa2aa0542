"""The practices in the sandbox: who they are, what opens their data, and the words it is made of."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

_MIXER, _SPACE = 0x5DEECE66D, 1 << 48
MELBOURNE = ("39D62534-501C-49CD-9DA9-6FA8D6A81F48", "Australia/Melbourne")
ADELAIDE = ("B7C1F0A2-3E64-4D0B-9A55-0C2E77D1A913", "Australia/Adelaide")  # invented
FIRST_NAMES = ("Ana", "Ben", "Chloe", "Dev", "Ella", "Finn", "Grace", "Hugo", "Isla", "Jack", "Kiri", "Liam", "Mei")
LAST_NAMES = ("Ng", "Walker", "Rossi", "Singh", "Brown", "Nguyen", "Taylor", "Okafor", "Kelly", "Papadopoulos", "Lee")
TYPES = (
    ("Physiotherapy", ("Initial consultation", 60), ("Standard consultation", 30)),
    ("Podiatry", ("Nail care", 30), ("Orthotics fitting", 60)),
    ("Nutrition", ("Diet review", 30), ("Vaccination", 30)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One customer of coreplus: where it is, and what opens its data."""

    number: int
    name: str
    environment: str
    consumer_id: str
    secret: str
    access_token: str
    rooms: tuple[tuple[str, tuple[str, str]], ...]  # (location, its zone)
    has_names: bool


# Two practices share an application, as coreplus allows; the third is a trial account of the sandbox environment.
_APP = ("switchboard-live", "c3dpdGNoYm9hcmQtcHJvZHVjdGlvbi1zZWNyZXQtMDE=")
_TRIAL_APP = ("switchboard-trial", "c3dpdGNoYm9hcmQtc2FuZGJveC1zZWNyZXQtMDAwMQ==")
PRACTICES = (
    Practice(
        number=0,
        name="Brightwater Allied Health",
        environment="production",
        consumer_id=_APP[0],
        secret=_APP[1],
        access_token="brightwater-6f0e2d",
        rooms=(("Main rooms", MELBOURNE), ("Hillside clinic", ADELAIDE), ("Harbour rooms", MELBOURNE)),
        has_names=True,
    ),
    Practice(
        number=1,
        name="Tamar Physiotherapy",
        environment="production",
        consumer_id=_APP[0],
        secret=_APP[1],
        access_token="tamar-91b7c4",
        rooms=(("Tamar Street", MELBOURNE), ("Riverside", ADELAIDE), ("Sports centre", MELBOURNE)),
        has_names=False,
    ),
    Practice(
        number=2,
        name="Trial practice",
        environment="sandbox",
        consumer_id=_TRIAL_APP[0],
        secret=_TRIAL_APP[1],
        access_token="trial-52a8ee",
        rooms=(("Trial rooms", MELBOURNE), ("Trial outpost", ADELAIDE), ("Trial annexe", MELBOURNE)),
        has_names=False,
    ),
)


class Guids:
    """Ids of one kind, from number to GUID and back."""

    def __init__(self, seed: int, account: int, kind: str) -> None:
        digest = hashlib.blake2b(f"{seed}/{account}/{kind}".encode(), digest_size=10).hexdigest()
        self._head = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}"

    def of(self, number: int) -> str:
        return f"{self._head}-{(number * _MIXER + 11) % _SPACE:012x}"

    def number(self, guid: str) -> int | None:
        """None for an id of another kind, account or shape."""
        head, _, tail = guid.lower().rpartition("-")
        try:
            return (int(tail, 16) - 11) * pow(_MIXER, -1, _SPACE) % _SPACE if head == self._head else None
        except ValueError:
            return None


def written(moment: datetime) -> str:
    """As coreplus writes it: a blank before the offset."""
    text = moment.isoformat(timespec="seconds")
    return f"{text[:19]} {text[19:]}"
