"""The vendor in a box takes the actions on work orders as the vendor does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from integrations.sandbox.kit import Fault
from integrations.vendors.corrigopro.sandbox import Emulator
from integrations.vendors.corrigopro.sandbox_actions import policy
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed, written
from tests.integrations.vendors.corrigopro.desk import Desk

STATUSES = (
    "New",
    "Accepted",
    "Rejected",
    "Recalled",
    "CheckedIn",
    "Paused",
    "CheckedOut",
    "OnHold",
    "NeedsCompletionDetails",
    "Verified",
)
ALLOWED = {
    "accept": ({"New"}, "Accepted"),
    "reject": ({"New"}, "Rejected"),
    "checkIn": ({"Accepted", "Paused"}, "CheckedIn"),
    "pause": ({"CheckedIn"}, "Paused"),
    "checkOut": ({"CheckedIn", "Accepted"}, "CheckedOut"),
    "workDoneDetails": ({"NeedsCompletionDetails"}, "CheckedOut"),
    "reopen": ({"CheckedOut", "Verified"}, "New"),
}
REPAIR = {"CategoryId": 1, "CodeId": 2}
DENVER = {"Latitude": 39.7392, "Longitude": -104.9903}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Emulator]:
    """One for all: each test sets its own order's status."""
    with Emulator(sizes=(120, 60)).serve() as made:
        assert isinstance(made, Emulator)
        yield made


@pytest.fixture(scope="module")
def desk(vendor: Emulator) -> Desk:
    return Desk(vendor)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", ALLOWED)
def test_an_action_leads_from_its_statuses_only(desk: Desk, action: str, status: str) -> None:
    begins, ends = ALLOWED[action]
    order = desk.an_order(status)

    code, answer = desk.put(f"workOrder/{action}", WorkOrderId=order, Comment="Done.", RepairInfo=REPAIR)

    if status in begins:
        assert (code, answer, desk.status(order)) == (200, {"MessageId": "m-1"}, ends)
    else:
        expected = 3005 if status == "Recalled" else 3001
        assert (code, answer["Code"], answer["ValidationErrors"], desk.status(order)) == (400, expected, None, status)


def test_an_action_moves_the_orders_last_update(desk: Desk) -> None:
    order = desk.an_order("New")
    desk.vendor.clock.advance(timedelta(minutes=1))
    desk.do("workOrder/accept", order)
    assert desk.detail(order)["LastUpdate"] == written(desk.vendor.clock.now().replace(microsecond=0))


def test_a_rejection_needs_words(desk: Desk) -> None:
    order = desk.an_order("New")
    status, answer = desk.put("workOrder/reject", WorkOrderId=order)
    assert (status, answer["Code"]) == (400, 2100)
    assert answer["ValidationErrors"][0]["FieldName"] == "Comment"
    assert desk.status(order) == "New"


def test_a_pre_billed_order_cannot_be_accepted(desk: Desk) -> None:
    order = desk.an_order("New", is_pre_billed)
    assert desk.code("workOrder/accept", order) == 3002


def test_planned_work_without_its_details_still_needs_them(desk: Desk) -> None:
    order = desk.an_order("CheckedIn", lambda number: desk.book.story(number).is_planned)

    desk.do("workOrder/checkOut", order, Comment="Done.")
    assert desk.status(order) == "NeedsCompletionDetails"
    assert desk.code("workOrder/workDoneDetails", order, Comment="Done.") == 2100
    desk.do("workOrder/workDoneDetails", order, Comment="Done.", RepairInfo=REPAIR)
    assert desk.status(order) == "CheckedOut"


def test_planned_work_with_its_details_is_completed(desk: Desk) -> None:
    order = desk.an_order("CheckedIn", lambda number: desk.book.story(number).is_planned)
    desk.do("workOrder/checkOut", order, Comment="Done.", RepairInfo=REPAIR, Location=DENVER)
    assert desk.status(order) == "CheckedOut"


@pytest.mark.parametrize(
    "details",
    [{"RepairInfo": {"CategoryId": 1, "CodeId": 99}}, {"CustomFields": [{"Id": "99", "Value": "x"}]}],
)
def test_details_that_the_customer_does_not_know_are_refused(desk: Desk, details: dict[str, object]) -> None:
    order = desk.an_order("CheckedIn")
    assert desk.code("workOrder/checkOut", order, Comment="Done.", **details) == 3003
    assert desk.status(order) == "CheckedIn"


def test_some_customers_cannot_reopen(desk: Desk) -> None:
    order = desk.an_order("CheckedOut", lambda number: not policy(desk.book.customer_of(number)).reopening)
    assert desk.code("workOrder/reopen", order) == 3000


def test_an_actual_date_is_taken_where_the_customer_allows_it(desk: Desk) -> None:
    before = written(desk.vendor.clock.now() - timedelta(hours=1))
    strict = desk.an_order("Accepted", lambda number: not policy(desk.book.customer_of(number)).backdating)
    assert desk.code("workOrder/checkIn", strict, ActualActionDate=before) == 3000
    lax = desk.an_order("Accepted")
    assert desk.code("workOrder/checkIn", lax, ActualActionDate="2999-01-01T00:00:00Z") == 2100
    desk.do("workOrder/checkIn", lax, ActualActionDate=before)


# Quotes, appointments, notes, fields


def test_a_quote_is_submitted_once_until_the_customer_rejects_it(desk: Desk) -> None:
    order = desk.an_order("Accepted", lambda number: desk.is_easy(number) and number > 20)

    desk.do("workOrder/quoteSubmit", order, Amount=350.5, Comment="Compressor")
    assert desk.detail(order)["Nte"]["Quote"] == {
        "Amount": 350.5,
        "Comment": "Compressor",
        "QuoteStatus": "Submitted",
    }
    assert desk.code("workOrder/quoteSubmit", order, Amount=300) == 3000

    desk.vendor.answer_quote(0, str(order), "Too much.")
    assert desk.detail(order)["Nte"]["Quote"]["QuoteStatus"] == "Rejected"
    desk.do("workOrder/quoteSubmit", order, Amount=300)
    desk.vendor.answer_quote(0, str(order))
    assert desk.detail(order)["Nte"] == {
        "Amount": 300,
        "Quote": {"Amount": 300, "Comment": "", "QuoteStatus": "Approved"},
    }


@pytest.mark.parametrize(("status", "code"), [("Rejected", 3001), ("Recalled", 3005)])
def test_what_ended_takes_no_quote(desk: Desk, status: str, code: int) -> None:
    assert desk.code("workOrder/quoteSubmit", desk.an_order(status), Amount=1) == code


def test_some_customers_take_no_quotes(desk: Desk) -> None:
    order = desk.an_order("New", lambda number: not policy(desk.book.customer_of(number)).quotes)
    assert desk.code("workOrder/quoteSubmit", order, Amount=1) == 3004


def test_an_appointment_is_made(desk: Desk) -> None:
    order, wanted = desk.an_order("Accepted"), {"ScheduledStart": "2026-03-28T08:00:00Z", "Pte": "Appointment"}
    desk.do("workOrder/appointmentInfo", order, Appointment=wanted)
    assert desk.detail(order)["Schedule"] == wanted


def test_a_note_can_be_read_again(desk: Desk) -> None:
    order = desk.an_order("Accepted")
    desk.do("workOrder/note", order, InternalNote="Bring a ladder.", PerformedBy={"Name": "Mara", "Phone": "1"})
    note = desk.get("workOrder/noteHistory", workOrderId=order)["Notes"][-1]
    assert (note["InternalNote"], note["UpdatedBy"]) == ("Bring a ladder.", "Mara")


def test_an_additional_field_has_its_history(desk: Desk) -> None:
    order = desk.an_order("Accepted", lambda number: desk.is_easy(number) and number > 30)
    for value in ("PO-1", "PO-2"):
        desk.do("workOrder/additionalField", order, AdditionalField=1, Value=value)
    assert desk.detail(order)["AdditionalFields"] == [
        {"AdditionalField": 1, "FieldLabel": "Purchase order", "Value": "PO-2", "URLLabel": None}
    ]
    history = desk.get("workOrder/AdditionalFieldHistory", workOrderId=order, additionalFieldId=1)["History"]
    assert [(one["Value"], "DtStemp" in one) for one in history] == [("PO-1", True), ("PO-2", True)]
    assert desk.code("workOrder/additionalField", order, AdditionalField=7, Value="x") == 3003


# Several at once


def test_bulk_answers_for_each_order_even_when_some_fail(desk: Desk) -> None:
    good = desk.an_order("New")
    pre_billed = desk.an_order("New", is_pre_billed)

    status, answer = desk.put("bulk/accept", WorkOrderIds=[good, pre_billed, 1])

    assert status == 200
    assert [(one["WorkOrderId"], one["IsSuccess"], one["Code"]) for one in answer["Results"]] == [
        (good, True, None),
        (pre_billed, False, 3002),
        (1, False, 3005),
    ]
    assert desk.status(good) == "Accepted"


def test_bulk_rejects_with_words_only(desk: Desk) -> None:
    order = desk.an_order("New")
    assert desk.put("bulk/reject", WorkOrderIds=[order])[1]["Code"] == 2100
    assert desk.put("bulk/reject", WorkOrderIds=[order], Comment="Too far.")[1]["Results"][0]["IsSuccess"]
    assert desk.status(order) == "Rejected"


def test_assigning_changes_nothing_that_is_read_and_may_be_repeated(desk: Desk) -> None:
    order, branch = desk.an_order("Accepted"), desk.book.branches[0]
    person = desk.get("associates", branchId=branch)["Associates"][0]["Id"]
    before = desk.detail(order)
    for _ in range(2):
        _, answer = desk.put("bulk/assign", WorkOrderIds=[order], BranchId=branch, AssociateIds=[person])
        assert [one["IsSuccess"] for one in answer["Results"]] == [True]
    assert desk.detail(order) == before


@pytest.mark.parametrize(("change", "code"), [({"BranchId": None}, 2100), ({"BranchId": 1}, 3003), ({"who": 1}, 3003)])
def test_assigning_needs_a_branch_and_its_people(desk: Desk, change: dict[str, int | None], code: int) -> None:
    branch = change.get("BranchId", desk.book.branches[0])
    person = change.get("who") or desk.cabinet.associates(desk.book.branches[0])[0]["Id"]
    order = desk.an_order("Accepted")
    _, answer = desk.put("bulk/assign", WorkOrderIds=[order], BranchId=branch, AssociateIds=[person])
    assert (answer.get("Code") or answer["Results"][0]["Code"]) == code


# What every action checks


def test_paths_of_actions_are_taken_in_any_letter_case(desk: Desk) -> None:
    desk.do("WORKORDER/Accept/", desk.an_order("New"))


@pytest.mark.parametrize(
    ("body", "field", "kind"),
    [
        ([], "", "IncorrectType"),
        ({"WorkOrderId": 1}, "MessageId", "Required"),
        ({"MessageId": "x" * 129, "WorkOrderId": 1}, "MessageId", "Required"),
        ({"MessageId": "m"}, "WorkOrderId", "Required"),
        ({"MessageId": "m", "WorkOrderId": "15849"}, "WorkOrderId", "IncorrectType"),
        ({"MessageId": "m", "WorkOrderId": None}, "WorkOrderId", "Required"),
    ],
)
def test_a_body_that_is_not_understood_is_refused_with_its_field(
    desk: Desk, body: object, field: str, kind: str
) -> None:
    status, answer = desk.ask("PUT", "workOrder/accept", json=body)
    mistake = answer["ValidationErrors"][0]
    assert (status, answer["Code"], mistake["FieldName"], mistake["ErrorType"]) == (400, 2100, field, kind)
    assert mistake["Message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Comment": "x" * 3001},
        {"Comment": 7},
        {"Location": {"Latitude": "north"}},
        {"Location": {"Latitude": 91, "Longitude": 0}},
        {"ActualActionDate": "yesterday"},
        {"PerformedBy": "Mara"},
    ],
)
def test_a_wrong_member_is_refused_and_nothing_done(desk: Desk, wrong: dict[str, object]) -> None:
    order = desk.an_order("Accepted")
    assert desk.code("workOrder/checkIn", order, **wrong) == 2100
    assert desk.status(order) == "Accepted"


@pytest.mark.parametrize("path", ["workOrder/accept", "bulk/accept", "messages", "invoice", "procedure/step"])
def test_another_content_type_looks_like_a_crash(desk: Desk, path: str) -> None:
    method = "POST" if path == "messages" else "PUT"
    status, answer = desk.ask(method, path, content=b"{}", headers={"Content-Type": "text/plain"})
    assert (status, answer["Code"], answer["MessageId"]) == (500, 1000, None)


def test_without_a_token_nothing_is_done(desk: Desk) -> None:
    order = desk.an_order("New")
    status, answer = desk.ask(
        "PUT", "workOrder/accept", json={"MessageId": "m", "WorkOrderId": order}, headers={"Authorization": "Bearer x"}
    )
    assert (status, answer["Code"]) == (401, 2000)
    assert desk.status(order) == "New"


def test_one_company_cannot_touch_the_others_orders(vendor: Emulator, desk: Desk) -> None:
    other = Desk(vendor, 1)
    order = other.an_order("New")
    assert desk.code("workOrder/accept", order) == 3005
    assert other.status(order) == "New"


def test_of_two_at_once_one_wins_and_one_is_told_so(desk: Desk) -> None:
    order = desk.an_order("New")
    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(lambda _: desk.put("workOrder/accept", WorkOrderId=order)[1], range(4)))
    assert sorted(answer.get("Code", 200) for answer in answers) == [200, 3001, 3001, 3001]


def test_an_action_whose_answer_is_lost_was_done(vendor: Emulator, desk: Desk) -> None:
    order = desk.an_order("New")
    vendor.weather.add(Fault(path="workOrder/accept", lose_reply=True))
    with pytest.raises(Exception, match="disconnected"):
        desk.put("workOrder/accept", WorkOrderId=order)
    assert desk.code("workOrder/accept", order) == 3001
