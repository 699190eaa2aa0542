"""Notices reach their listeners by the emulator's clock, in the order of sending, in every weather."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.sandbox.control import with_control
from integrations.sandbox.kit import Clock, Reply, Request, route
from integrations.sandbox.notices import Notice, Sender, Spell
from integrations.sandbox.notifier import Notifier
from tests.integrations.listener import Listener, listening

MINUTE = timedelta(minutes=1)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.freeze(datetime(2026, 3, 1, tzinfo=UTC))
    return made


@pytest.fixture
def sender(clock: Clock) -> Sender:
    return Sender(clock, delays=(5 * MINUTE, 10 * MINUTE), most_tries=4)


def notice(listener: Listener, text: str, account: int = 0) -> Notice:
    return Notice(account=account, event="Told", url=listener.url, body=text.encode(), headers={"X-Kind": "Told"})


def tell(sender: Sender, listener: Listener, *texts: str, account: int = 0) -> None:
    for text in texts:
        sender.send(notice(listener, text, account))


def test_a_notice_arrives_with_its_body_and_headers(sender: Sender, listener: Listener) -> None:
    tell(sender, listener, "a")

    assert sender.deliver() == 1

    assert (listener.got, listener.headers[0]["X-Kind"]) == (["a"], "Told")
    assert [(one.notice.event, one.status, one.tries) for one in sender.delivered] == [("Told", 200, 1)]


def test_notices_arrive_in_the_order_of_sending(sender: Sender, listener: Listener) -> None:
    tell(sender, listener, *"abcdefgh")
    sender.deliver()
    assert listener.got == list("abcdefgh")


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_what_is_not_answered_with_success_is_posted_again(sender: Sender, listener: Listener, status: int) -> None:
    listener.status = status
    tell(sender, listener, "a")
    sender.deliver()
    assert (sender.delivered, [one.status for one in sender.waiting]) == ([], [status])


def test_the_delays_grow_as_told_and_the_last_one_stays(sender: Sender, listener: Listener, clock: Clock) -> None:
    listener.status = 503
    tell(sender, listener, "a")
    posts = []
    for minute in range(26):
        posts += [minute] * sender.deliver()
        clock.advance(MINUTE)
    assert posts == [0, 5, 15, 25]


def test_a_hurried_sender_waits_less(sender: Sender, listener: Listener, clock: Clock) -> None:
    listener.status, sender.speed = 503, 60
    tell(sender, listener, "a")
    sender.deliver()
    clock.advance(timedelta(seconds=4))
    assert sender.deliver() == 0
    clock.advance(timedelta(seconds=1))
    assert sender.deliver() == 1


def test_after_the_last_try_a_notice_is_dead_until_reprocessed(
    sender: Sender, listener: Listener, clock: Clock
) -> None:
    listener.status = 500
    tell(sender, listener, "a")
    tell(sender, listener, "b", account=1)
    for _ in range(6):
        sender.deliver()
        clock.advance(10 * MINUTE)
    assert [one.notice.body for one in sender.dead] == [b"a", b"b"]

    listener.status = 200
    assert sender.reprocess(account=1) == 1
    assert sender.deliver() == 1
    assert sender.reprocess() == 1
    assert sender.deliver() == 1
    assert (sender.dead, listener.got[-2:]) == ([], ["b", "a"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "http://", "ftp://127.0.0.1/x"])
def test_an_address_where_nobody_answers_harms_nothing(sender: Sender, listener: Listener, url: str) -> None:
    sender.send(replace(notice(listener, "a"), url=url))
    tell(sender, listener, "b")

    assert sender.deliver() == 2

    assert (listener.got, [one.status for one in sender.waiting]) == (["b"], [None])


def test_a_listener_that_keeps_silent_is_a_failure(clock: Clock, listener: Listener) -> None:
    sender = Sender(clock, delays=(MINUTE,), most_tries=2, timeout=timedelta(seconds=0.05))
    listener.may_answer.clear()
    tell(sender, listener, "a")
    sender.deliver()
    assert [one.status for one in sender.waiting] == [None]


def test_a_repeated_post_keeps_its_id_and_is_dressed_anew(clock: Clock, listener: Listener) -> None:
    tokens = iter("12")

    def dress(plain: Notice) -> Notice:
        return replace(plain, headers={"X-Token": next(tokens), "X-Id": plain.id})

    sender = Sender(clock, delays=(MINUTE,), most_tries=5, dress=dress)
    listener.status = 500
    tell(sender, listener, "a")
    sender.deliver()
    clock.advance(MINUTE)
    sender.deliver()
    first, second = listener.headers
    assert (first["X-Token"], second["X-Token"], first["X-Id"]) == ("1", "2", second["X-Id"])


# Weather


def test_a_dropped_notice_never_arrives_and_the_next_does(sender: Sender, listener: Listener) -> None:
    sender.add(Spell(is_dropped=True))
    tell(sender, listener, "a", "b")
    sender.deliver()
    assert (listener.got, sender.waiting) == (["b"], [])


def test_a_doubled_notice_arrives_twice_as_the_same(sender: Sender, listener: Listener) -> None:
    sender.add(Spell(copies=2))
    tell(sender, listener, "a", "b")
    sender.deliver()
    assert listener.got == ["a", "a", "b"]
    assert len({one.notice.id for one in sender.delivered}) == 2


def test_reversed_notices_wait_for_each_other_and_arrive_last_first(sender: Sender, listener: Listener) -> None:
    sender.add(Spell(is_reversed=True, times=3))
    tell(sender, listener, "a", "b")
    assert sender.deliver() == 0
    tell(sender, listener, "c", "d")
    sender.deliver()
    assert listener.got == ["c", "b", "a", "d"]


def test_fair_weather_releases_what_was_held_back(sender: Sender, listener: Listener) -> None:
    sender.add(Spell(is_reversed=True, times=9))
    sender.add(Spell(is_dropped=True))
    tell(sender, listener, "a", "b")
    assert len(sender.waiting) == 2
    sender.clear()
    tell(sender, listener, "c")
    sender.deliver()
    assert listener.got == ["a", "b", "c"]


def test_a_late_notice_arrives_after_those_sent_later(sender: Sender, listener: Listener, clock: Clock) -> None:
    sender.add(Spell(delay=MINUTE))
    tell(sender, listener, "a", "b")
    assert sender.deliver() == 1
    clock.advance(MINUTE / 2)
    tell(sender, listener, "c")
    clock.advance(MINUTE / 2)
    sender.deliver()
    assert listener.got == ["b", "c", "a"]


def test_a_rewritten_notice_stays_rewritten_however_often_it_is_posted(
    sender: Sender, listener: Listener, clock: Clock
) -> None:
    listener.status = 500
    sender.add(Spell(rewrite=lambda plain: replace(plain, body=b"{")))
    tell(sender, listener, "a", "b")
    sender.deliver()
    clock.advance(5 * MINUTE)
    sender.deliver()
    assert listener.got == ["{", "b", "{", "b"]


def test_weather_over_one_account_leaves_the_other_alone(sender: Sender, listener: Listener) -> None:
    sender.add(Spell(account=1, times=2, is_dropped=True))
    tell(sender, listener, "a", "b", "c")
    tell(sender, listener, "x", "y", "z", account=1)
    sender.deliver()
    assert listener.got == ["a", "b", "c", "z"]


# The thread, and the emulator


class Post(Notifier):
    """A post office that tells when a letter comes."""

    key = "post"
    account_names = ("Ann", "Bo")
    controls = Notifier.notice_controls
    retry_delays = (MINUTE,)
    most_tries = 3

    @route("POST", "/letters")
    def letter(self, request: Request) -> Reply:
        for account in (0, 1):
            url = self.listener(account)
            if url:
                self.sender.send(Notice(account=account, event="Letter", url=url, body=request.body))
        return Reply.json({})


@pytest.fixture
def post() -> Iterator[Post]:
    box = Post()
    with with_control(box).serve():
        yield box


def ask(post: Post, path: str, content: bytes = b"") -> httpx.Response:
    return httpx.post(post.url + path, content=content, trust_env=False, verify=False, follow_redirects=True)


def test_a_listener_is_registered_for_one_account(post: Post, listener: Listener) -> None:
    page = ask(post, f"/_control/listen?account=1&url={listener.url}?a=b").text

    assert '<input name="url"' in page
    assert (post.listener(0), post.listener(1)) == ("", f"{listener.url}?a=b")


def test_a_serving_emulator_posts_by_itself_and_does_not_wait_for_the_listener(post: Post, listener: Listener) -> None:
    listener.may_answer.clear()
    post.listen(listener.url, account=0)

    assert ask(post, "/letters", b"one").status_code == 200  # while the listener has not answered

    assert listener.heard.wait(10)
    assert (listener.got, post.sender.delivered) == (["one"], [])
    listener.may_answer.set()
    post.sender.deliver()
    assert len(post.sender.delivered) == 1


def test_a_stopped_emulator_posts_no_more(listener: Listener) -> None:
    box = Post()
    with box.serve():
        pass
    box.listen(listener.url)
    box.sender.send(notice(listener, "late"))
    assert "notices" not in {thread.name for thread in threading.enumerate()}
    assert len(box.sender.waiting) == 1


@pytest.mark.parametrize(
    ("switch", "arrives"),
    [
        ("drop_notices", ["3333"]),
        ("double_notices", ["0000", "0000", "1111", "1111", "2222", "2222", "3333"]),
        ("reverse_notices", ["2222", "1111", "0000", "3333"]),
        ("delay_notices", ["3333"]),
        ("garble_notices", ["00", "11", "22", "3333"]),
    ],
)
def test_each_switch_makes_its_weather_over_the_account_chosen(
    post: Post, listener: Listener, switch: str, arrives: list[str]
) -> None:
    ask(post, f"/_control/listen?account=0&url={listener.url}")
    ask(post, f"/_control/{switch}?account=1")
    ask(post, f"/_control/{switch}?account=0")

    for number in range(4):
        ask(post, "/letters", str(number).encode() * 4)
    post.sender.deliver()

    assert listener.got == arrives


def test_fair_weather_and_reprocessing_are_on_the_page(post: Post, listener: Listener) -> None:
    listener.status = 500
    post.clock.freeze(post.epoch)
    ask(post, f"/_control/listen?url={listener.url}")
    ask(post, "/_control/drop_notices")
    ask(post, "/_control/clear")
    ask(post, "/_control/hurry_notices")
    ask(post, "/letters", b"a")
    for _ in range(3):
        post.sender.deliver()
        post.clock.advance(timedelta(seconds=1))
    assert len(post.sender.dead) == 2

    listener.status = 200
    ask(post, "/_control/reprocess_notices?account=0")
    post.sender.deliver()

    assert [one.notice.account for one in post.sender.dead] == [1]
