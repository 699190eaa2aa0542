"""The words and marks every page uses: links, times, money, counts, icons, tiles, badges."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import lucide
from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.template import Context, Engine
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from integrations.connections.models import Connection
from integrations.contract import Connector
from portal.pages.context import Entry, account_navigation
from portal.pages.links import home_of, tenant_url

register = template.Library()
register.filter(home_of)

NONE = "–"
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "JPY": "¥", "INR": "₹"}
_WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "PYG", "UGX"})
_LABELS = {
    "email": "E-mail address",
    "login": "E-mail address",
    "oldpassword": "Current password",
    "passwordless": "Sign in with it alone, without a password",
}
_HELP = {
    "password1": "At least 10 characters, and not one that everybody uses.",
    "passwordless": "For devices that know you by fingerprint, face or a code. Without it, it is a second step only.",
}
# The first mark found counts: most browsers claim to be several.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_TONES = {"error": "bad", "warning": "warn", "success": "ok"}
_ICONS = {"bad": "circle-alert", "warn": "triangle-alert", "ok": "circle-check", "info": "info"}


@register.simple_tag(takes_context=True)
def turl(context: Context, name: str, *args: Any, **query: Any) -> str:
    """`{% turl 'work-orders' status='open' %}`: a page of this tenant; keywords become the query."""
    return tenant_url(context["request"], name, *args, **query)


@register.simple_tag(takes_context=True)
def frame_part(context: Context, name: str) -> SafeString:
    """A template that the frame has twice, for narrow screens and for wide ones: drawn once."""
    drawn = context.render_context
    if name not in drawn:
        drawn[name] = Engine.get_default().get_template(name).render(context)
    part: SafeString = drawn[name]
    return part


@register.simple_tag(takes_context=True)
def account_nav(context: Context) -> list[Entry]:
    """The pages of the reader's own account."""
    return account_navigation(context["request"])


@register.simple_tag
@cache
def icon(name: str, size: int = 18) -> SafeString:
    """A lucide icon beside words, so hidden from those who listen. Drawn once: a page shows dozens."""
    svg: str = lucide._render_icon(name + "", size, stroke_width="1.8", aria_hidden="true")
    return mark_safe(svg)  # noqa: S308 - drawn by the package, by a name from our own code


@register.inclusion_tag("components/vendor_tile.html")
def vendor_tile(of: Connection | Connector, size: str = "") -> dict[str, str]:
    """The coloured tile of a connection's or a connector's vendor; size: small, large or nothing."""
    connector = of.connector if isinstance(of, Connection) else of
    return {"colour": connector.colour, "initials": connector.initials, "size": size}


@register.simple_tag
@lru_cache(typed=True)  # a text that is safe is not one that only looks the same
def badge(text: str, tone: str = "") -> SafeString:
    """A word in a pill; tone: ok, warn, bad, busy or nothing. Kept once made: a list has one in every row."""
    return format_html('<span class="badge{}{}">{}</span>', " " if tone else "", tone, text)


@register.filter
def in_our_words(form: BaseForm) -> BaseForm:
    """A form of django-allauth's as the rest of the site would word it: no placeholder that repeats the label."""
    for bound in form:
        bound.field.widget.attrs.pop("placeholder", None)
        bound.label = _LABELS.get(bound.name) or bound.label.capitalize()
        bound.help_text = _HELP.get(bound.name, bound.help_text)
    return form


@register.filter
def when(value: datetime | date | None) -> str:
    """A moment as people say it: "2 days ago", "Yesterday 16:00", "Today 07:30", "24 Nov"; a bare date likewise."""
    if value is None:
        return NONE
    local = _local(value)
    return _time(local, _words(local))


@register.filter
def ago(value: datetime | None) -> str:
    """How long since: "just now", "3 minutes ago", "2 hours ago"; from yesterday on as `when`."""
    if value is None:
        return "never"
    passed = timezone.now() - value
    if not timedelta(0) <= passed < timedelta(hours=12):
        return when(value)
    minutes = int(passed.total_seconds() // 60)
    since = count(minutes, "minute") if minutes < 60 else count(minutes // 60, "hour")
    return _time(timezone.localtime(value), f"{since} ago" if minutes else "just now")


@register.filter
def clock(value: datetime | None, precision: str = "minutes") -> str:
    """The time of day alone: "08:42", with "seconds" "08:42:07"."""
    if value is None:
        return NONE
    local = timezone.localtime(value)
    return _time(local, f"{local:{'%H:%M:%S' if precision == 'seconds' else '%H:%M'}}")


@register.filter
def moment(value: datetime | None) -> str:
    """A moment within a sentence, its day only where it is not today: "14:05", "02:05 tomorrow", "02:05 on 24 Nov"."""
    if value is None:
        return NONE
    local = timezone.localtime(value)
    today = _today(local)
    days = (local.date() - today).days
    word = {-1: " yesterday", 0: "", 1: " tomorrow"}.get(days, f" on {_day(local, today)}")
    return _time(local, f"{local:%H:%M}{word}")


@register.filter
def day(value: datetime | date | None) -> str:
    """The day alone: "24 Nov", with its year when it is another one."""
    if value is None:
        return NONE
    local = _local(value)
    return _time(local, _day(local, _today(local)))


@register.filter
def exact(value: datetime | date | None) -> str:
    """A moment in full: "Tue 24 Nov 2026, 16:00"."""
    if value is None:
        return NONE
    local = _local(value)
    return _time(local, _exact(local))


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """ "$412,600.00", "1,200.00 SEK"; an amount without currency says so."""
    if amount is None:
        return NONE
    places = 0 if currency in _WITHOUT_CENTS else 2
    return _money(amount, currency, max(places, _places(amount)))


@register.filter
def money_round(amount: Decimal | None, currency: str = "") -> str:
    """The same without cents, for figures read at a glance."""
    return NONE if amount is None else _money(amount, currency, 0)


@register.filter
def count(number: int | None, noun: str = "") -> str:
    """ "1,234"; with a noun "1 billing", "19 billings"; an odd plural after a comma: "entry,entries"."""
    if number is None:
        return NONE
    figure = formats.number_format(number, use_l10n=True, force_grouping=True)
    if not noun:
        return figure
    one, _, many = noun.partition(",")
    return f"{figure} {one if number == 1 else many or f'{one}s'}"


@register.filter
def duration(span: timedelta | None) -> str:
    """ "0.4 s", "42 s", "3 min 5 s", "2 h 10 min"."""
    if span is None:
        return NONE
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


@register.filter
def browser(user_agent: str) -> str:
    """A browser as its user would call it: "Firefox on Windows"."""
    name = next((word for mark, word in _BROWSERS if mark in user_agent), "Unknown browser")
    system = next((word for mark, word in _SYSTEMS if mark in user_agent), "")
    return f"{name} on {system}" if system else name


@register.filter
def message_tone(message: Message) -> str:
    return _TONES.get(message.level_tag, "info")


@register.filter
def message_icon(message: Message) -> str:
    return tone_icon(message_tone(message))


@register.filter
def tone_icon(tone: str) -> str:
    return _ICONS.get(tone, _ICONS["warn"])


def _time(local: datetime | date, words: str) -> SafeString:
    """A list has one or two in every row: nothing here comes from outside, so nothing is escaped."""
    return mark_safe(f'<time datetime="{local.isoformat()}" title="{_exact(local)}">{words}</time>')  # noqa: S308


def _local(value: datetime | date) -> datetime | date:
    """By the reader's clock; a bare date is the same everywhere."""
    return timezone.localtime(value) if isinstance(value, datetime) else value


def _words(local: datetime | date) -> str:
    that_day, at = (local.date(), f" {local:%H:%M}") if isinstance(local, datetime) else (local, "")
    today = _today(local)
    days = (that_day - today).days
    if days in {-1, 0, 1}:
        return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}[days] + at
    return f"{-days} days ago" if -7 < days < 0 else _day(local, today)


def _day(local: datetime | date, today: date) -> str:
    return f"{local.day} {local:{'%b' if local.year == today.year else '%b %Y'}}"


def _today(local: datetime | date) -> date:
    """On the clock of a moment that is local already; of a bare date, on the reader's."""
    zone = local.tzinfo if isinstance(local, datetime) else timezone.get_current_timezone()
    return datetime.now(zone).date()


def _exact(local: datetime | date) -> str:
    return f"{local:%a {local.day} {'%b %Y, %H:%M' if isinstance(local, datetime) else '%b %Y'}}"


def _places(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _money(amount: Decimal, currency: str, places: int) -> str:
    figure, minus = f"{abs(amount):,.{places}f}", "−" if amount < 0 else ""
    if not currency:
        return f"{minus}{figure} (currency not given)"
    sign = _SIGNS.get(currency)
    return f"{minus}{sign}{figure}" if sign else f"{minus}{figure} {currency}"
