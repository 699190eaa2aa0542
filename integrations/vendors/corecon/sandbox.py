"""Corecon in a box: two builders, each with its own app, keys, people and books.

Checks what the vendor's guide describes and answers with its numbers. What is not published follows `assumptions.py`.
Letter case in paths does not matter. Both environments stand on one host, `/sandbox` and `/production`, and each knows
only the apps that were made in it.
"""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corecon.records import day_of, fields_of, identify_report_row
from integrations.vendors.corecon.sandbox_apps import FEATURES, Refusal
from integrations.vendors.corecon.sandbox_data import DATED, Books
from integrations.vendors.corecon.sandbox_mishaps import Mishaps
from integrations.vendors.corecon.sandbox_reports import REPORTS, report_rows
from integrations.vendors.corecon.sandbox_signin import ENVIRONMENT
from integrations.vendors.corecon.streams import STREAMS

DEMO_SIZES = (250, 150)  # companies
DEMO_PROJECTS = (8, 5)
DEMO_TIMECARDS = (2400, 1200)
LARGEST_PAGE = 100
DAY = re.compile(r"\d{2}-[A-Z][a-z]{2}-\d{4}")


class Emulator(Mishaps):
    """`sizes` are companies per account, and contacts; projects and timecards grow with them unless given, equipment
    timecards and expenses with timecards."""

    key = "corecon"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("revoke_access", "Revoke all access"),
        ("expire_tokens", "Expire the access tokens"),
        ("switch_apps_off", "Switch the app off"),
        ("end_databases", "End the database"),
        ("withdraw_timecards", "Withdraw the feature Labor Timecards"),
        ("withdraw_financials", "Withdraw the feature Project Financials"),
        ("restore", "Make app, database and features well again"),
        *Mishaps.labels,
    )

    def __init__(
        self,
        *,
        sizes: tuple[int, ...] = DEMO_SIZES,
        projects: tuple[int, ...] = (),
        timecards: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.account_names = tuple(app.account for app in self.apps)
        is_demo = tuple(sizes) == DEMO_SIZES
        projects = projects or (DEMO_PROJECTS if is_demo else tuple(1 + size // 10 for size in sizes))
        timecards = timecards or (DEMO_TIMECARDS if is_demo else tuple(10 * size for size in sizes))
        self.books = [
            Books(
                seed=self.seed * 1000 + account,
                epoch=self.epoch,
                prefix=app.prefix,
                sizes={
                    "Company": sizes[account],
                    "Contact": sizes[account],
                    "Project": projects[account],
                    "LaborTime": timecards[account],
                    "EquipmentTime": timecards[account] // 6,
                    "EmployeeMiscExpenses": timecards[account] // 12,
                },
                first_id=(account + 1) * 1_000_000,
                change_every=self.change_every,
            )
            for account, app in enumerate(self.apps)
        ]
        self.is_bare = False  # lists come as a bare array, without a total

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        app = self.apps[account]
        ends_on = (self.epoch + timedelta(days=30)).date().isoformat()
        settings = {
            "environment": app.environment,
            "sandbox_ends_on": ends_on if app.environment == "sandbox" else "",
            "base_url": f"{self.url}/{app.environment}",
            "account_key": app.account_key,
            "integration_key": app.integration_key,
            "grant": "authorization_code",
            "scopes": "read",
            "registered_state": app.state,
            "refresh_minutes": app.refresh_minutes,
            "username": "",
            "time_zone": app.time_zone,
        }
        return settings, {"secret_key": app.secret_key}

    def sign_ins(self, account: int = 0) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
        app, (settings, secrets) = self.apps[account], self.demo_setup(account)
        return {
            "authorization code": (settings, secrets),
            "password": (
                {**settings, "grant": "password", "username": app.username},
                {**secrets, "password": app.password},
            ),
            "client credentials": ({**settings, "grant": "client_credentials"}, secrets),
        }

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        found, books = _stream(stream), self.books[account]
        books.catch_up(self.clock.now())
        if found.resource == "ProjectFinancial":
            twins: dict[str, int] = {}
            rows = (row for number in books.numbers("Project") for row in report_rows(books, found.report, number))
            return {identify_report_row(row, twins) for row in rows}
        id_field = found.known.id_field
        return {str(fields_of(books.row(found.resource, number))[id_field]) for number in books.numbers(found.resource)}

    def refuse(self, stream: str, account: int | None = None) -> None:
        for app in self.chosen(account):
            app.features.discard(_stream(stream).feature)

    def withdraw_timecards(self, account: int | None = None) -> None:
        self.refuse("labor-timecards", account)

    def withdraw_financials(self, account: int | None = None) -> None:
        self.refuse("financials-overview", account)

    def end_databases(self, account: int | None = None) -> None:
        for app in self.chosen(account):
            app.trouble = 485 if app.environment == "sandbox" else 487

    def restore(self, account: int | None = None) -> None:
        for app in self.chosen(account):
            app.trouble, app.features = None, set(FEATURES.values())

    def handle(self, request: Request) -> Reply:
        for books in self.books:
            books.catch_up(self.clock.now())
        first, _, rest = request.path.removeprefix("/").partition("/")
        if first in ("sandbox", "production"):
            request = replace(request, path=f"/{rest}", headers={**request.headers, ENVIRONMENT: first})
        try:
            return super().handle(request)
        except Refusal as refusal:
            return Reply.json({"code": refusal.number, "message": refusal.name}, refusal.number)

    def not_found(self, request: Request) -> Reply:
        return Reply.json({"code": 404, "message": "Not Found"}, 404)

    @route("GET", "/api")
    def list_resources(self, request: Request) -> Reply:
        self.reader(request)
        home = "/".join(filter(None, (self.url, request.headers.get(ENVIRONMENT))))
        urls = {name: f"{home}/api/{name}{'' if name == 'ProjectFinancial' else '/List'}" for name in FEATURES}
        return Reply.json({"Resources": [{"Name": name, "Url": url} for name, url in urls.items()]})

    @route("GET", "/api/test/resource1")
    def test_bearer(self, request: Request) -> Reply:
        return Reply.json({"Message": f"Hello {self.reader(request).username}"})

    @route("GET", "/api/Company/List")
    def list_companies(self, request: Request) -> Reply:
        return self._list(request, "Company")

    @route("GET", "/api/Contact/List")
    def list_contacts(self, request: Request) -> Reply:
        return self._list(request, "Contact")

    @route("GET", "/api/Project/List")
    def list_projects(self, request: Request) -> Reply:
        return self._list(request, "Project")

    @route("POST", "/api/{resource}/List")
    def list_entries(self, request: Request, resource: str) -> Reply:
        name = next((name for name in DATED if name.lower() == resource.lower()), None)
        if name is None:
            raise Refusal(404)
        projects, since, until = _wish(request)
        if projects:
            raise Refusal(451)  # asking for single projects is not played here
        return self._list(request, name, since, until)

    @route("POST", "/api/ProjectFinancial/{report}")
    def show_report(self, request: Request, report: str) -> Reply:
        name = next((name for name in REPORTS if name.lower() == report.lower()), None)
        if name is None:
            raise Refusal(404)
        projects, _, _ = _wish(request)
        books = self._books(request, "ProjectFinancial")
        asked = [
            number for number in books.numbers("Project") if not projects or books.project_number(number) in projects
        ]
        rows = [
            row
            for number in asked
            for row in report_rows(books, name, number, is_alone=len(projects) == 1)
            if not (contracts := projects.get(row["ProjectNumber"])) or row["PrimeContractNumber"] in contracts
        ]
        page, size = _paging(request)
        found = json.dumps(rows[(page - 1) * size : page * size], separators=(",", ":")).encode()
        return self._wrapped(found, page, size, len(rows))

    def _list(self, request: Request, resource: str, since: date | None = None, until: date | None = None) -> Reply:
        books = self._books(request, resource)
        page, size = _paging(request)
        numbers = books.numbers(resource, since, until)
        return self._wrapped(books.page(resource, numbers[(page - 1) * size : page * size]), page, size, len(numbers))

    def _books(self, request: Request, resource: str) -> Books:
        """The books of whoever asks, where the app may see that feature."""
        app = self.reader(request)
        if FEATURES[resource] not in app.features:
            raise Refusal(403)
        return self.books[self.apps.index(app)]

    def _wrapped(self, rows: bytes, page: int, size: int, total: int) -> Reply:
        if not self.is_bare:
            rows = b'{"Data":%b,"Page":%d,"ItemPerPage":%d,"TotalRecords":%d}' % (rows, page, size, total)
        return Reply(body=rows, headers={"Content-Type": "application/json; charset=utf-8"})


def _stream(key: str) -> Any:
    return next(stream for stream in STREAMS if stream.key == key)


def _paging(request: Request) -> tuple[int, int]:
    return _number(request.get("page", "1")), min(_number(request.get("itemPerPage", "100")), LARGEST_PAGE)


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**6:
        raise Refusal(451)
    return int(text)


def _wish(request: Request) -> tuple[dict[str, list[str]], date, date]:
    """The body of a question: contracts by project (none: all), first and last day. The samples disagree on whether
    contracts are a list or a text with commas; both are taken."""
    wish = request.json
    if (
        not isinstance(wish, dict)
        or not isinstance(wish.get("Date"), dict)
        or not isinstance(wish.get("Project"), list)
    ):
        raise Refusal(400)
    zone = wish.get("Timezone")
    if not isinstance(zone, str) or not zone or "/" in zone:
        raise Refusal(451)  # Windows names have no slash
    projects = {}
    for entry in wish["Project"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("ProjectNumber"), str):
            raise Refusal(451)
        contracts = entry.get("PrimeContractNumber") or []
        projects[entry["ProjectNumber"]] = contracts.split(",") if isinstance(contracts, str) else contracts
    return projects, _day(wish["Date"].get("FromDate")), _day(wish["Date"].get("ToDate"))


def _day(text: object) -> date:
    """`02-Mar-2022`, the form that cannot be misread; the others are refused here, so that we notice."""
    day = day_of(text) if isinstance(text, str) and DAY.fullmatch(text) else None
    if day is None:
        raise Refusal(451)
    return day
