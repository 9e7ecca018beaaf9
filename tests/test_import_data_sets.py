"""Public data sets through their sources and written mappings: every row is accounted for. Skipped where they are not at hand."""

import json
import os
import shutil
from pathlib import Path

import pytest

from huitou.lake import Workspace
from huitou.sources.importer import ImportReport, import_files
from tests.exported import shop, table

DATA = Path(os.environ.get("HUITOU_DATA", Path(__file__).parents[2] / "shared" / "data"))
DOCS = Path(__file__).parents[1] / "docs"
MAPPED = {
    "reviews_polarity": ("reviews_polarity/online_shopping_10_cats_dev.parquet", 44_006),
    "asap_reviews": ("asap_reviews_300/asap_sample.parquet", 300),
    "beauty_reviews": ("review_aspects/reviews_dev.parquet", 1_614),
    "jddc_chats": ("jddc_chats/chat_dev.parquet", 12_136),
    "jddc_satisfaction": ("jddc_satisfaction/utterances_dev.parquet", 9_044),
    "tmall_presale": ("tmall_presale_timed/utterances.parquet", 72),
    "uci_online_retail": ("uci_online_retail/online_retail.parquet", 541_909),
}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.exists(), reason="the public data sets are not here")]


def brought(ws: Workspace, *files: str, mapping: str = "") -> list[ImportReport]:
    """Import files of the data, by a mapping of the documentation if one is named."""
    chosen = DOCS / "mappings" / f"{mapping}.toml" if mapping else None
    return import_files(ws, [DATA / file for file in files], mapping=chosen)


def with_sources(folder: Path) -> Workspace:
    """A shop with the documentation's own sources."""
    ws = shop(folder)
    shutil.copytree(DOCS / "sources", ws.path / "sources", ignore=shutil.ignore_patterns("__pycache__"))
    return ws


def test_every_mapping_of_the_documentation_is_tried() -> None:
    assert {file.stem for file in (DOCS / "mappings").glob("*.toml")} == set(MAPPED)


@pytest.mark.parametrize("name", MAPPED)
def test_a_data_set_by_its_mapping(tmp_path: Path, name: str) -> None:
    file, rows = MAPPED[name]
    (report,) = brought(shop(tmp_path), file, mapping=name)
    assert report.load is not None and report.load.balances, report.refused
    assert report.rows == rows and report.load.quarantined <= rows // 200


def test_olist_s_orders_hold_what_its_payments_say(tmp_path: Path) -> None:
    names = ("customers", "order_items", "order_payments", "orders")
    reports = brought(ws := shop(tmp_path), *(f"olist_1000/{name}.parquet" for name in names))
    assert [r.rows for r in reports if r.load] == [1_149, 1_000] and not any(r.problems for r in reports)
    orders = table(ws, "orders")
    assert orders["gross_fen"].sum() == 15_904_039 and orders["customer_key"].n_unique() == 1_000  # payments: 159,040.39


def test_cdnow_by_a_source_of_one_s_own(tmp_path: Path) -> None:
    (report,) = brought(ws := with_sources(tmp_path), "cdnow/CDNOW_master.txt")
    orders = table(ws, "orders")
    assert report.source == "cdnow" and (report.rows, orders["customer_key"].n_unique()) == (69_659, 23_570)  # as published


def test_online_retail_by_a_source_of_one_s_own(tmp_path: Path) -> None:
    (report,) = brought(ws := with_sources(tmp_path), "uci_online_retail/online_retail.parquet")
    assert report.source == "uci.online_retail" and report.load is not None and report.load.balances and report.rows == 541_909
    orders = table(ws, "orders")
    assert orders["customer_key"].drop_nulls().n_unique() == 4_372 and report.load.known == 0


def test_conversations_of_a_line_each_by_a_source_of_one_s_own(tmp_path: Path) -> None:
    (report,) = brought(ws := with_sources(tmp_path), "gold_inquiries_dev.jsonl")
    chats = [json.loads(line) for line in (DATA / "gold_inquiries_dev.jsonl").read_text("utf-8").splitlines()]
    assert report.source == "nested.chats" and report.load is not None and report.load.balances and not report.problems
    assert report.load.stored == sum(len(chat["messages"]) for chat in chats)
    assert table(ws, "messages")["customer_key"].n_unique() == len(chats) == 70
