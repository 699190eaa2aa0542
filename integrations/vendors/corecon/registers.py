"""Companies, contacts and projects: read in full each time. The engine's digest decides what changed, and what is
absent from two full readings is gone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from integrations.contract import Access, Column
from integrations.vendors.corecon.client import Client
from integrations.vendors.corecon.reading import CoreconStream, Part, Place
from integrations.vendors.corecon.records import COMPANY, CONTACT, PROJECT, Fields, Known, given_id, identify


class Register(CoreconStream):
    """One list, all of it."""

    interval = timedelta(hours=12)
    sweep_interval = timedelta(days=1)
    reads_whole = True
    known: ClassVar[Known]

    def parts(self, place: Place, access: Access, client: Client) -> list[Part]:
        return [Part()]

    def identify(self, fields: Fields, twins: dict[str, int]) -> str:
        return identify(self.known, fields, twins)

    @property
    def keys(self) -> Mapping[str, str]:
        return {self.known.id_field: self.known.fields[0]}


class Companies(Register):
    key = "companies"
    label = "Companies"
    feature = "Companies"
    resource = "Company"
    known = COMPANY
    columns = (
        Column(label="Company", path="Company"),
        Column(label="Code", path="CompanyCode"),
        Column(label="City", path="ShipCity"),
        Column(label="State", path="ShipState", is_filter=True),
        Column(label="Phone", path="Phone"),
        Column(label="Website", path="Website"),
        Column(label="Payment terms", path="DefaultPaymentTerms", is_filter=True),
        Column(label="Bidder", path="IsBidder", kind="flag", is_filter=True),
        Column(label="Active", path="IsActive", kind="flag", is_filter=True),
    )


class Contacts(Register):
    key = "contacts"
    label = "Contacts"
    parent = "companies"
    feature = "Contacts"
    resource = "Contact"
    known = CONTACT
    columns = (
        Column(label="Contact", path="ContactDisplayName"),
        Column(label="Company", path="Company"),
        Column(label="Title", path="Title"),
        Column(label="E-mail", path="Email"),
        Column(label="Business phone", path="BusinessPhone"),
        Column(label="Mobile phone", path="MobilePhone"),
        Column(label="Active", path="IsActive", kind="flag", is_filter=True),
    )

    def parent_of(self, fields: Fields) -> str:
        return given_id(fields, "CompanyId")


class Projects(Register):
    key = "projects"
    label = "Projects"
    feature = "Projects"
    resource = "Project"
    known = PROJECT
    columns = (
        Column(label="Project", path="ProjectTitle"),
        Column(label="Number", path="ProjectNumber"),
        Column(label="Status", path="ProjectStatus", is_filter=True),
        Column(label="Owner", path="OwnerCompanyName"),
        Column(label="Project manager", path="ProjectPMContactName", is_filter=True),
        Column(label="Planned start", path="ProjectEstStartDateOrgLocal", kind="date"),
        Column(label="Planned finish", path="ProjectEstFinishDateOrgLocal", kind="date"),
        Column(label="Currency", path="Currency"),
    )
