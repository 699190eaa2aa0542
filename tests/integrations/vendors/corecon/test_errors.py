"""Every number Corecon may answer with leads to the one who acts next."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from integrations.answers import Answer
from integrations.errors import (
    ConfigurationNeeded,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from integrations.sandbox.kit import Fault
from integrations.vendors.corecon import codes, connector
from integrations.vendors.corecon.codes import MEANINGS
from integrations.vendors.corecon.failures import Asking, failure, number_of
from integrations.vendors.corecon.sandbox import Emulator
from integrations.vendors.corecon.streams import STREAMS
from tests.integrations.vendor_access import VendorAccess
from tests.integrations.vendors.corecon.browser import connected, door_of

COMPANIES = STREAMS[0]
BUG = [400, *range(404, 408), *range(409, 416), 417, 418, 422, 425, 426, 428, 431, 449, 451, 452, *range(455, 462)]
BUG += [488, 494, 495, 496, 501, 505, 510, 511, 551]
RETRY = [408, 423, 444, 453, 499, 598, 599]
LIMIT = [420, 429, 509]
OUTAGE = [424, 462, 482, 500, 502, 503, 504, 506, 507, 508]
TOKEN = [401, 454, 479, 480]
CONFIGURE = [402, 450, *range(465, 469), 471, 472, 474, 477, 478, *range(483, 488), 489, 497]
RECONNECT = [469, 470, 473, 475, 476, 481]
UNKNOWN = {
    421: VendorChanged,
    463: VendorChanged,
    464: VendorChanged,
    490: VendorChanged,
    498: VendorChanged,
    530: RetryLater,
}
READING = [
    *((number, VendorChanged) for number in [*BUG, 416]),
    *((number, RetryLater) for number in [*RETRY, *OUTAGE]),
    *((number, RateLimited) for number in LIMIT),
    *((number, ReconnectNeeded) for number in [*TOKEN, *RECONNECT]),
    *((number, ConfigurationNeeded) for number in CONFIGURE),
    (403, NotPermitted),
    *UNKNOWN.items(),
]
SIGN_IN = [
    *((number, VendorChanged) for number in BUG if number not in (404, 488)),
    *((number, RetryLater) for number in [*RETRY, *OUTAGE]),
    *((number, RateLimited) for number in LIMIT),
    *((number, ReconnectNeeded) for number in [*TOKEN, *RECONNECT] if number != 476),
    *((number, ConfigurationNeeded) for number in [*CONFIGURE, 403, 488]),
    (476, VendorChanged),  # we have sent none that was blank
    *UNKNOWN.items(),
]


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Emulator, VendorAccess]]:
    emulator = Emulator(sizes=(230, 1), projects=(2, 1), timecards=(10, 1))
    with emulator.serve(), connected(emulator) as access:
        yield emulator, access


@pytest.fixture
def corecon(opened: tuple[Emulator, VendorAccess]) -> Iterator[Emulator]:
    """One for all the numbers: nothing of it is changed but its weather and its features."""
    emulator, access = opened
    access.exchanges.clear()
    yield emulator
    emulator.weather.clear()
    emulator.restore()


@pytest.fixture
def access(corecon: Emulator, opened: tuple[Emulator, VendorAccess]) -> VendorAccess:
    return opened[1]


def refuse(corecon, path, status, body=b"", times=9, **headers):
    corecon.weather.add(Fault(path=f"{path}$", status=status, body=body, times=times, headers=headers))


def test_the_whole_table_of_the_guide_is_known():
    guide = {*range(400, 419), 420, *range(422, 427), 428, 429, 431, 444, *range(449, 463), *range(465, 490)}
    guide |= {494, 495, 496, 497, 499, *range(500, 512), 551, 598, 599}

    assert set(MEANINGS) == guide
    assert {number for number, _ in READING} == guide | set(UNKNOWN)


@pytest.mark.parametrize(("number", "error"), READING)
def test_a_status_while_reading_leads_to_who_acts_next(access, corecon, number, error):
    refuse(corecon, "Company/List", number)

    with pytest.raises(error) as raised:
        access.read_all(COMPANIES)
    assert type(raised.value) is error
    assert raised.value.detail.startswith(str(number))
    assert raised.value.words.endswith((".", "?"))


@pytest.mark.parametrize(("number", "error"), SIGN_IN)
def test_a_status_while_signing_in_leads_to_who_acts_next(access, corecon, number, error):
    refuse(corecon, "token", number)

    with pytest.raises(error) as raised:
        connector.refresh_token(door_of(access), "some token")
    assert type(raised.value) is error
    assert "{" not in raised.value.words


@pytest.mark.parametrize("carrier", [200, 400, 401, 403, 500])
@pytest.mark.parametrize("number", [429, 468, 479, 482, 489, 451])
@pytest.mark.parametrize(
    "body",
    [
        b'{"code":%d,"message":"Words"}',
        b'{"Code":"%d"}',
        b'{"StatusCode":%d}',
        b'{"error":%d}',
    ],
)
def test_a_status_that_says_little_leaves_the_word_to_the_number_in_the_body(carrier, number, body):
    answer = Answer(status=carrier, headers={}, body=body % number)
    asking = Asking(feature="Companies")

    found = number_of(answer, asking)

    assert found == number
    assert type(failure(answer, found, asking)) is MEANINGS[number].error


@pytest.mark.parametrize("status", [402, 429, 479, 486, 503])
def test_a_status_that_says_something_goes_before_the_body(status):
    answer = Answer(status=status, headers={}, body=b'{"code":468}')

    assert number_of(answer, Asking()) == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[479]",
        b'{"code":200}',
        b'{"code":true}',
        b'{"code":4790}',
        b'{"code":"\xc2\xb2\xc2\xb2\xc2\xb2"}',
        b'{"code":null,"error":"something"}',
        b'{"Data":[],"code":479}',
        b"[" * 4000,
    ],
)
def test_a_body_without_a_number_leaves_the_status(body):
    assert number_of(Answer(status=400, headers={}, body=body), Asking()) == 400


@pytest.mark.parametrize(
    ("grant", "word", "error"),
    [
        ("refresh_token", b"invalid_grant", ReconnectNeeded),
        ("authorization_code", b"invalid_grant", ReconnectNeeded),
        ("password", b"invalid_grant", ReconnectNeeded),
        ("password", b"invalid_client", ConfigurationNeeded),
        ("client_credentials", b"unsupported_grant_type", ConfigurationNeeded),
        ("password", b"invalid_scope", ConfigurationNeeded),
    ],
)
def test_the_words_of_oauth_are_understood_at_the_token_address(grant, word, error):
    answer = Answer(status=400, headers={}, body=b'{"error":"%b"}' % word)
    asking = Asking(grant=grant)

    number = number_of(answer, asking)

    assert number is not None
    assert type(failure(answer, number, asking)) is error


def test_refused_details_of_an_app_are_for_the_admin_not_for_a_sign_in():
    answer = Answer(status=473, headers={}, body=b"")

    assert type(failure(answer, 473, Asking(grant="client_credentials"))) is ConfigurationNeeded
    assert type(failure(answer, 473, Asking(grant="password"))) is ReconnectNeeded


def test_a_feature_that_is_not_allowed_stops_its_stream_only(access, corecon):
    corecon.withdraw_timecards()

    with pytest.raises(NotPermitted) as refused:
        access.read_all(STREAMS[3])
    assert "not allowed to use Labor Timecards" in refused.value.words
    assert access.read_all(COMPANIES)


@pytest.mark.parametrize("number", [449, 483])
def test_what_may_pass_is_asked_once_more(access, corecon, number):
    refuse(corecon, "Company/List", number, times=1)

    assert len(access.read_all(COMPANIES)) == 3


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "17"}, timedelta(seconds=17)),
        (429, {}, None),
        (503, {"Retry-After": "60"}, timedelta(minutes=1)),
        (420, {}, timedelta(minutes=2)),
        (509, {}, timedelta(hours=1)),
    ],
)
def test_we_wait_as_long_as_the_vendor_asks(access, corecon, status, headers, wait):
    refuse(corecon, "Company/List", status, **headers)

    with pytest.raises(RetryLater) as raised:
        access.read_all(COMPANIES)
    assert raised.value.retry_after == wait


def test_the_vendors_words_go_to_the_log_without_our_secrets():
    answer = Answer(status=466, headers={}, body=b'{"code":466,"message":"Bad secret s3cret\\u0000 of  app"}')

    error = failure(answer, 466, Asking(grant="password", hidden=("s3cret", "")))

    assert error.detail == "466 Invalid Client Secret: Bad secret … of app"


def test_a_number_in_the_body_is_told_with_the_status(access, corecon):
    refuse(corecon, "Company/List", 500, b'{"code":483,"message":"Database NULL"}')

    with pytest.raises(ConfigurationNeeded) as raised:
        access.read_all(COMPANIES)
    assert raised.value.detail == "HTTP 500, 483 Database NULL"


def test_a_success_without_rows_but_with_a_number_is_a_failure(access, corecon):
    refuse(corecon, "Company/List", 200, b'{"code":468,"message":"Account Inactive"}')

    with pytest.raises(ConfigurationNeeded) as raised:
        access.read_all(COMPANIES)
    assert raised.value.code == "account_inactive"


@pytest.mark.parametrize("status", [300, 302, 303, 304, 305, 306])
def test_a_redirect_is_not_followed_with_the_token(access, corecon, status):
    refuse(corecon, "Company/List", status, Location=f"{corecon.url}/api/Project/List")

    with pytest.raises(VendorChanged):
        access.read_all(COMPANIES)


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("target", ["https://elsewhere.example/api/Company/List", "", "/api/Company/List?again"])
def test_a_move_elsewhere_asks_for_the_new_address(access, corecon, status, target):
    refuse(corecon, "Company/List", status, Location=target)

    with pytest.raises(ConfigurationNeeded) as raised:
        access.read_all(COMPANIES)
    assert raised.value.code == "moved"
    assert "Copy it again from Developer Mode" in raised.value.words


def test_little_storage_space_is_noted_and_no_failure(access, corecon, caplog):
    row = corecon.books[0].page("Company", range(2))
    refuse(corecon, "Company/List", 250, row)

    assert len(access.read_all(COMPANIES)[0].records) == 2
    assert "low on storage space" in caplog.text


def test_a_refused_token_is_renewed_and_the_call_repeated(access, corecon):
    refuse(corecon, "Company/List", 480, times=1)

    assert len(access.read_all(COMPANIES)) == 3


WORDS = {
    401: "no longer accepts our sign-in. Reconnect",
    402: "billing problem",
    403: "Add it under Allowed features",
    450: "A network filter in front of Corecon",
    454: "sign-in has ended",
    465: "The Integration Key is not known",
    466: "The Secret Key is wrong or was replaced",
    467: "switched off. Activate it",
    468: "account is inactive",
    469: "Press Connect again",
    470: "Press Connect again",
    471: "the Redirect URI must be exactly {uri}",
    472: "another authentication type",
    473: "refused the sign-in details",
    474: "other environment (sandbox/production)",
    475: "User name or password is wrong",
    476: "Enter the Corecon user name and password",
    477: "has expired. Renew it",
    478: "Integration Key and Account Key belong together",
    479: "longer than the token lifetime",
    480: "no longer recognises our access",
    481: "could not be completed",
    483: "finds no database for this account",
    484: "not ready yet",
    485: "The sandbox has ended",
    486: "must pass Corecon's review",
    487: "production database has expired",
    488: "not registered in Corecon. Add {uri}",
    489: "Tick the same scopes",
    497: "must start with https://",
}


@pytest.mark.parametrize("number", WORDS)
def test_who_must_act_is_told_what_to_do(number):
    assert WORDS[number] in MEANINGS[number].words


def test_only_what_needs_a_person_has_words_of_its_own():
    needs_a_person = {*CONFIGURE, *RECONNECT, *TOKEN, 403, 488}

    assert needs_a_person == set(WORDS)
    others = {meaning.words for meaning in MEANINGS.values() if meaning.number not in needs_a_person}
    assert others == {codes.BUSY, codes.OUTAGE, codes.LIMIT, codes.STRANGE}


def test_problems_with_different_cures_have_different_codes():
    ours = {number: MEANINGS[number].code for number in CONFIGURE}

    assert len(set(ours.values())) == len(ours)


def test_a_blank_password_is_asked_for_and_one_that_we_sent_is_a_mistake_of_the_vendors():
    answer = Answer(status=476, headers={}, body=b"")

    assert type(failure(answer, 476, Asking(grant="password", hidden=("pat", "")))) is ReconnectNeeded
    assert type(failure(answer, 476, Asking(grant="password", hidden=("pat", "pw")))) is VendorChanged


def test_every_meaning_has_words_for_a_tenant():
    for meaning in MEANINGS.values():
        assert meaning.words.endswith((".", "?"))
        assert meaning.code
        assert issubclass(meaning.error, TokenRefused) == (meaning.number in TOKEN)
