"""Writing and submitting the invoices of the sandbox's orders.

A-13 Draft and Disputed can be edited and submitted, and lead to Submitted. A-36 An invoice is written as the member
Invoice, in the shape it is read in; a stale or missing ConcurrencyId is 3000.
A-37 Customers in an even place of the list work out tax themselves: 8 percent of the other lines, in one line at most.
"""

from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro import sandbox_bodies as bodies
from integrations.vendors.corrigopro.sandbox_actions import COMPLETED, Body
from integrations.vendors.corrigopro.sandbox_bodies import Mistake, Refusal
from integrations.vendors.corrigopro.sandbox_door import Account
from integrations.vendors.corrigopro.sandbox_handing import Handing
from integrations.vendors.corrigopro.sandbox_invoices import TAX, TAX_RATE
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed

EDITABLE = ("Draft", "Disputed")
TEXTS = ("InvoiceNumber", "InvoiceDate", "ServiceDate", "TaxIdPrimary", "TaxIdSecondary")
_NEW_LINES = 1_000_000_000  # ids of lines that were added


class Billing(Handing):
    _added_lines = 0

    @route("PUT", "/{region}/Direct/api/invoice")
    def write_invoice(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            """Whatever is left out is gone."""
            given, cabinet = bodies.part(body, "Invoice", is_required=True), account.cabinet
            content: Body = {name: bodies.text(given, name) or None for name in TEXTS}
            for name in ("InvoiceDate", "ServiceDate"):
                bodies.moment(given, name)
            content["DiscountAmount"] = bodies.amount(given, "DiscountAmount", is_required=False)
            lines = [_line(line) for line in bodies.parts(given, "LineItems")]
            before = cabinet.invoice(number)
            if before["Status"] not in EDITABLE:
                raise Refusal(3036, f"The invoice is {before['Status']} and cannot be edited.")
            if given.get("ConcurrencyId") != before["ConcurrencyId"]:
                raise Refusal(3000, "The invoice has been changed by someone else.")
            if _works_out_tax(account, number) and sum(line["Category"] == TAX for line in lines) > 1:
                raise Refusal(3042, "Only one tax line is allowed.")
            known = {line["Id"] for line in before["LineItems"]}
            if any(line["Id"] is not None and line["Id"] not in known for line in lines):
                raise Refusal(3043, "Invoice line not found.")
            content["LineItems"] = [line | {"Id": line["Id"] or self._new_line()} for line in lines]
            cabinet.enter(number, content)
            self._stir(account, number)

        return self.act(request, "invoice", region, act)

    @route("PUT", "/{region}/Direct/api/invoice/submit")
    def submit_invoice(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            is_anyway = body.get("SubmitAnyway") or False
            if not isinstance(is_anyway, bool):
                raise Mistake("SubmitAnyway", "IncorrectType", "SubmitAnyway must be true or false")
            book, invoice = account.book, account.cabinet.invoice(number)
            is_early = is_pre_billed(number) and book.status(number) == "New"
            if invoice["Status"] not in EDITABLE:
                raise Refusal(3050, f"The invoice is {invoice['Status']} and cannot be submitted.")
            if not is_early and book.status(number) not in COMPLETED:
                raise Refusal(3051, "The work order is not completed yet.")
            if not _is_complete(invoice):
                raise Refusal(3052, "The invoice is incomplete.")
            if _works_out_tax(account, number) and not is_anyway and _is_tax_off(invoice["LineItems"]):
                raise Refusal(3056, "The tax differs from the customer's calculation.")
            account.cabinet.set_status(number, "Submitted")
            if is_early:
                self._turn_by_us(account, number, body, "Accepted")
            else:
                self._stir(account, number)
            if account.index in self.echoing:
                self.tell_invoice(account, number, bodies.performer(body))

        return self.act(request, "invoice/submit", region, act)

    def _new_line(self) -> int:
        self._added_lines += 1
        return _NEW_LINES + self._added_lines


def _line(given: dict[str, Any]) -> dict[str, Any]:
    quantity, rate = (bodies.amount(given, name, is_required=False) for name in ("Quantity", "Rate"))
    return {
        "Id": None if given.get("Id") is None else bodies.whole(given, "Id"),
        "Category": bodies.text(given, "Category") or None,
        "Description": bodies.text(given, "Description") or None,
        "Quantity": quantity,
        "Rate": rate,
        "Subtotal": round((quantity or 0) * (rate or 0), 2),
        "IsRateReadOnly": False,
        "TaxCode": bodies.text(given, "TaxCode") or None,
    }


def _is_complete(invoice: Body) -> bool:
    wanted = (invoice["InvoiceNumber"], invoice["InvoiceDate"], invoice["LineItems"])
    has_all = all(
        line[name] is not None
        for line in invoice["LineItems"]
        for name in ("Category", "Description", "Quantity", "Rate")
    )
    return all((*wanted, has_all)) and invoice["DiscountAmount"] is not None


def _works_out_tax(account: Account, number: int) -> bool:
    return account.book.customer_of(number) % 2 == 0


def _is_tax_off(lines: list[Body]) -> bool:
    tax = sum(line["Subtotal"] for line in lines if line["Category"] == TAX)
    rest = sum(line["Subtotal"] for line in lines if line["Category"] != TAX)
    return bool(abs(tax - rest * TAX_RATE) > 0.0051)  # half a cent of rounding
