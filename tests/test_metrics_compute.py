"""Cutting numbers by dimensions, periods and filters, the rows behind them, and the declarations."""

from datetime import date

import ibis
import polars as pl
import pytest

from huitou.errors import HuitouError, NeedsData, UnknownName
from huitou.metrics import METRICS, NEEDS, POPULATIONS, catalog, compute, covered, default_period, metric, needs_zh, rows
from huitou.metrics.measures import count
from huitou.tables import TABLES
from tests.metrics_shop import MODERN, SETTINGS, numbers, shop


def order(day: date, **more):
    return {"day": day, "second": 9 * 3600 + 59, "paid": True, "gross_fen": 1000, "currency": "CNY", "customer_key": 1} | more


MAY, JUNE = date(2026, 5, 31), date(2026, 6, 1)
AGENTS = [{"agent_key": 10, "account": "小禾"}]
PRODUCTS = [
    {"product_key": 1, "title": "托特包 大号"},
    {"product_key": 2, "title": "托特包 大号"},
    {"product_key": 3, "title": "腰包"},
]
FACTS = [
    order(MAY, agent_key=10, product_key=1, returning=True, region="浙江省", courier="顺丰", order_key=1),
    order(MAY, second=23 * 3600, product_key=2, returning=False, region="浙江省", order_key=2),
    order(JUNE, agent_key=10, product_key=3, returning=False, order_key=3, created_at=1_780_243_259_000_000),
]
LABELS = {
    "agent": {"小禾": 2, "-": 1}, "product": {"托特包 大号": 2, "腰包": 1}, "day": {"2026-05-31": 2, "2026-06-01": 1},
    "week": {"2026-W22": 2, "2026-W23": 1}, "month": {"2026-05": 2, "2026-06": 1}, "hour": {"09": 2, "23": 1},
    "customer": {"returning": 1, "new": 2}, "region": {"浙江省": 2, "-": 1}, "courier": {"顺丰": 1, "-": 2},
    "product_group": {"大包": 2, "-": 1},
}  # fmt: skip


@pytest.fixture
def sold():
    return shop(orders=[{"customer_key": 1, "day": MAY}], order_facts=FACTS, agents=AGENTS, products=PRODUCTS)


@pytest.mark.costly
@pytest.mark.parametrize("dim", LABELS)
def test_each_dimension_names_its_groups_and_filters_by_those_names(sold, dim):
    cells = numbers(sold, ["orders_placed"], by=(dim,))
    assert {c.by[dim]: c.value for c in cells} == LABELS[dim]
    name, n = next(iter(LABELS[dim].items()))
    (cell,) = numbers(sold, ["orders_placed"], where={dim: name})
    assert (cell.value, cell.by) == (n, {dim: name})


def test_dimensions_combine_and_keep_the_keys_of_agent_and_product(sold):
    cells = numbers(sold, ["orders_placed", "time_to_pay_p90"], by=("agent", "product"))
    assert [(c.by["agent"], c.by["product"], c.keys, c.value) for c in cells] == [
        ("-", "托特包 大号", {"product": 2}, 1), ("小禾", "托特包 大号", {"agent": 10, "product": 1}, 1),
        ("小禾", "腰包", {"agent": 10, "product": 3}, 1),
    ]  # fmt: skip


def test_a_period_has_both_its_days(sold):
    assert [c.value for c in numbers(sold, ["orders_placed"], period=(MAY, MAY))] == [2]
    (cell,) = numbers(sold, ["orders_placed"], period=(date(2025, 1, 1), date(2025, 2, 1)))
    assert (cell.value, cell.status) == (None, "needs orders of this period")
    with pytest.raises(HuitouError, match=r"ends .* before it begins"):
        numbers(sold, ["orders_placed"], period=(JUNE, MAY))


def test_a_wrong_name_is_met_with_the_nearest(sold):
    with pytest.raises(UnknownName, match="Did you mean orders_placed"):
        numbers(sold, ["order_placed"])
    with pytest.raises(UnknownName, match="no dimension of good_review_rate called 'agent'"):
        numbers(sold, ["good_review_rate"], by=("agent",))
    with pytest.raises(HuitouError, match="Write it like 2026-W21"):
        numbers(sold, ["orders_placed"], where={"week": "22"})


def test_rows_are_readable_and_lead_back(sold):
    frame = rows(sold, SETTINGS, MODERN, "average_order_value", by=("month",), where={"agent": "小禾"})
    last = frame.row(1, named=True)
    shown = {
        "month": "2026-06", "created_at": "2026-06-01 00:00:59", "customer_code": "0001", "agent": "小禾", "product": "腰包",
        "gross_yuan": 10.0, "order_key": 3, "counted": True,
    }  # fmt: skip
    assert last | shown == last
    whole = rows(sold, SETTINGS, MODERN, "orders_placed", by=("region", "customer", "product", "day"), limit=1)
    assert whole.height == 1 and whole.columns[:4] == ["region", "customer", "product", "day"]
    assert rows(sold, SETTINGS, MODERN, "orders_placed", where={"agent": "-"})["order_key"].to_list() == [2]
    with pytest.raises(NeedsData, match="good_review_rate needs reviews"):
        rows(sold, SETTINGS, MODERN, "good_review_rate")


def imported(**days):
    """A shop whose tables begin and end on these days of May."""
    return shop(**{name: [{"day": date(2026, 5, d)} for d in ends] for name, ends in days.items()})


def test_what_is_covered():
    assert covered(imported(messages=(1, 9), orders=(4, 12))) == {
        "messages": (date(2026, 5, 1), date(2026, 5, 9)), "orders": (date(2026, 5, 4), date(2026, 5, 12)),
    }  # fmt: skip


@pytest.mark.parametrize(("days", "whole"), [
    ({"messages": (1, 9), "orders": (4, 12)}, (1, 12)), ({"messages": (9, 20), "orders": (1, 31)}, (9, 20)),
    ({"messages": (1, 3), "orders": (20, 31)}, (1, 31)), ({"orders": (2, 5), "traffic": (1, 31)}, (2, 5)),
    ({"reviews": (3, 4)}, (3, 4)),
])  # fmt: skip
def test_the_period_is_what_chats_and_orders_cover(days, whole):
    assert default_period(imported(**days)) == tuple(date(2026, 5, d) for d in whole)
    assert default_period(shop()) is None


def test_every_need_is_said_in_both_languages():
    assert needs_zh("needs chats") == "需要聊天记录" and needs_zh("not_yet") == "还没到期"
    assert all(n.zh and needs_zh(f"needs {code}") != f"需要 {code}" for code, n in NEEDS.items())


@pytest.mark.parametrize(("field", "wrong"), [
    ("of", "round"), ("zh", ""), ("unit", "minutes"), ("better", "up"), ("needs", ("chat",)), ("needs", ()),
    ("final_after", "soon"), ("rules", ("window",)), ("source", ""),
])  # fmt: skip
def test_a_declaration_that_lacks_a_fact_fails_at_import(field, wrong):
    good = {
        "of": "rounds",
        "zh": "轮次",
        "en": "Rounds",
        "unit": "count",
        "better": "none",
        "source": "[003]",
        "needs": ("chats",),
    }

    def rounds_asked(t, rule):
        """Rounds."""
        return count()

    with pytest.raises(ValueError, match="metric rounds_asked: missing or wrong"):
        metric(**{**good, "final_after": "at once", field: wrong})(rounds_asked)
    assert "rounds_asked" not in METRICS


def test_the_catalog_lists_every_row_of_the_field():
    ids = {m.id for m in catalog()}
    assert ids >= {"inquiry_conversion", "human_response_rate_3min", "repurchase_rate", "dsr_item", "jd_wind_vane", "visitors"}
    assert len(ids) == len(catalog()) and {m.of for m in catalog() if m.of} == set(POPULATIONS)


IBIS = {
    "key": "int64", "int": "int64", "money": "int64", "time": "int64", "float": "float64", "bool": "boolean", "date": "date",
    "code": "string", "codes": "string", "text": "string",
}  # fmt: skip
VALUES = {"day": "2026-05-01", "week": "2026-W18", "month": "2026-05", "hour": "09", "agent": "x", "product": "x"}


class Recorder:
    """A snapshot with every table: keeps each expression that is asked for and answers with one row."""

    def __init__(self):
        self.asked = []

    rules = None

    def has(self, name):
        return True

    def table(self, name, months=None):
        return ibis.table({c.name: IBIS[c.type] for c in TABLES[name].stored}, name=name)

    def named(self, expr):
        return expr

    def frame(self, expr):
        self.asked.append(expr)
        answers = {"date": date(2026, 5, 1), "string": "x"}
        return pl.DataFrame([{n: answers.get(str(t), 1) for n, t in expr.as_table().schema().items()}])


@pytest.mark.costly
@pytest.mark.parametrize("of", POPULATIONS)
def test_every_metric_compiles_for_spark_with_every_dimension_and_filter(of):
    """Dimensions and filters are columns of the population, the same for each of its metrics: one metric proves them all."""
    ibis.pyspark  # noqa: B018 (registers the dialect's options)
    names, dims = [m.id for m in catalog() if m.of == of], POPULATIONS[of].dims
    recorder, where = Recorder(), {d: VALUES.get(d, "x") for d in dims}
    compute(recorder, SETTINGS, MODERN, names, by=tuple(d for d in ("agent", "month") if d in dims))
    compute(recorder, SETTINGS, MODERN, names[:1], by=dims, period=(MAY, JUNE), where=where)
    assert recorder.asked
    assert all("SELECT" in ibis.to_sql(expr.as_table(), dialect="pyspark") for expr in recorder.asked)
