"""The vendor in a box takes messages, files, procedure steps and invoices as the vendor does."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from integrations.vendors.corrigopro.sandbox import Emulator
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed
from tests.integrations.vendors.corrigopro.desk import Desk

LINE = {"Category": "Labor", "Description": "On site", "Quantity": 1.5, "Rate": 100}
TAX = {"Category": "Tax", "Description": "Sales tax", "Quantity": 1, "Rate": 12}
WHOLE = {"InvoiceNumber": "A-17", "InvoiceDate": "2026-03-28T00:00:00Z", "DiscountAmount": 0}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Emulator]:
    """One for all: each test sets its own order's status."""
    with Emulator(sizes=(120, 60)).serve() as made:
        assert isinstance(made, Emulator)
        yield made


@pytest.fixture(scope="module")
def desk(vendor: Emulator) -> Desk:
    return Desk(vendor)


# Messages


def test_a_message_is_there_once_sent(desk: Desk) -> None:
    order = desk.an_order("Accepted")
    status, _ = desk.ask(
        "POST", "messages", json={"MessageId": "m", "WorkOrderId": order, "Text": "We are on our way."}
    )
    assert status == 200
    sent = desk.get("messages", workOrderId=order)["Messages"][-1]
    assert (sent["Text"], sent["Sender"]["Type"]) == ("We are on our way.", "CorrigoPro")


@pytest.mark.parametrize(
    ("status", "change", "code"),
    [
        ("Accepted", {"Text": ""}, 2100),
        ("Accepted", {"Text": "x" * 3001}, 2100),
        ("Accepted", {"MessageVisibility": "Everyone"}, 2100),
        ("Rejected", {}, 3001),
        ("Recalled", {}, 3005),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(desk: Desk, status: str, change: dict[str, str], code: int) -> None:
    order = desk.an_order(status)
    before = desk.cabinet.messages(desk.number(order))
    body = {"MessageId": "m", "WorkOrderId": order, "Text": "Hello", **change}
    assert desk.ask("POST", "messages", json=body)[1]["Code"] == code
    assert desk.cabinet.messages(desk.number(order)) == before


# Attachments


PICTURE = bytes(range(256)) * 2 + b"\r\n--x\r\n"


def attach(desk: Desk, order: object, content: bytes = PICTURE, **fields: str) -> tuple[int, Any]:
    form = {"MessageId": "m", "WorkOrderId": str(order), "Name": "after.png", "MimeType": "image/png", **fields}
    return desk.ask("POST", "attachments", data=form, files={"File": ("a.png", content, "image/png")})


def test_a_file_is_listed_and_can_be_fetched(desk: Desk) -> None:
    order = desk.an_order("CheckedIn")

    status, answer = attach(desk, order, DocumentType="Picture")

    assert status == 200
    listed = desk.get("attachments", workOrderId=order)["Attachments"][-1]
    assert listed == {
        "AttachmentId": answer["AttachmentId"],
        "Name": "after.png",
        "MimeType": "image/png",
        "Size": len(PICTURE),
        "Subtype": "Picture",
    }
    address = desk.get("attachments/downloadUrl", attachmentId=answer["AttachmentId"])["DownloadUrl"]
    assert httpx.get(address, trust_env=False, verify=False).content == PICTURE


def test_a_download_address_ends(desk: Desk) -> None:
    own = desk.cabinet.attachments(next(n for n in range(99) if desk.cabinet.attachments(n)))[0]["AttachmentId"]
    address = desk.get("attachments/downloadUrl", attachmentId=own)["DownloadUrl"]
    assert httpx.get(address, trust_env=False, verify=False).status_code == 200
    desk.vendor.tokens.revoke("download")
    assert httpx.get(address, trust_env=False, verify=False).status_code == 404
    assert desk.ask("GET", "attachments/downloadUrl", params={"messageId": "m", "attachmentId": "x"})[1]["Code"] == 3003


@pytest.mark.parametrize(
    "wrong", [{"Name": ""}, {"WorkOrderId": "WN1"}, {"DocumentType": "Painting"}, {"MessageVisibility": "x"}]
)
def test_a_form_that_is_not_understood_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    assert attach(desk, desk.an_order("CheckedIn"), **wrong)[1]["Code"] == 2100


def test_a_file_may_have_20_megabytes(desk: Desk) -> None:
    status, answer = attach(desk, desk.an_order("CheckedIn"), content=bytes(20 * 1024 * 1024 + 100_000))
    assert (status, answer["ValidationErrors"][0]["FieldName"]) == (400, "File")


def test_a_file_needs_its_form_and_an_order_that_is_there(desk: Desk) -> None:
    assert desk.ask("POST", "attachments", json={"MessageId": "m"})[1]["Code"] == 1000
    assert attach(desk, desk.an_order("Recalled"))[1]["Code"] == 3005


# Procedures


def a_step(desk: Desk, status: str) -> tuple[int, dict[str, Any]]:
    order = desk.an_order(status, lambda number: bool(desk.book.procedures(number)))
    return order, desk.cabinet.steps(desk.number(order))[-1]


@pytest.mark.parametrize("status", ["Accepted", "CheckedIn", "Paused", "OnHold"])
def test_a_step_is_answered_while_work_is_under_way(desk: Desk, status: str) -> None:
    order, step = a_step(desk, status)
    desk.do(
        "procedure/step", order, ProcedureId=step["ProcedureId"], StepId=step["Id"], IsDone=True, Comment=f"In {status}"
    )
    told = desk.get("procedure/step", workOrderId=order)["Steps"][-1]
    assert (told["IsDone"], told["Comment"]) == (True, f"In {status}")


@pytest.mark.parametrize("status", ["New", "Rejected", "CheckedOut", "NeedsCompletionDetails", "Verified"])
def test_no_step_is_answered_before_or_after(desk: Desk, status: str) -> None:
    order, step = a_step(desk, status)
    assert desk.code("procedure/step", order, ProcedureId=step["ProcedureId"], StepId=step["Id"], IsDone=True) == 3001


@pytest.mark.parametrize(
    ("change", "code"), [({"StepId": 1}, 3003), ({"IsDone": "yes"}, 2100), ({"StepId": "1"}, 2100)]
)
def test_a_wrong_answer_to_a_step_is_refused(desk: Desk, change: dict[str, object], code: int) -> None:
    order, step = a_step(desk, "CheckedIn")
    body = {"ProcedureId": step["ProcedureId"], "StepId": step["Id"], "IsDone": True, **change}
    assert desk.code("procedure/step", order, **body) == code


# Invoices


def a_draft(desk: Desk, *, taxed: bool, status: str = "CheckedOut") -> tuple[int, dict[str, Any]]:
    """An order whose invoice is a draft, of a customer who works out tax or does not."""

    def fits(number: int) -> bool:
        return not is_pre_billed(number) and (desk.book.customer_of(number) % 2 == 0) is taxed

    order = desk.an_order(status, fits)
    desk.cabinet.set_status(desk.number(order), "Draft")
    return order, desk.get("invoice", workOrderId=order)["Invoice"]


def written(desk: Desk, order: int, *lines: dict[str, Any], **content: object) -> dict[str, Any]:
    """The invoice after it was put."""
    before = desk.get("invoice", workOrderId=order)["Invoice"]
    entered = {"ConcurrencyId": before["ConcurrencyId"], **WHOLE, "LineItems": list(lines), **content}
    desk.do("invoice", order, Invoice=entered)
    found: dict[str, Any] = desk.get("invoice", workOrderId=order)["Invoice"]
    return found


def test_a_written_invoice_replaces_the_former_whole(desk: Desk) -> None:
    order, before = a_draft(desk, taxed=True)
    kept = before["LineItems"][0]

    after = written(desk, order, kept | {"Quantity": 2, "Rate": 50}, LINE)

    assert [line["Subtotal"] for line in after["LineItems"]] == [100, 150]
    assert after["LineItems"][0]["Id"] == kept["Id"]
    assert (after["TotalAmount"], after["InvoiceNumber"], after["Status"]) == (250, "A-17", "Draft")
    assert after["ConcurrencyId"] > before["ConcurrencyId"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ConcurrencyId": -1}, 3000),
        ({"LineItems": [LINE | {"Id": 1}]}, 3043),
        ({"LineItems": [TAX, TAX]}, 3042),
        ({"LineItems": [LINE | {"Rate": "dear"}]}, 2100),
        ({"LineItems": "none"}, 2100),
        ({"InvoiceDate": "soon"}, 2100),
    ],
)
def test_an_invoice_that_cannot_be_written_is_refused(desk: Desk, change: dict[str, object], code: int) -> None:
    order, before = a_draft(desk, taxed=True)
    body = {"ConcurrencyId": before["ConcurrencyId"], **WHOLE, "LineItems": [LINE], **change}
    assert desk.code("invoice", order, Invoice=body) == code
    assert desk.get("invoice", workOrderId=order)["Invoice"] == before


def test_several_tax_lines_are_taken_where_the_customer_works_out_none(desk: Desk) -> None:
    order, _ = a_draft(desk, taxed=False)
    assert len(written(desk, order, LINE, TAX, TAX)["LineItems"]) == 3


@pytest.mark.parametrize("status", ["Submitted", "PendingVerification", "Authorized", "Paid"])
def test_what_was_submitted_is_neither_written_nor_submitted_again(desk: Desk, status: str) -> None:
    order, _ = a_draft(desk, taxed=False)
    desk.cabinet.set_status(desk.number(order), status)
    assert desk.code("invoice", order, Invoice={"LineItems": []}) == 3036
    assert desk.code("invoice/submit", order) == 3050


def test_a_complete_invoice_is_submitted(desk: Desk) -> None:
    order, _ = a_draft(desk, taxed=True)
    written(desk, order, LINE, TAX)
    desk.do("invoice/submit", order)
    assert desk.get("invoice", workOrderId=order)["Invoice"]["Status"] == "Submitted"


def test_a_disputed_invoice_is_written_and_submitted_again(desk: Desk) -> None:
    order, _ = a_draft(desk, taxed=True)
    desk.vendor.dispute_invoice(0, str(order))
    written(desk, order, LINE, TAX)
    desk.do("invoice/submit", order)
    assert desk.get("invoice", workOrderId=order)["Invoice"]["Status"] == "Submitted"


def test_an_invoice_waits_for_the_work_to_be_completed(desk: Desk) -> None:
    order, _ = a_draft(desk, taxed=False, status="CheckedIn")
    written(desk, order, LINE)
    assert desk.code("invoice/submit", order) == 3051


@pytest.mark.parametrize("missing", ["InvoiceNumber", "InvoiceDate", "DiscountAmount", "LineItems", *LINE])
def test_an_invoice_with_something_missing_is_not_submitted(desk: Desk, missing: str) -> None:
    order, _ = a_draft(desk, taxed=False)
    content = {"LineItems": [{name: value for name, value in LINE.items() if name != missing}]} | {missing: None}
    written(desk, order, **content)
    assert desk.code("invoice/submit", order) == 3052


def test_tax_that_differs_from_the_customers_is_submitted_only_anyway(desk: Desk) -> None:
    order, _ = a_draft(desk, taxed=True)
    written(desk, order, LINE, TAX | {"Rate": 11})
    assert desk.code("invoice/submit", order) == 3056
    desk.do("invoice/submit", order, SubmitAnyway=True)


def test_submitting_a_pre_billed_invoice_accepts_its_order(desk: Desk) -> None:
    order = desk.an_order("New", is_pre_billed)
    written(desk, order, LINE, TAX)
    desk.do("invoice/submit", order, SubmitAnyway=True)
    assert desk.status(order) == "Accepted"


def test_one_company_cannot_write_the_others_invoice(vendor: Emulator, desk: Desk) -> None:
    order, _ = a_draft(Desk(vendor, 1), taxed=True)
    assert desk.code("invoice/submit", order) == 3005
