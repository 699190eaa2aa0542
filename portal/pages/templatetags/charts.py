"""Draws charts as SVG: no script, themed by the stylesheet, and told as a table to those who listen."""

from decimal import Decimal

from django import template

from portal.pages.charts import HEIGHT, WIDTH, Chart
from portal.pages.templatetags.switchboard import money_round

register = template.Library()


@register.inclusion_tag("overview/_chart.html")
def bar_chart(chart: Chart, currency: str) -> dict[str, object]:
    return {"chart": chart, "currency": currency, "width": WIDTH, "height": HEIGHT}


@register.filter
def short_money(amount: Decimal, currency: str) -> str:
    """ "$1.2M", "$400k": at the side of a chart."""
    for size, letter in ((Decimal(1_000_000_000), "B"), (Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if amount >= size:
            figure = f"{amount / size:.1f}".removesuffix(".0")
            sign = money_round(Decimal(0), currency)
            return sign.replace("0", f"{figure}{letter}", 1)
    return money_round(amount, currency)
