"""Two real exports with known totals; skipped where the data is not at hand."""

import os
from pathlib import Path

import polars as pl
import pytest

from huitou.sources.importer import import_files
from tests.exported import shop, table

DATA = Path(os.environ.get("HUITOU_DATA", Path(__file__).parents[2] / "shared" / "data"))
ORDERS = DATA / "tmall_orders_2020_02" / "tmall_order_report.csv"
REVIEWS = DATA / "taobao_reviews_dated" / "taobao_comments.csv"


@pytest.mark.skipif(not ORDERS.exists(), reason="the order report of February 2020 is not here")
def test_a_real_month_of_orders(tmp_path: Path) -> None:
    (report,) = import_files(ws := shop(tmp_path), [ORDERS])
    orders = table(ws, "orders")
    assert report.load is not None and (report.load.stored, report.load.known, report.load.quarantined) == (28_010, 0, 0)
    assert orders["paid_at"].is_not_null().sum() == 24_087
    gross, refund = orders["gross_fen"].sum(), orders["refund_fen"].sum()
    assert (gross, refund, gross - refund) == (247_482_307, 57_233_592, 190_248_715)
    assert (orders["refund_fen"] > 0).sum() == 5_646
    lag = orders.select((pl.col("paid_at") - pl.col("created_at")).median() / 1_000_000).item()
    assert lag == 8 and orders["region"].null_count() == 0


@pytest.mark.skipif(not REVIEWS.exists(), reason="the dated reviews are not here")
def test_real_reviews_balance(tmp_path: Path) -> None:
    (report,) = import_files(ws := shop(tmp_path), [REVIEWS])
    assert report.load is not None and report.load.balances and report.problems == {"repeated_header": 36}
    assert (report.load.stored, report.load.known) == (15_662 - 2_243, 2_243)
    reviews = table(ws, "reviews")
    silent = reviews.filter(pl.col("text").str.contains("此用户没有填写评价", literal=True))
    copies = 4_949 - 4_137  # of the 4,949 silent ones, 4,137 are different rows
    assert silent.height == 4_949 - copies and silent["default_text"].all()
    assert report.notes["default_text"] >= 4_949 and reviews["sku"].null_count() == 0
    assert reviews["customer_key"].null_count() == reviews.height
