from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.pages.charts import HEIGHT, WIDTH, Month, stacked
from portal.pages.templatetags.charts import bar_chart, short_money

AMOUNTS = st.decimals(0, 10**14, places=2)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=12))
def test_every_bar_stays_within_the_picture(pairs):
    chart = stacked([Month(label="Jan", billed=billed, outstanding=owed) for billed, owed in pairs])
    for bar in chart.bars:
        assert 0 <= bar.x <= WIDTH
        for part in bar.parts:
            assert part.height > 0
            assert 0 <= part.y <= HEIGHT
            assert part.y + part.height <= HEIGHT
    assert bar_chart(chart, "USD")["chart"] is chart


def test_bars_are_as_long_as_their_amounts():
    chart = stacked([Month(label="Jan", billed=Decimal(100), outstanding=Decimal(25))])
    paid, due = chart.bars[0].parts
    assert round(paid.height / (due.height + 2), 1) == 3.0


def test_amounts_at_the_side_are_short():
    assert short_money(Decimal(1_250_000), "USD") == "$1.2M"
    assert short_money(Decimal(400_000), "EUR") == "€400k"
    assert short_money(Decimal(20), "GBP") == "£20"
    assert short_money(Decimal(2_000), "SEK") == "2k SEK"
