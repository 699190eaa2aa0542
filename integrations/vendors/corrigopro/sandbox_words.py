"""The people, places and troubles the sandbox's work orders are made of. All invented."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One service company's surroundings."""

    currency: str
    country: str
    customers: tuple[tuple[str, str, str], ...]  # name, what a site is called, prefix of its order numbers
    towns: tuple[tuple[str, str, str], ...]  # town, state or county, start of its postal codes
    streets: tuple[str, ...]
    people: tuple[str, ...]
    phone: str


AMERICAS: Final = World(
    currency="USD",
    country="US",
    customers=(
        ("Harvest Lane Grocers", "Store", ""),
        ("Blue Kettle Coffee", "Cafe", "WN"),
        ("Northfield Bank", "Branch", "NB"),
        ("Tamarind Grill", "Restaurant", ""),
        ("Copperline Fitness", "Club", "CF"),
        ("Orchard & Pine Home", "Store", "POS4L"),
        ("Summit Urgent Care", "Clinic", "SUC"),
        ("Railway Street Pharmacy", "Store", ""),
        ("Palmetto Self Storage", "Site", "PS"),
        ("Juniper Kids Academy", "School", "JK"),
        ("Granite Peak Outfitters", "Store", ""),
        ("Sunny Acre Senior Living", "Residence", "SA"),
        ("Brightway Car Wash", "Location", "BW"),
        ("Lakeshore Cinemas", "Theater", ""),
    ),
    towns=(
        ("Denver", "CO", "802"),
        ("Aurora", "CO", "800"),
        ("Boulder", "CO", "803"),
        ("Omaha", "NE", "681"),
        ("Kansas City", "MO", "641"),
        ("Wichita", "KS", "672"),
        ("Tulsa", "OK", "741"),
        ("Fort Collins", "CO", "805"),
        ("Cheyenne", "WY", "820"),
        ("Albuquerque", "NM", "871"),
    ),
    streets=(
        "Main Street",
        "Colfax Avenue",
        "Prairie Road",
        "Elm Street",
        "Market Street",
        "County Road 9",
        "2nd Avenue",
    ),
    people=("Dana Whitfield", "Luis Ortega", "Priya Raman", "Marcus Bell", "Hannah Cho", "Tom Eriksen", "Keisha Grant"),
    phone="+1303555",
)

EMEA: Final = World(
    currency="GBP",
    country="GB",
    customers=(
        ("Bramble & Co Supermarkets", "Store", ""),
        ("Kingsgate Hotels", "Hotel", "KG"),
        ("Thistle Street Bakery", "Shop", "TS"),
        ("Pennine Building Society", "Branch", "PBS"),
        ("Harbourside Dental", "Practice", "HD"),
        ("Oakham Garden Centres", "Centre", ""),
        ("Redcliffe Logistics", "Depot", "RL"),
        ("Café Zürich", "Café", "CZ"),
        ("St Brannoc's Schools Trust", "School", "SB"),
        ("Meridian Gyms", "Gym", ""),
    ),
    towns=(
        ("Leeds", "West Yorkshire", "LS"),
        ("Sheffield", "South Yorkshire", "S"),
        ("Manchester", "Greater Manchester", "M"),
        ("Bristol", "Bristol", "BS"),
        ("York", "North Yorkshire", "YO"),
        ("Nottingham", "Nottinghamshire", "NG"),
        ("Hull", "East Riding", "HU"),
    ),
    streets=("High Street", "Station Road", "Mill Lane", "Church Street", "Albion Way", "The Shambles", "Canal Wharf"),
    people=("Gareth Pugh", "Aisling Byrne", "Sunita Patel", "Owen Marsh", "Zoë Hartley", "Callum Reid", "Femi Adeyemi"),
    phone="+44113496",
)

# Path of the asset, the asset, specialty, and what goes wrong with it: (task, what the customer writes).
TROUBLES: Final = (
    ("Kitchen>Refrigeration", "Walk-in Cooler", "Refrigeration", (
        ("Not cooling", "Walk-in is at 52 degrees and rising. Product has been moved, please hurry."),
        ("Leaking water", "Puddle in front of the walk-in every morning."),
        ("Door not sealing", "Gasket on the walk-in door is torn at the bottom hinge."),
    )),
    ("Roof>HVAC", "Rooftop Unit 2", "HVAC", (
        ("No heat", "Staff are working in coats, thermostat shows E4."),
        ("No cooling", "Warm air only since yesterday afternoon."),
        ("Noisy", "Loud squeal at start-up, neighbours complained."),
    )),
    ("Restrooms>Plumbing", "Toilet, Customer", "Plumbing", (
        ("Clogged", "Customer restroom is out of order, plunger did not help."),
        ("Running constantly", "Water runs all night, bill is up."),
    )),
    ("Kitchen>Plumbing", "Grease Trap", "Plumbing", (
        ("Backing up", "Floor drain backs up at peak hours."),
        ("Odor", "Strong smell near the dish pit."),
    )),
    ("Front>Doors", "Automatic Entrance Door", "Doors", (
        ("Will not open", "Door sticks half way, we hold it open with a wedge."),
        ("Closes too fast", "Door nearly hit a customer with a stroller."),
    )),
    ("Sales Floor>Lighting", "Ceiling Lights", "Electrical", (
        ("Lights out", "A whole row over aisle 7 is dark."),
        ("Flickering", "Lights by the tills flicker, two people have headaches."),
    )),
    ("Exterior>Lighting", "Parking Lot Lights", "Electrical", (
        ("Lights out", "Four poles out on the north side, staff do not feel safe."),
        ("Timer wrong", "Lights come on at noon."),
    )),
    ("Back>Locks", "Rear Security Door", "Locksmith", (
        ("Lock jammed", "Key turns but the bolt stays. Delivery at 5 am tomorrow."),
        ("Rekey", "Manager left, please rekey and hand over four copies."),
    )),
    ("Kitchen>Cooking", "Fryer 1", "Kitchen Equipment", (
        ("Will not light", "Pilot goes out after a minute."),
        ("Overheating", "High limit trips twice a day."),
    )),
    ("Building>Roof", "Roof over Stockroom", "Roofing", (
        ("Leak", "Water drips on boxes when it rains."),
        ("Storm damage", "Flashing has come loose and bangs in the wind."),
    )),
    ("Building>Fire Safety", "Sprinkler Riser", "Fire Protection", (
        ("Inspection failed", "Inspector wants the gauge replaced before the 15th."),
        ("Alarm trouble", "Panel beeps with a supervisory signal."),
    )),
    ("Exterior>Signage", "Fascia Sign", "Signs", (
        ("Letters out", "Our sign reads GRO ER."),
        ("Damaged", "A truck clipped the pylon sign."),
    )),
)  # fmt: skip

CHECKS: Final = ("Quarterly service", "Filter change", "Annual inspection", "Safety test", "Coil cleaning")
