"""The vendor in a box notifies as the vendor's documents tell."""

import gzip
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from integrations.sandbox.control import with_control
from integrations.vendors.corrigopro.sandbox import Emulator
from tests.integrations.listener import Listener, listening
from tests.integrations.vendors.corrigopro.desk import Desk

NOON = datetime(2026, 10, 4, 10, 12, 8, 167161, tzinfo=UTC)
PLACED = {"Status", "Location", "Comment"}
STATED = {"Status", "Comment"}
# Every action of the hub, and what is told beside the header.
ACTIONS: dict[str, set[str]] = {
    "NewWorkOrder": {"Details", "Attachments"},
    "Accepted": STATED,
    "Rejected": STATED,
    "Recalled": STATED,
    "PutOnHold": STATED,
    "Reopened": STATED,
    "CheckedIn": PLACED,
    "Paused": PLACED,
    "CheckedOut": {"Comment", "Location", "RepairInfo", "CustomFields", "Procedures", "CheckList"},
    "NeedsCompletionDetails": {"Status"},
    "CompletionInfoChanged": set(),
    "WorkVerified": {"Status", "Feedback"},
    "SlaChanged": {"Sla"},
    "NteChanged": {"Amount"},
    "QuoteChanged": {"Quote"},
    "InvoiceStatusChanged": {"Status", "Comment", "AuthNumber", "CheckNumber", "Amount", "PaidDate"},
    "AppointmentInfoChanged": {"Appointment"},
    "AttachmentAdded": {"AttachmentId", "Name", "MimeType", "Size", "Subtype"},
    "AttachmentRemoved": {"AttachmentId"},
    "MessageSent": {"Text"},
    "ProcedureMarked": {"ProcedureId", "IsMarkedNa"},
    "ProcedureUpdated": set(),
    "CheckListUpdated": set(),
    "CheckListMigratedToProcedure": set(),
    "AdditionalFieldDescriptorUpdated": set(),
    "IsmStatusChanged": set(),
}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def vendor(listener: Listener) -> Iterator[Emulator]:
    """The first company has a listener."""
    made = Emulator(sizes=(120, 60))
    with with_control(made).serve():
        made.listen(listener.url, account=0)
        yield made


@pytest.fixture
def desk(vendor: Emulator) -> Desk:
    return Desk(vendor)


def told(vendor: Emulator, listener: Listener) -> list[dict[str, Any]]:
    """What the listener was told up to now."""
    vendor.sender.deliver()
    return [json.loads(body) for body in listener.got]


def actions(vendor: Emulator, listener: Listener) -> list[str]:
    return [one["Header"]["Action"] for one in told(vendor, listener)]


def press(vendor: Emulator, switch: str, **query: object) -> int:
    return httpx.post(f"{vendor.url}/_control/{switch}", params=query, trust_env=False, verify=False).status_code  # type: ignore[arg-type]


# The request


def test_a_notification_has_the_documented_header(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    vendor.clock.freeze(NOON)
    order = desk.an_order("Accepted")

    vendor.put_on_hold(0, str(order))

    one = told(vendor, listener)[0]
    header = one.pop("Header")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", header.pop("MessageId"))
    sender = header.pop("Sender")
    assert (sender.keys(), sender["Type"]) == ({"Name", "Phone", "Type"}, "Customer")
    assert header == {
        "WorkOrderId": order,
        "BranchId": desk.detail(order)["BranchId"],
        "Action": "PutOnHold",
        "ActionDate": "2026-10-04T10:12:08.1671617Z",
        "ApiVersion": "1.1",
    }
    assert one == {"Status": "OnHold", "Comment": "Waiting for the landlord."}


def test_a_notification_comes_with_the_documented_http_headers(vendor: Emulator, listener: Listener) -> None:
    vendor.create_order(0)
    told(vendor, listener)
    headers = {name.lower(): value for name, value in listener.headers[0].items()}
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["event-type"] == "NewWorkOrder"
    assert (headers["expect"], headers["connection"]) == ("100-continue", "Keep-Alive")


def claims(vendor: Emulator, authorization: str) -> dict[str, Any]:
    """What the token says, its signature checked against the certificate that is offered for download."""
    data, _, sign = authorization.removeprefix("Bearer ").partition("<---->")
    assert "=" not in data + sign
    signed = urlsafe_b64decode(data + "=" * (-len(data) % 4))
    key = x509.load_pem_x509_certificate(
        httpx.get(f"{vendor.url}/certificate", trust_env=False, verify=False).content
    ).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(urlsafe_b64decode(sign + "=" * (-len(sign) % 4)), signed, padding.PKCS1v15(), hashes.SHA256())
    found: dict[str, Any] = json.loads(gzip.decompress(signed) if signed[:2] == b"\x1f\x8b" else signed)
    return found


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_its_token_is_signed_and_names_the_company(vendor: Emulator, listener: Listener, is_gzipped: bool) -> None:
    if is_gzipped:
        press(vendor, "gzip_tokens", account=0)
    vendor.create_order(0)
    told(vendor, listener)

    authorization = listener.headers[0]["Authorization"]
    found = claims(vendor, authorization)

    assert authorization.startswith("Bearer H4sI" if is_gzipped else "Bearer eyJ")
    named = {claim["Type"]: claim["Value"] for claim in found["Claims"]}
    assert (named["name"], named["Aud"]) == (vendor.demo_setup(0)[0]["client_id"], "CorrigoProDirect")
    times = {name: parsedate_to_datetime(at) for name, at in found["Properties"]["Dictionary"].items()}
    assert times[".expires"] - times[".issued"] == timedelta(minutes=20)


def test_a_bad_signature_can_be_switched_on_for_one_company(vendor: Emulator, listener: Listener) -> None:
    vendor.listen(listener.url, account=1)
    press(vendor, "forge_tokens", account=1)
    vendor.create_order(0)
    vendor.create_order(1)
    told(vendor, listener)

    good, forged = (one["Authorization"] for one in listener.headers)
    claims(vendor, good)
    with pytest.raises(InvalidSignature):
        claims(vendor, forged)


@pytest.mark.parametrize(
    ("digits", "fraction"), [*enumerate(["", ".1", ".16", ".167", ".1671", ".16716"]), (7, ".1671617")]
)
def test_moments_have_the_digits_that_were_switched_on(
    vendor: Emulator, listener: Listener, desk: Desk, digits: int, fraction: str
) -> None:
    vendor.clock.freeze(NOON)
    press(vendor, "set_time_digits", account=0, digits=digits)
    order = desk.an_order("Accepted")
    vendor.put_on_hold(0, str(order))
    expected = f"2026-10-04T10:12:08{fraction}Z"
    assert told(vendor, listener)[0]["Header"]["ActionDate"] == expected
    assert desk.detail(order)["LastUpdate"] == expected


def test_more_than_seven_digits_are_refused(vendor: Emulator) -> None:
    assert press(vendor, "set_time_digits", digits=8) == 400


# Who is told


def test_each_company_is_told_of_its_own_only(vendor: Emulator, listener: Listener) -> None:
    with listening() as other:
        vendor.listen(other.url, account=1)
        vendor.create_order(0)
        vendor.raise_limit(1)
        assert actions(vendor, listener) == ["NewWorkOrder"]
        assert actions(vendor, other) == ["NteChanged"]
        mine, theirs = (told(vendor, one)[0]["Header"]["BranchId"] for one in (listener, other))
        assert mine in vendor.accounts[0].book.branches
        assert theirs in vendor.accounts[1].book.branches


def test_without_a_listener_nothing_is_queued(vendor: Emulator) -> None:
    vendor.create_order(1)
    assert vendor.sender.waiting == []


def test_a_restarted_demo_goes_on_notifying(tmp_path: Path, listener: Listener) -> None:
    Emulator(sizes=(5, 5), state_dir=tmp_path).listen(listener.url, account=1)
    assert Emulator(sizes=(5, 5), state_dir=tmp_path).listener(1) == listener.url


# What is told


@pytest.mark.parametrize(
    ("deed", "status", "action", "after"),
    [
        ("put_on_hold", "Accepted", "PutOnHold", "OnHold"),
        ("reopen_order", "CheckedOut", "Reopened", "New"),
        ("reopen_order", "OnHold", "Reopened", "New"),
        ("recall_order", "Accepted", "Recalled", "Recalled"),
        ("verify_order", "CheckedOut", "WorkVerified", "Verified"),
        ("check_out_by_phone", "CheckedIn", "NeedsCompletionDetails", "NeedsCompletionDetails"),
        ("advance_order", "New", "Accepted", "Accepted"),
        ("advance_order", "Accepted", "CheckedIn", "CheckedIn"),
        ("advance_order", "CheckedIn", "CheckedOut", "CheckedOut"),
        ("move_due_date", "New", "SlaChanged", "New"),
        ("raise_limit", "New", "NteChanged", "New"),
        ("answer_quote", "New", "QuoteChanged", "New"),
        ("send_message", "Accepted", "MessageSent", "Accepted"),
        ("add_attachment", "Accepted", "AttachmentAdded", "Accepted"),
        ("move_invoice_on", "CheckedOut", "InvoiceStatusChanged", "CheckedOut"),
        ("dispute_invoice", "CheckedOut", "InvoiceStatusChanged", "CheckedOut"),
    ],
)
def test_a_deed_from_outside_changes_the_order_and_is_told(
    vendor: Emulator, listener: Listener, desk: Desk, deed: str, status: str, action: str, after: str
) -> None:
    order = desk.an_order(status)

    assert press(vendor, deed, account=0, order=order) == 302

    (one,) = told(vendor, listener)
    assert (one["Header"]["Action"], one["Header"]["WorkOrderId"]) == (action, order)
    assert one.keys() - {"Header"} <= ACTIONS[action]
    assert desk.status(order) == after
    assert one.get("Status", after) in (after, desk.cabinet.status(desk.number(order)))


def test_a_deed_that_the_orders_status_does_not_allow_is_refused(
    vendor: Emulator, listener: Listener, desk: Desk
) -> None:
    order = desk.an_order("New")
    assert press(vendor, "verify_order", account=0, order=order) == 400
    assert press(vendor, "put_on_hold", account=1, order=order) == 400
    assert (desk.status(order), told(vendor, listener)) == ("New", [])


def test_a_new_order_is_told_whole(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    vendor.create_order(0)
    (one,) = told(vendor, listener)
    order = one["Header"]["WorkOrderId"]
    assert one["Details"] == desk.detail(order)
    assert one["Attachments"] == desk.get("attachments", workOrderId=order)["Attachments"]


def test_a_removed_file_is_told_and_gone(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    vendor.remove_attachment(0)
    (one,) = told(vendor, listener)
    files = desk.get("attachments", workOrderId=one["Header"]["WorkOrderId"])["Attachments"]
    assert one["AttachmentId"] not in {file["AttachmentId"] for file in files}


def test_an_approved_quote_raises_the_limit_without_saying_so_twice(
    vendor: Emulator, listener: Listener, desk: Desk
) -> None:
    order = desk.an_order("Accepted")
    desk.do("workOrder/quoteSubmit", order, Amount=350, Comment="Compressor")
    press(vendor, "answer_quote", account=0, order=order)
    (one,) = told(vendor, listener)
    assert one["Quote"] == {"Amount": 350, "QuoteStatus": "Approved", "Comment": "Compressor"}
    assert desk.detail(order)["Nte"]["Amount"] == 350


def test_an_invoice_goes_from_submitted_to_paid(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    order = desk.an_order("CheckedOut")
    desk.cabinet.set_status(desk.number(order), "Submitted")
    for switch in ("authorize_invoice", "pay_invoice"):
        press(vendor, switch, account=0, order=order)
    authorized, paid = told(vendor, listener)
    invoice = desk.get("invoice", workOrderId=order)["Invoice"]
    assert (authorized["Status"], paid["Status"], invoice["Status"]) == ("Authorized", "Paid", "Paid")
    assert (paid["Amount"], paid["CheckNumber"]) == (invoice["PaymentAmount"], invoice["CheckNumber"])


def test_a_dispute_says_why_and_no_payment(vendor: Emulator, listener: Listener) -> None:
    vendor.dispute_invoice(0)
    (one,) = told(vendor, listener)
    assert one.keys() == {"Header", "Status", "Comment"}
    assert one["Comment"]


def test_a_changed_setup_is_told_without_an_order(vendor: Emulator, listener: Listener) -> None:
    vendor.add_custom_field(0)
    (one,) = told(vendor, listener)
    assert (one["Header"]["Action"], "WorkOrderId" in one["Header"]) == ("AdditionalFieldDescriptorUpdated", False)


def test_what_time_changes_is_told_though_nobody_asks(listener: Listener) -> None:
    vendor = Emulator(sizes=(50, 5), change_every=timedelta(minutes=1))
    vendor.clock.freeze(vendor.epoch)
    with vendor.serve():
        vendor.listen(listener.url, account=0)
        vendor.clock.advance(timedelta(minutes=10))
        assert listener.heard.wait(10)
        vendor.let_time_pass()  # returns when what began it has ended
        assert len(told(vendor, listener)) == 10
    assert "NewWorkOrder" in actions(vendor, listener)  # every tenth change


def test_what_happened_before_a_restart_is_not_told_again(tmp_path: Path, listener: Listener) -> None:
    Emulator(state_dir=tmp_path).listen(listener.url)
    vendor = Emulator(sizes=(50, 5), change_every=timedelta(minutes=1), state_dir=tmp_path)
    vendor.clock.freeze(vendor.epoch + timedelta(hours=1))
    with vendor.serve():
        vendor.let_time_pass()
        assert told(vendor, listener) == []
        assert len(vendor.accounts[0].book) > 50


# Test events


def test_a_test_event_of_every_type_names_no_real_order(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    press(vendor, "send_test_events", account=0)
    events = told(vendor, listener)
    assert {one["Header"]["Action"]: one.keys() - {"Header"} for one in events} == ACTIONS
    ids = [one["Header"]["WorkOrderId"] for one in events]
    assert desk.get("workOrder", ids=ids)["WorkOrders"] == []
    assert [header["Event-Type"] for header in listener.headers] == [one["Header"]["Action"] for one in events]


# Our own actions


def do_all(desk: Desk) -> None:
    order = desk.an_order("New")
    person = {"PerformedBy": {"Name": "Mara", "Phone": "+1"}}
    desk.do("workOrder/accept", order, Comment="Yes", **person)
    desk.do("workOrder/checkIn", order, Location={"Latitude": 1.5, "Longitude": 2}, **person)
    desk.do("workOrder/pause", order, **person)
    desk.do("workOrder/quoteSubmit", order, Amount=9, **person)
    desk.do("workOrder/appointmentInfo", order, Appointment={"Pte": "CallFirst"}, **person)
    desk.do("workOrder/note", order, InternalNote="For us only", **person)
    desk.ask("POST", "messages", json={"MessageId": "m", "WorkOrderId": order, "Text": "Hello", **person})
    silent = {"MessageId": "m", "WorkOrderId": order, "Text": "Psst", "MessageVisibility": "CruOnly"}
    desk.ask("POST", "messages", json=silent)
    desk.do("workOrder/checkIn", order, **person)
    desk.do("workOrder/checkOut", order, RepairInfo={"CategoryId": 1, "CodeId": 2}, **person)


def test_own_actions_are_not_told(vendor: Emulator, listener: Listener, desk: Desk) -> None:
    do_all(desk)
    assert told(vendor, listener) == []


def test_own_actions_are_told_once_switched_on_for_the_company(
    vendor: Emulator, listener: Listener, desk: Desk
) -> None:
    vendor.listen(listener.url, account=1)
    press(vendor, "echo_actions", account=0)
    do_all(desk)
    do_all(Desk(vendor, 1))

    events = told(vendor, listener)

    assert [one["Header"]["Action"] for one in events] == [
        "Accepted",
        "CheckedIn",
        "Paused",
        "QuoteChanged",
        "AppointmentInfoChanged",
        "MessageSent",
        "CheckedIn",
        "CheckedOut",
    ]
    assert all(one.keys() - {"Header"} == ACTIONS[one["Header"]["Action"]] for one in events)
    assert {json.dumps(one["Header"]["Sender"]) for one in events} == {
        '{"Name": "Mara", "Phone": "+1", "Type": "CorrigoPro"}'
    }
    assert (events[0]["Comment"], events[1]["Location"]) == ("Yes", {"Latitude": 1.5, "Longitude": 2})


# Trying again, and weather


def test_a_notification_is_tried_after_5_10_20_40_and_then_every_60_minutes(
    vendor: Emulator, listener: Listener
) -> None:
    vendor.clock.freeze(NOON)
    listener.status = 500
    vendor.create_order(0)
    for tries, minutes in enumerate((5, 10, 20, 40, 60, 60), start=1):
        assert len(told(vendor, listener)) == tries
        vendor.clock.advance(timedelta(minutes=minutes, seconds=-1))
        assert len(told(vendor, listener)) == tries
        vendor.clock.advance(timedelta(seconds=1))
    assert len(told(vendor, listener)) == 7
    assert len({one["Header"]["MessageId"] for one in told(vendor, listener)}) == 1
    assert len({header["Authorization"] for header in listener.headers}) == len(listener.headers) == 7


def test_after_200_tries_a_notification_is_dead_until_reprocessed(vendor: Emulator, listener: Listener) -> None:
    vendor.clock.freeze(NOON)
    listener.status = 503
    vendor.create_order(0)
    for _ in range(199):
        vendor.sender.deliver()
        vendor.clock.advance(timedelta(hours=1))
    assert (vendor.sender.dead, len(vendor.sender.waiting)) == ([], 1)
    vendor.sender.deliver()
    assert (len(vendor.sender.dead), vendor.sender.waiting, len(listener.got)) == (1, [], 200)

    listener.status = 204
    press(vendor, "reprocess_notices", account=0)
    told(vendor, listener)
    assert (vendor.sender.dead, len(vendor.sender.delivered)) == ([], 1)


def test_a_notification_may_come_as_the_vendors_barest_sample(vendor: Emulator, listener: Listener) -> None:
    press(vendor, "bare_notices", account=0)
    vendor.raise_limit(0)
    header = told(vendor, listener)[0]["Header"]
    assert header["PerformedBy"].keys() == {"Name", "Phone"}
    assert not {"Sender", "ActionDate"} & header.keys()


def test_an_unknown_action_may_come(vendor: Emulator, listener: Listener) -> None:
    press(vendor, "strange_notices", account=0)
    vendor.raise_limit(0)
    one = told(vendor, listener)[0]
    assert one["Header"]["Action"] == listener.headers[0]["Event-Type"] == "SomethingNew"
    assert one["Header"]["WorkOrderId"]
