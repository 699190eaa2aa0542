"""The words that the sandbox's rows are made of."""


def words_of(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


FIRST = words_of("""
    Maria, Jamal, Ellen, Victor, Priya, Owen, Rosa, Dmitri, Leah, Marcus, Anh, Teresa, Colin, Fatima, Gordon, Ines,
    Walter, Nadia, Pedro, Shauna, Elias, Joan, Kwame, Lorna, Hector, Mei, Patrick, Sofia, Dale, Amira, Bruno, Celia,
    Trevor, Yolanda, Ivan, Grace, Luis, Petra, Samuel, Wanda
""")
LAST = words_of("""
    Alvarez, Becker, Castillo, Donovan, Eriksen, Fontaine, Gallagher, Huang, Ibarra, Jankowski, Keller, Lindqvist,
    Moreno, Nakamura, Okafor, Pruitt, Quintero, Rasmussen, Salazar, Tran, Underhill, Vasquez, Whitfield, Xiong,
    Yates, Zielinski, Abbott, Boyle, Crowley, Dominguez, Estrada, Fischer, Greer, Holloway, Iverson, Jensen,
    Kowalski, Larkin, Mercer, Novak
""")
TRADES = words_of("""
    Concrete, Electric, Plumbing & Heating, Steel Erectors, Drywall, Roofing, Masonry, Glass & Glazing, Mechanical,
    Excavating, Painting, Millwork, Fire Protection, Flooring, Site Services, Surveying, Crane & Rigging, Insulation
""")
OWNERS = ("School District", "Health Partners", "Port Authority", "Properties")
ENDINGS = ("Inc.", "LLC", "Co.", "Contractors", "& Sons")
CITIES = (
    ("Toledo", "OH", "43604"),
    ("Duluth", "MN", "55802"),
    ("Tacoma", "WA", "98402"),
    ("Mobile", "AL", "36602"),
    ("Omaha", "NE", "68102"),
    ("Boise", "ID", "83702"),
    ("Erie", "PA", "16501"),
    ("Lubbock", "TX", "79401"),
)
BUILDINGS = words_of("""
    Elementary School, Medical Office, Fire Station No. 4, Distribution Center, Public Library, Parking Garage,
    Lofts, Water Treatment Plant, Community College Annex, Hotel, Data Hall, Senior Living, Cold Storage,
    Courthouse, Bus Depot
""")
DEEDS = ("", " Renovation", " Addition", " Phase 2", " Tenant Fit-out", " Seismic Upgrade", " Re-roof")
STREETS = ("Canal St", "Foundry Rd", "Elm Ave", "Harbor Blvd", "County Road 12", "Railway Ave", "Mill Pond Ln")
COST_CODES = (
    "01-310",
    "02-220",
    "03-110",
    "03-300",
    "04-220",
    "05-120",
    "06-100",
    "07-210",
    "09-250",
    "15-400",
    "16-100",
)
LABOR_CODES = ("CARP", "LABR", "ELEC", "PLMB", "OPER", "FRMN", "IRON", "MASN")
COMMENTS = (
    "",
    "",
    "",
    "Pour delayed by rain",
    "Punch list, level 2",
    "Formwork stripped",
    "Rework per RFI 114",
    "Waited for crane until 10:00",
    "Inspection passed",
    "Rough-in, east wing",
    "Overtime approved by superintendent",
)
EQUIPMENT = words_of("EX-210, EX-330, LD-12, LD-40, CR-80T, SKID-3, SKID-7, DZ-6, GEN-45, LIFT-19, ROLL-2, TRK-118")
EXPENSE_TYPES = ("Travel", "Lodging", "Meals", "Small tools", "Permits", "Fuel")
PAYMENT_TYPES = ("Company card", "Cash", "Personal card")
TITLES = ("Owner", "Project manager", "Estimator", "Superintendent", "Accounts payable", "Foreman", "Safety officer")
PEOPLE = 40
