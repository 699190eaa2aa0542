"""All that is read from Corecon: seven features, of which the last gives eight reports."""

from integrations.vendors.corecon.entries import EquipmentTimecards, LaborTimecards, MiscExpenses
from integrations.vendors.corecon.financials import REPORTS
from integrations.vendors.corecon.reading import CoreconStream
from integrations.vendors.corecon.registers import Companies, Contacts, Projects

STREAMS: tuple[CoreconStream, ...] = (
    Companies(),
    Contacts(),
    Projects(),
    LaborTimecards(),
    EquipmentTimecards(),
    MiscExpenses(),
    *REPORTS,
)
