"""The made-up customers of the emulator: what opens their door, where their rooms are, and the words they use."""

from dataclasses import dataclass
from hashlib import blake2b
from zoneinfo import ZoneInfo

from integrations.zones import iana_of

# fmt: off
ROOM_NAMES = (
    "Ash", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Poplar", "Rowan", "Willow",
    "Curie", "Darwin", "Faraday", "Franklin", "Hopper", "Kepler", "Lovelace", "Newton", "Noether", "Pascal",
    "Planck", "Turing",
)
FIRST_NAMES = (
    "Amara", "Ben", "Chloe", "Daniel", "Esther", "Farid", "Grace", "Hannah", "Imran", "Joanna", "Karl", "Leila",
    "Marcus", "Nadia", "Owen", "Priya", "Quentin", "Rosa",
)
LAST_NAMES = (
    "Abbott", "Banerjee", "Carter", "Doyle", "Ellison", "Fraser", "Green", "Hughes", "Iyer", "Jensen", "Khan",
    "Lindqvist", "Moreno", "Novak", "Okafor", "Patel",
)
# fmt: on
TITLES = (
    "Weekly team meeting",
    "Tenant fit-out review",
    "Lift modernisation: contractor briefing",
    "Interview, facilities coordinator",
    "Health and safety walk-through",
    "Budget 2nd reading",
    "Client pitch",
    "Lease renewal call",
    "Cleaning contract: monthly review",
    "Project kick-off",
    "One to one",
    "Board preparation",
    "HVAC works: planning",
    "Onboarding, new joiners",
    "Move management stand-up",
    "Energy audit: results",
)
SETUP_STYLES = ("Boardroom", "Classroom", "Theatre", "U-shape", "Cabaret")


COLLECTIONS = ("CostCode", "ExternalBookings", "HierarchyMapping", "VendorServices", "Visitor")
COMPANIES = ("Ardent Lifts", "Bluewater Cleaning", "Fenwick Legal", "Orbit Couriers", "Tallis Architects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    country: str
    region: str
    name: str
    city: str
    address: str
    post_code: str
    windows_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(iana_of(self.windows_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer of Condeco: what opens its door and where its rooms are."""

    subscription_name: str
    client_id: str
    client_password: str
    domain: str
    rooms: int
    desks: int
    sites: tuple[Site, ...]

    @property
    def keys(self) -> dict[str, str]:
        """By collection, in production."""
        return self.keys_in("production")

    def keys_in(self, environment: str) -> dict[str, str]:
        seed = f"{self.client_id}/{environment}"
        return {name: blake2b(f"{seed}/{name}".encode(), digest_size=16).hexdigest() for name in COLLECTIONS}

    def password_in(self, environment: str) -> str:
        return self.client_password if environment == "production" else f"{self.client_password}-{environment}"


CUSTOMERS = (
    Customer(
        subscription_name="Northlight_Property_US",
        client_id="northlight-api",
        client_password="demo-northlight-7Q2x",
        domain="northlight.example",
        rooms=40,
        desks=80,
        sites=(
            Site(
                country="United States",
                region="East",
                name="Hudson Yard House",
                city="New York",
                address="412 West 33rd Street",
                post_code="10001",
                windows_zone="Eastern Standard Time",
            ),
            Site(
                country="United States",
                region="East",
                name="Lakeshore Centre",
                city="Chicago",
                address="88 East Wacker Drive",
                post_code="60601",
                windows_zone="Central Standard Time",
            ),
            Site(
                country="United States",
                region="West",
                name="Pier 9 Studios",
                city="Seattle",
                address="1301 Alaskan Way",
                post_code="98101",
                windows_zone="Pacific Standard Time",
            ),
            Site(
                country="India",
                region="Karnataka",
                name="Whitefield Campus",
                city="Bengaluru",
                address="27 ITPL Main Road",
                post_code="560066",
                windows_zone="India Standard Time",
            ),
        ),
    ),
    Customer(
        subscription_name="Harbour_and_Finch_UK",
        client_id="harbourfinch-portal",
        client_password="demo-harbour-9Lm4",
        domain="harbourfinch.example",
        rooms=20,
        desks=40,
        sites=(
            Site(
                country="United Kingdom",
                region="London",
                name="Finch Court",
                city="London",
                address="14 Cornhill",
                post_code="EC3V 3ND",
                windows_zone="GMT Standard Time",
            ),
            Site(
                country="Germany",
                region="Hesse",
                name="Mainkontor",
                city="Frankfurt am Main",
                address="Mainzer Landstraße 51",
                post_code="60329",
                windows_zone="W. Europe Standard Time",
            ),
        ),
    ),
)
