"""Numbers of a real order report (Tmall, February 2020), from the file to the number, as known from its description."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from huitou.facts import build
from huitou.lake import Workspace
from huitou.metrics import covered, default_period, rows
from huitou.sources.importer import import_files
from tests.metrics_shop import MODERN, SETTINGS, numbers

REPORT = Path(__file__).parents[2] / "shared/data/tmall_orders_2020_02/tmall_order_report.csv"
PRINTED = {
    "orders_placed": 28_010, "paid_orders": 24_087, "unpaid_orders": 3_923, "amount_paid_net": 1_902_487.15,
    "amount_paid": 2_474_823.07, "amount_refunded": 572_335.92, "refunded_orders": 5_646, "order_refund_rate": 0.2344,
    "time_to_pay_median": 8, "time_to_pay_p90": 51,
}  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if not REPORT.exists():
        pytest.skip(f"the real report is not here: {REPORT}")
    workspace = Workspace.create(tmp_path_factory.mktemp("report") / "shop", shop=SETTINGS.shop)
    import_files(workspace, [REPORT])
    build(workspace)
    with workspace.read() as snapshot:
        yield snapshot


def file() -> pl.DataFrame:
    """The file as it stands, its two times read."""
    raw = pl.read_csv(REPORT).rename(str.strip)
    return raw.with_columns(pl.col("订单创建时间", "订单付款时间").str.to_datetime("%Y-%m-%d %H:%M:%S"))


def test_the_report_says_what_is_printed_of_it(report):
    got = {c.metric: c.value for c in numbers(report, list(PRINTED))}
    assert got == pytest.approx(PRINTED, abs=5e-5)


def test_what_the_report_does_not_carry_is_asked_for(report):
    cells = numbers(report, ["repurchase_rate", "inquiry_conversion", "good_review_rate", "visitor_conversion"])
    assert [c.status for c in cells] == ["needs buyer id", "needs chats", "needs reviews", "needs traffic"]
    assert {c.value for c in cells} == {None}


def test_orders_by_region_are_the_files_own(report):
    cells = numbers(report, ["orders_placed"], by=("region",))
    top = file().group_by("收货地址").len().sort("len").row(-1)
    assert sum(c.value for c in cells) == 28_010
    assert max((c.value, c.by["region"]) for c in cells) == (top[1], top[0])


def test_payment_is_open_for_orders_younger_than_the_window(report):
    (cell,) = numbers(report, ["payment_rate"])
    made = file()
    last = max(made["订单创建时间"].max(), made["订单付款时间"].max())
    old = made.filter((pl.lit(last) - pl.col("订单创建时间")).dt.total_seconds() >= MODERN.payment_window_s)
    assert (cell.n, cell.open, cell.status) == (old.height, 28_010 - old.height, "not_yet")
    assert cell.value == pytest.approx(old["订单付款时间"].is_not_null().mean())


def test_rows_and_days_are_the_files_own(report):
    first = rows(report, SETTINGS, MODERN, "orders_placed", limit=1)
    assert first["created_at"][0] == f"{file()['订单创建时间'].min():%Y-%m-%d %H:%M:%S}"
    days = (datetime(2020, 2, 1).date(), datetime(2020, 2, 29).date())
    assert covered(report) == {"orders": days} and default_period(report) == days
