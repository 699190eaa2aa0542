"""The kit that every vendor in a box is made of: its weather, and the page with its switches."""

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

import httpx
import pytest

from integrations.registry import connectors
from integrations.sandbox.__main__ import emulator
from integrations.sandbox.control import with_control
from integrations.sandbox.kit import Fault, NothingLeft, Reply, Request, Sandbox, route


class Post(Sandbox):
    """A post office: each account has letters of its own; the counter can be closed for one or for all."""

    key = "post"
    account_names = ("Ann", "Bo")
    controls: ClassVar[tuple[tuple[str, str], ...]] = (("close", "Close the counter"), ("burn", "Burn all letters"))

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[int | None] = []
        self.is_burnt = False

    def close(self, account: int | None = None) -> None:
        self.closed.append(account)

    def burn(self) -> None:
        self.is_burnt = True

    def account_of(self, request: Request) -> int | None:
        return {"ann": 0, "bo": 1}.get(request.get("who"))

    def demo_setup(self, account: int = 0) -> tuple[dict[str, object], dict[str, str]]:
        return {"who": self.account_names[account].lower()}, {"key": f"secret-{account}"}

    @route("GET", "/letters")
    def letters(self, request: Request) -> Reply:
        return Reply.json({"page": request.get("page", "1")})


@pytest.fixture
def post() -> Iterator[Post]:
    box = Post()
    with with_control(box).serve():
        yield box


def get(post: Post, path: str) -> httpx.Response:
    return httpx.get(post.url + path, trust_env=False)


def press(post: Post, switch: str, query: str = "") -> httpx.Response:
    return httpx.post(f"{post.url}/_control/{switch}{query}", trust_env=False, follow_redirects=True)


def test_weather_over_one_account_leaves_the_other_alone(post: Post) -> None:
    post.weather.add(Fault(status=503, account=0))
    assert get(post, "/letters?who=bo").status_code == 200
    assert get(post, "/letters?who=ann").status_code == 503
    assert get(post, "/letters?who=ann").status_code == 200


def test_weather_over_one_method_leaves_the_others_alone(post: Post) -> None:
    post.weather.add(Fault(status=409, method="POST|PUT"))
    assert get(post, "/letters").status_code == 200
    assert httpx.post(f"{post.url}/letters", trust_env=False).status_code == 409


def test_a_stuck_list_gives_its_first_page_whatever_is_asked(post: Post) -> None:
    post.weather.add(Fault(path="letters", times=3, is_stuck=True))
    assert [get(post, f"/letters?page={n}").json()["page"] for n in (1, 2, 3, 4)] == ["1", "1", "1", "4"]


def test_an_answer_can_be_made_into_another(post: Post) -> None:
    post.weather.add(Fault(rewrite=bytes.upper))
    assert get(post, "/letters").content == b'{"PAGE":"1"}'


def test_every_answer_tells_the_vendors_own_time(post: Post) -> None:
    post.clock.freeze(post.epoch.replace(year=2020, month=2, day=3, hour=4))
    assert get(post, "/letters").headers["date"] == "Mon, 03 Feb 2020 04:00:00 GMT"


def test_a_switch_acts_on_the_account_chosen_or_on_all(post: Post) -> None:
    press(post, "close", "?account=1")
    press(post, "close")
    assert press(post, "burn", "?account=0").status_code == 200
    assert (post.closed, post.is_burnt) == ([1, None], True)


def test_the_page_says_what_was_done_and_for_whom(post: Post) -> None:
    page = press(post, "close", "?account=1").text
    assert "Done: Close the counter" in page
    assert "<b>Bo</b>" in page


def test_weather_from_the_page_is_for_the_account_chosen(post: Post) -> None:
    press(post, "limit", "?account=0")
    assert get(post, "/letters?who=bo").status_code == 200
    limited = get(post, "/letters?who=ann")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "10")
    press(post, "clear")
    assert get(post, "/letters?who=ann").status_code == 200


def test_the_page_tells_what_opens_each_account(post: Post) -> None:
    ann, bo = get(post, "/_control/accounts").json()
    assert ann == {"name": "Ann", "settings": {"who": "ann"}, "secrets": {"key": "secret-0"}}
    assert bo["name"] == "Bo"


@pytest.mark.parametrize("vendor", sorted(connectors()))
def test_life_at_a_vendor_goes_on_until_nothing_is_left(vendor: str) -> None:
    """Deed after deed, on so little that it runs out."""
    sizes = [4] * len(emulator(vendor).account_names)
    box, dice, done = emulator(vendor, sizes=sizes), random.Random(vendor), 0
    for _ in range(400):
        with suppress(NothingLeft):
            getattr(box, dice.choice(box.mishaps))(account=0)
            done += 1
    assert done > 100
