"""What Corecon does not publish and we had to guess, each guess once. Change it here when the vendor says otherwise.

The ids CC-Axx are those of our list of open questions to the vendor (README.md, "Assumptions"); CC-Bxx were added here.
"""

from datetime import date, timedelta

# CC-A01: the host where a tenant has none. The renamed product serves its documentation there.
PRODUCTION_URL = "https://api-ext.sagecm.intacct.com"
# Not a guess: the host of the development documentation and its API.
SANDBOX_URL = "https://testapiext.corecon.com"
USUAL_URLS = {"production": PRODUCTION_URL, "sandbox": SANDBOX_URL}

# CC-A02: the consent page below the base address. `/api/Authorization` is the other candidate.
AUTHORIZATION_PATH = "/Authorization"

# CC-A03: `state` is compared with the one registered for the app, where one is registered; otherwise ours is random.
# CC-A04: the browser comes back with `?code=…&state=…`. CC-A05: a refusal is `?error=access_denied&state=…`.

# Two published samples disagree on the token address; the first is asked first, the second when the first is not there.
TOKEN_PATHS = ("/api/token", "/token")

# CC-A06: the code is traded with grant_type, code, redirect_uri, and `state` only where one is registered; it lives
# five minutes and works once.
CODE_LIFETIME = timedelta(minutes=5)

# CC-A07: `expires_in` of an access token where the answer does not tell.
ACCESS_LIFETIME = timedelta(seconds=3599)

# CC-A08: a refresh token works once. CC-A09: client credentials come without a refresh token, we ask anew.

# CC-A10: how long a refresh token lives where the tenant did not say what was set for the app.
REFRESH_MINUTES = 1440

# CC-A11: an error's body is {"code": 479, "message": "Token Expired"} or empty. These keys may hold the number.
NUMBER_KEYS = ("code", "Code", "StatusCode", "error")
MESSAGE_KEYS = ("message", "Message", "error_description")

# CC-A12: a missing or unknown accountId is answered with 483, an integrationKey with 474.

# CC-A15: `…Id` is a whole number, `…Utc` an ISO date-time without zone, amounts and hours are decimals, the rest text.
# Dates in rows come as we send them, `02-Mar-2022`, or as ISO text; every other form is shown as it came.
# CC-A16: a list is {"Data": […], "Page": 1, "ItemPerPage": 100, "TotalRecords": n}; a bare array is taken too.

# CC-A18: where things are read, by the name the API root gives them. What the root says goes first.
ROOT_PATH = "/api"
RESOURCE_PATHS = {
    "Company": "/api/Company/List",
    "Contact": "/api/Contact/List",
    "Project": "/api/Project/List",
    "LaborTime": "/api/LaborTime/List",
    "EquipmentTime": "/api/EquipmentTime/List",
    "EmployeeMiscExpenses": "/api/EmployeeMiscExpenses/List",
    "ProjectFinancial": "/api/ProjectFinancial",  # not a guess: published in both samples; a report's name follows
}

# CC-A14: the names of the reports below ProjectFinancial are those of the analytics data sources, without their prefix.
# One stream a report, so that a wrong name stops one report only.
REPORT_NAMES = {
    "financials-overview": "Overview",
    "financials-overview-details": "OverviewDetailsSimple",
    "financials-cost": "Cost",
    "financials-change-orders": "ChangeOrder",
    "financials-hours": "Hours",
    "financials-hours-history": "HoursHistorical",
    "financials-wip": "WIP",
    "financials-cost-plus": "ContractCostPlus",
}

# Published in a sample: answers to any valid bearer token.
TEST_PATH = "/api/test/resource1"

# CC-A19: the largest page. The smaller ones are for 206 (partial content); each divides the one before it, so that a
# place in the list is a whole number of pages in every size.
PAGE_SIZES = (100, 50, 25, 5, 1)

# CC-A20: FromDate and ToDate are inclusive, in the account's zone.
# CC-B01: an empty `Project` list in the body asks for every project, one without contracts for all its contracts.
# CC-B02: entries of more than five weeks ago seldom change (the vendor's edit window is the payroll week). Those that
# do are found by the sweeps, which go through one of the thirteen months more each day.
OVERLAP = timedelta(days=35)
AHEAD = timedelta(days=7)
MONTHS_BACK = 13
WINDOW = timedelta(days=31)

# CC-B03: projects of these states have come to an end: their reports are read in whole readings only. Any other word,
# an unknown one too, is a project that goes on.
CLOSED_WORDS = frozenset({"closed", "complete", "completed", "lost", "cancelled", "canceled", "archived", "inactive"})

# CC-B04: a report over all dates tells how things stand; its rows carry the ids of contract, cost code and change
# order, which tell them apart within a project.
REPORTS_SINCE = date(2000, 1, 1)

# CC-B05: a sandbox lives for a month (guide); where the tenant names no day, it is taken to have begun today.
SANDBOX_LIFETIME = timedelta(days=30)

# CC-A22: no rate is published; codes 420, 429 and 509 say that there is one. 1 a second with 2 in flight would be the
# careful guess. We ask up to 5 a second, so that a first reading takes seconds: 429 slows us down where that is wrong.
CALLS_PER_SECOND = 5
PARALLEL = 2
