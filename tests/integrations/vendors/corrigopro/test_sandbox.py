"""The vendor in a box keeps to the vendor's documents."""

import gzip
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from integrations.sandbox.kit import Request
from integrations.values import WorkOrderStatus
from integrations.vendors.corrigopro import records
from integrations.vendors.corrigopro.sandbox import Emulator

SPAN = {"From": "2000-01-01T00:00:00Z", "To": "2100-01-01T00:00:00Z"}
OPEN = {WorkOrderStatus.NEW, WorkOrderStatus.ACCEPTED, WorkOrderStatus.IN_PROGRESS, WorkOrderStatus.ON_HOLD}


@pytest.fixture
def vendor() -> Emulator:
    return Emulator(sizes=(30, 10))


def signed_in(vendor: Emulator, account: int = 0) -> dict[str, str]:
    settings, secrets = vendor.demo_setup(account)
    form = f"grant_type=client_credentials&client_id={settings['client_id']}&client_secret={secrets['client_secret']}"
    answer = vendor.answer(Request(method="POST", path="/OAuth/Token", query=(), headers={}, body=form.encode()))
    assert answer
    return {"authorization": f"bearer {json.loads(answer.body)['access_token']}", "content-type": "application/json"}


def ask(
    vendor: Emulator,
    method: str,
    path: str,
    headers: Mapping[str, str],
    *query: tuple[str, str],
    body: object = None,
) -> tuple[int, dict[str, object]]:
    sent = b"" if body is None else json.dumps(body).encode()
    answer = vendor.answer(Request(method=method, path=path, query=query, headers=headers, body=sent))
    assert answer
    return answer.status, json.loads(answer.body)


def test_paths_are_taken_in_any_letter_case_with_or_without_a_last_slash(vendor: Emulator) -> None:
    for path in ("/am/Direct/api/customers", "/AM/direct/API/Customers/"):
        status, answer = ask(vendor, "GET", path, signed_in(vendor), ("messageId", "m1"))
        assert (status, answer["MessageId"]) == (200, "m1")


@pytest.mark.parametrize("spelling", ["ids", "ids[{n}]"])
def test_ids_are_taken_in_both_spellings_and_unknown_ones_left_out(vendor: Emulator, spelling: str) -> None:
    ids = [(spelling.format(n=n), str(number)) for n, number in enumerate((15_849, 15_851, 1))]

    _, answer = ask(vendor, "GET", "/am/Direct/api/workOrder", signed_in(vendor), ("messageId", "m"), *ids)

    assert {order["WorkOrderId"] for order in answer["WorkOrders"]} == {15_849, 15_851}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/am/Direct/api/customers", (), 2100),
        ("/am/Direct/api/customers", (("messageId", "x" * 129),), 2100),
        ("/am/Direct/api/workOrder", (("messageId", "m"),), 2100),
        ("/am/Direct/api/workOrder", (("messageId", "m"), ("ids", "53A")), 2100),
        ("/am/Direct/api/workOrder", (("messageId", "m"), *(("ids", str(n)) for n in range(51))), 2100),
        ("/emea/Direct/api/customers", (("messageId", "m"),), 1000),
    ],
)
def test_a_wrong_request_is_refused_with_its_code(
    vendor: Emulator, path: str, query: tuple[tuple[str, str], ...], code: int
) -> None:
    status, answer = ask(vendor, "GET", path, signed_in(vendor), *query)

    assert (status, answer["Code"]) == (500 if code == 1000 else 400, code)
    assert (answer["ValidationErrors"] is None) == (code == 1000)


@pytest.mark.parametrize("path", ["invoice", "attachments", "messages", "procedure", "procedure/step"])
@pytest.mark.parametrize(("order", "code"), [("", 2100), ("WN1", 2100), ("15848", 3005), ("15849", None)])
def test_what_hangs_on_an_order_needs_an_order_that_is_there(
    vendor: Emulator, path: str, order: str, code: int | None
) -> None:
    query = (("messageId", "m"), ("workOrderId", order))

    status, answer = ask(vendor, "GET", f"/am/Direct/api/{path}", signed_in(vendor), *query)

    assert (status, answer.get("Code")) == (400 if code else 200, code)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("customerSettings", (), 2100),
        ("customerSettings", (("customerId", "1"),), 3003),
        ("associates", (("branchId", "east"),), 2100),
        ("associates", (("branchId", "1"),), 3003),
    ],
)
def test_what_belongs_to_nobody_is_refused(
    vendor: Emulator, path: str, query: tuple[tuple[str, str], ...], code: int
) -> None:
    _, answer = ask(vendor, "GET", f"/am/Direct/api/{path}", signed_in(vendor), ("messageId", "m"), *query)

    assert answer["Code"] == code


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_a_token_is_signed_as_its_certificate_tells(vendor: Emulator, is_gzipped: bool) -> None:
    if is_gzipped:
        vendor.gzip_tokens(account=0)
    data, _, sign = signed_in(vendor)["authorization"].partition(" ")[2].partition("<---->")
    reply = vendor.answer(Request(method="GET", path="/certificate", query=(), headers={}, body=b""))
    assert reply
    key = x509.load_pem_x509_certificate(reply.body).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signed = urlsafe_b64decode(data + "==")

    key.verify(urlsafe_b64decode(sign + "=="), signed, padding.PKCS1v15(), hashes.SHA256())

    told = json.loads(gzip.decompress(signed) if is_gzipped else signed)
    assert vendor.demo_setup()[0]["client_id"] in {claim["Value"] for claim in told["Claims"]}


def test_each_deed_changes_one_account_and_nothing_else() -> None:
    vendor = Emulator(sizes=(60, 60))
    for name in vendor.mishaps:
        before = [everything(vendor, account) for account in (0, 1)]
        vendor.clock.advance(timedelta(seconds=1))
        getattr(vendor, name)(account=1)
        assert everything(vendor, 0) == before[0]
        assert everything(vendor, 1) != before[1], name


def everything(vendor: Emulator, account: int) -> str:
    company = vendor.accounts[account]
    book, cabinet = company.book, company.cabinet
    numbers = [number for number in range(len(book)) if number not in book.vanished]
    papers = (cabinet.invoice, cabinet.attachments, cabinet.messages, book.procedures, cabinet.steps, book.detail)
    return json.dumps(
        [
            [[find(number) for find in papers] for number in numbers],
            [[book.customer(index), cabinet.settings(index)] for index in book.customers()],
            [cabinet.associates(branch) for branch in book.branches],
        ]
    )


def test_every_switch_can_be_turned(vendor: Emulator) -> None:
    words = {"listen": {"url": "http://127.0.0.1:1/"}, "set_time_digits": {"digits": "3"}}
    for name, _ in vendor.controls:
        getattr(vendor, name)(**words.get(name, {}))


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (None, "application/json", 2100),
        ({"Parameters": {"Created": SPAN}}, "application/json", 2100),
        ({"MessageId": "m"}, "application/json", 2100),
        ({"MessageId": "m", "Parameters": {"Colour": "red"}}, "application/json", 2100),
        ({"MessageId": "m", "Parameters": {"Created": {"From": "soon"}}}, "application/json", 2100),
        ({"MessageId": "m", "Parameters": {"Created": SPAN}}, "text/plain", 1000),
    ],
)
def test_a_wrong_search_is_refused_with_its_code(vendor: Emulator, body: object, content_type: str, code: int) -> None:
    headers = {**signed_in(vendor), "content-type": content_type}

    _, answer = ask(vendor, "POST", "/am/Direct/api/workOrder/search", headers, body=body)

    assert answer["Code"] == code


def test_search_takes_every_documented_criterion(vendor: Emulator) -> None:
    row = vendor.accounts[0].book.row(7)
    headers = signed_in(vendor)
    for name in ("Created", "LastUpdate", "DueDate", "OnSiteBy", "AcknowledgeBy"):
        wanted = {
            name: SPAN,
            "Statuses": [row["Status"]],
            "WorkOrderNumber": row["WorkOrderNumber"],
            "CustomerId": str(row["Customer"]["Id"]),
        }
        _, answer = ask(
            vendor, "POST", "/am/Direct/api/workorder/search/", headers, body={"Parameters": wanted, "MessageId": "m"}
        )
        assert row in answer["WorkOrders"]  # type: ignore[operator]


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer nonsense", "Basic abc"])
def test_without_a_good_token_nothing_is_told(vendor: Emulator, header: str) -> None:
    status, answer = ask(vendor, "GET", "/am/Direct/api/customers", {"authorization": header}, ("messageId", "m"))

    assert (status, answer["Code"], answer["MessageId"]) == (401, 2000, None)


def test_a_token_ends_after_1199_seconds(vendor: Emulator) -> None:
    vendor.clock.freeze(datetime.now(UTC))
    headers = signed_in(vendor)
    for seconds, expected in ((1198, 200), (1, 401)):
        vendor.clock.advance(timedelta(seconds=seconds))
        assert ask(vendor, "GET", "/am/Direct/api/customers", headers, ("messageId", "m"))[0] == expected


def test_a_restarted_demo_knows_its_tokens_and_its_newest_pair(tmp_path: Path) -> None:
    first = Emulator(sizes=(5, 5), state_dir=tmp_path)
    first.rotate_credentials()
    headers = signed_in(first)

    second = Emulator(sizes=(5, 5), state_dir=tmp_path)

    assert second.demo_setup()[1] == first.demo_setup()[1]
    assert ask(second, "GET", "/am/Direct/api/customers", headers, ("messageId", "m"))[0] == 200


def test_the_same_seed_gives_the_same_orders() -> None:
    epoch = datetime(2026, 3, 1, tzinfo=UTC)
    first, second = (Emulator(sizes=(20, 5), seed=4, epoch=epoch) for _ in range(2))

    assert [first.accounts[0].book.detail(n) for n in range(20)] == [
        second.accounts[0].book.detail(n) for n in range(20)
    ]


def test_the_demo_has_work_in_every_state_and_some_past_due(vendor: Emulator) -> None:
    book = Emulator(sizes=(2000, 5)).accounts[0].book
    orders = [records.work_order(json.dumps(book.detail(number)).encode()) for number in range(len(book))]
    now = datetime.now(UTC)

    assert len(orders) == 2000
    assert {order.status for order in orders} == set(WorkOrderStatus) - {WorkOrderStatus.UNKNOWN}
    overdue = [order for order in orders if order.status in OPEN and order.due_at and order.due_at < now]
    assert 20 < len(overdue) < 200
    finished = {WorkOrderStatus.COMPLETED, WorkOrderStatus.VERIFIED}
    assert sum(order.status in finished for order in orders) > 1500


def test_time_moves_open_orders_on_and_brings_new_ones() -> None:
    vendor = Emulator(sizes=(200, 10), change_every=timedelta(minutes=10))
    book = vendor.accounts[0].book
    vendor.clock.freeze(vendor.epoch)
    headers = signed_in(vendor)
    before = {number: book.status(number) for number in range(len(book))}
    vendor.clock.advance(timedelta(minutes=500))

    ask(vendor, "GET", "/am/Direct/api/customers", headers, ("messageId", "m"))

    assert len(book) == 205  # every tenth change is a new order
    moved = [number for number, status in before.items() if book.status(number) != status]
    assert len(moved) >= 20
    assert {book.last_update(number) for number in moved} <= {
        vendor.epoch + timedelta(minutes=10) * n for n in range(51)
    }


def test_large_companies_are_searched_without_telling_every_story() -> None:
    vendor = Emulator(sizes=(200_000, 5))
    vendor.clock.freeze(vendor.epoch + timedelta(hours=9))
    headers = signed_in(vendor)
    vendor.change(0, 150_000)
    span = {"From": (vendor.clock.now() - timedelta(minutes=10)).isoformat(), "To": SPAN["To"]}

    _, answer = ask(
        vendor,
        "POST",
        "/am/Direct/api/workOrder/search",
        headers,
        body={"Parameters": {"LastUpdate": span}, "MessageId": "m"},
    )

    assert [row["WorkOrderId"] for row in answer["WorkOrders"]] == [15_849 + 150_000]  # type: ignore[attr-defined]
    assert vendor.accounts[0].book.story.cache_info().currsize < 10
