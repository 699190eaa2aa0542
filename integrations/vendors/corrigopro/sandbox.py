"""CorrigoPro Direct in a box: sign-in, reads and writes with their documented errors, notifications, and what people
do meanwhile."""

from datetime import timedelta
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request
from integrations.sandbox.notifier import Notifier
from integrations.vendors.corrigopro.sandbox_billing import Billing
from integrations.vendors.corrigopro.sandbox_door import Account


class Emulator(Billing):
    """Two companies. `sizes` is how many work orders each has at the start."""

    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("advance_order", "An order goes on to its next status"),
        ("create_order", "A customer sends a new order"),
        ("put_on_hold", "A customer puts an order on hold"),
        ("check_out_by_phone", "A technician checks out by telephone: the details are missing"),
        ("recall_order", "A customer recalls an order"),
        ("reopen_order", "A customer reopens an order"),
        ("verify_order", "A customer verifies an order"),
        ("answer_quote", "A customer asks for a quote, or approves the one submitted"),
        ("move_due_date", "A due date moves"),
        ("raise_limit", "A customer raises what an order may cost"),
        ("change_several_at_once", "Five orders change in one second"),
        ("lose_order", "An order is no longer there"),
        ("add_attachment", "A file is attached"),
        ("remove_attachment", "A customer deletes a file"),
        ("send_message", "A message is sent"),
        ("move_invoice_on", "An invoice is submitted, authorised or paid"),
        ("authorize_invoice", "A customer authorises an invoice"),
        ("pay_invoice", "A customer pays an invoice"),
        ("dispute_invoice", "A customer disputes an invoice"),
        ("tick_step", "A step of a procedure is done"),
        ("add_custom_field", "A customer wants one more field filled in"),
        ("lose_customer", "A customer leaves"),
        ("hire_associate", "A branch takes on an associate"),
        ("let_associate_go", "A branch lets an associate go"),
        ("keep_silent", "Files, messages, invoices no longer move their order's LastUpdate, or do again"),
        ("refuse_last_update", "Search refuses LastUpdate, or takes it again"),
        ("expire_tokens", "Expire all tokens"),
        ("shorten_tokens", "Tokens live for a minute, or as long as usual again"),
        ("gzip_tokens", "Tokens carry packed data, or plain again"),
        ("forge_tokens", "Tokens are signed wrongly, or rightly again"),
        ("rotate_credentials", "Press Regenerate: the client secrets change"),
        ("revoke", "Revoke all access"),
        ("end_subscription", "The subscription ends: nothing is permitted"),
        ("allow_everything", "The subscription is renewed, everything is permitted"),
        ("move_region", "Move the company to another region, or back"),
        ("echo_actions", "What is done through the API is notified too, or no more"),
        ("set_time_digits", "Fractions of the second have so many digits (0 to 7; empty: as usual)"),
        ("send_test_events", "Send a test event of every type; no such orders exist"),
        ("bare_notices", "The next 3 notifications have no Sender and no ActionDate"),
        ("strange_notices", "The next 3 notifications have an unknown action"),
        *Notifier.notice_controls,
    )

    def __init__(self, *, sizes: tuple[int, ...] = (400, 200), search_cap: int = 500, **options: Any) -> None:
        super().__init__(sizes=sizes, search_cap=search_cap, **options)

    def change(self, account: int, number: int) -> int:
        """Take one order to its next status now; its id."""
        book = self.accounts[account].book
        book.advance(number, self.clock.now())
        return book.first_id + number

    def create(self, account: int) -> int:
        """A customer sends one more order now; its id."""
        book = self.accounts[account].book
        return book.first_id + book.add(self.clock.now())

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        book, cabinet = self.accounts[account].book, self.accounts[account].cabinet
        settings, _ = self.demo_setup(account)
        if stream in {"customers", "customer-settings"}:
            return {str(book.customer_id(index)) for index in book.customers()}
        if stream == "associates":
            return {f"{branch}/{one['Id']}" for branch in book.branches for one in cabinet.associates(branch)}
        days = timedelta(days=settings["history_days" if stream == "work-orders" else "papers_days"])
        since = self.clock.now() - days
        kept = [number for number in range(len(book)) if number not in book.vanished]
        if stream == "work-orders":
            return {str(book.first_id + number) for number in kept if book.story(number).created >= since}
        lately = [number for number in kept if book.last_update(number) >= since]
        return {own for number in lately for own in self._papers(stream, self.accounts[account], number)}

    def handle(self, request: Request) -> Reply:
        self.let_time_pass()
        return super().handle(request)

    def _papers(self, stream: str, account: Account, number: int) -> list[str]:
        """The external ids of what hangs on one order."""
        book, cabinet = account.book, account.cabinet
        order = book.first_id + number
        if stream == "invoices":
            invoice = cabinet.invoice(number)
            return [str(order)] if invoice["LineItems"] or invoice["InvoiceNumber"] else []
        found = {
            "attachments": lambda: [one["AttachmentId"] for one in cabinet.attachments(number)],
            "messages": lambda: [one["Id"] for one in cabinet.messages(number)],
            "procedures": lambda: [one["Id"] for one in book.procedures(number)],
            "procedure-steps": lambda: [one["Id"] for one in cabinet.steps(number)],
        }[stream]()
        return [f"{order}/{own}" for own in found]
