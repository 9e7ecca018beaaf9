"""What a build reads out of the texts: tags, reasons, promises, reviews; only of months that changed, or when words change."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from huitou.build import build
from huitou.findings import diagnose
from huitou.lake import Workspace
from huitou.rules import load_pack
from huitou.rules.taxonomy import load_taxonomies
from huitou.tables import key63
from tests.lakes import SHOP, micros, new_workspace, order, orders, put, rows

OWN = """
taxonomy = "loss"
[leaves."product.engraving"]
zh = "不能刻字"
en = "no engraving"
who = "product"
remedy_zh = "页面写明哪些款能刻字。"
remedy_en = "Say on the page which goods can be engraved."
strong = ["(不能|没法)刻字"]
"""


def talk(*said: tuple[int, str, str, str]) -> pl.DataFrame:
    """(customer, UTC time, kind, text) as canonical messages of agent 3; the shop's clock is eight hours ahead."""
    found = []
    for i, (customer, at, kind, text) in enumerate(said):
        local = micros(at) // 1_000_000 + 8 * 3600
        found.append(
            {
                "shop_key": SHOP, "customer_key": customer, "agent_key": 3, "sent_at": micros(at), "day": local // 86400,
                "second": local % 86400, "kind": kind, "text": text, "text_hash": key63(text), "chars": len(text), "row": i + 2,
            }
        )  # fmt: skip
    return pl.DataFrame(found).with_columns(pl.col("day").cast(pl.Int32).cast(pl.Date))


CHAT = (
    (1, "2026-05-01 02:00:00", "customer", "这个包能不能便宜点"),
    (1, "2026-05-01 02:00:20", "agent", "亲，您好，已经是活动价了"),
    (1, "2026-05-01 02:01:00", "customer", "可以刻字吗"),
    (1, "2026-05-01 02:01:20", "agent", "这款刻不了的"),
    (1, "2026-05-01 02:02:00", "customer", "不能刻字那算了"),
)


PROMISE = (8, "2026-05-03 02:00:00", "agent", "今天一定给您发货")
PLACED = (
    order(5, customer_key=5, created_at=micros("2026-05-02 03:00:00")),
    order(6, customer_key=5, created_at=micros("2026-05-02 03:05:00"), paid_at=micros("2026-05-02 03:06:00")),
    order(7, customer_key=7, created_at=micros("2026-05-02 03:00:00"), placed_fen=5000),
)
WHY = (
    (7, "2026-05-02 03:30:00", "agent", "亲，订单还没付款哦"),
    (7, "2026-05-02 03:31:00", "customer", "卡里余额不够了"),
)
REVIEWS = (
    ("包很好看，就是味道有点大", None, "good"),
    ("此用户没有填写评价。", None, "good"),
    ("不错", "用了一周开线了", "good"),
)


def reviewed(said: Iterable[tuple[str, str | None, str]]) -> pl.DataFrame:
    """(text, later addition, rating) as canonical reviews of one day."""
    plain = {"shop_key": SHOP, "day": "2026-05-04", "score": 5, "default_text": False}
    rows = [plain | {"rating": r, "text": t, "append_text": a, "row": i + 2} for i, (t, a, r) in enumerate(said)]
    return pl.DataFrame(rows).with_columns(pl.col("day").str.to_date())


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One shop with everything that texts are read for, built once."""
    ws = new_workspace(tmp_path_factory.mktemp("read"))
    put(ws, "messages", talk(*CHAT, *WHY, PROMISE), content="chats", name="chats.txt")
    put(ws, "orders", orders(list(PLACED)).with_columns(day=pl.date(2026, 5, 2)), content="orders", name="orders.csv")
    put(ws, "reviews", reviewed(REVIEWS), content="reviews", name="reviews.csv")
    build(ws)
    return ws


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = new_workspace(tmp_path)
    put(ws, "messages", talk(*CHAT), content="chats", name="chats.txt")
    placed = [order(1, customer_key=2, paid_at=micros("2026-05-20 10:00:00"), created_at=micros("2026-05-20 09:00:00"))]
    put(ws, "orders", orders(placed), content="orders", name="orders.csv")
    return ws


def reasons(ws: Workspace) -> list[tuple[Any, ...]]:
    return rows(ws, "inquiry_reasons", "customer_key", "outcome", "primary")


def test_tags_lie_where_the_words_stand(read: Workspace) -> None:
    with read.read() as snapshot:
        texts = snapshot.table("messages").select("text", message_key="row_key")
        tags = snapshot.frame(snapshot.table("message_tags").inner_join(texts, "message_key"))
    said = {(t["taxonomy"], t["code"], t["text"][t["start"] : t["end"]]) for t in tags.iter_rows(named=True)}
    assert ("intents", "ask_price_discount", "能不能便宜点") in said or any(c == "ask_price_discount" for _, c, _ in said)
    assert {t["kind"] for t in tags.filter(pl.col("taxonomy") == "steps").iter_rows(named=True)} <= {"agent"}


@pytest.mark.slow
def test_a_leaf_of_the_workspace_works_without_code(ws: Workspace) -> None:
    build(ws)
    assert ws.lake.check() == []
    before = rows(ws, "message_tags", "code")
    assert ("product.engraving",) not in before
    (ws.path / "taxonomies").mkdir()
    (ws.path / "taxonomies" / "own.toml").write_text(OWN, "utf-8")
    report = build(ws)
    assert "inquiries" not in report.rows and report.rows["message_tags"] > 0
    assert ("product.engraving",) in rows(ws, "message_tags", "code")
    with ws.read() as snapshot:
        found = diagnose(snapshot, ws.settings, load_pack(ws.settings.rules, ws.path), words=load_taxonomies(ws.path))
    (loss,) = [t for t in found.tables if t.kind == "loss"]
    assert [(r.code, r.zh, r.n) for r in loss.reasons] == [("product.engraving", "不能刻字", 1)]
    (asked,) = loss.reasons[0].evidence
    assert [line.text for line in asked.lines if line.mark][-1] == "不能刻字那算了"
    assert build(ws).months == ()


@pytest.mark.slow
def test_only_months_that_changed_are_read_again(ws: Workspace) -> None:
    build(ws)
    assert reasons(ws)[0][:2] == (1, "lost")
    later = talk((4, "2026-07-01 02:00:00", "customer", "包邮吗"), (4, "2026-07-01 02:00:10", "agent", "满99包邮"))
    put(ws, "messages", later, content="later", name="later.txt")
    assert build(ws).months == ("2026-07",)
    assert {r[0] for r in reasons(ws)} == {1, 4}


@pytest.mark.slow
def test_an_order_that_comes_later_changes_the_reading(ws: Workspace) -> None:
    build(ws)
    paid = order(9, customer_key=1, created_at=micros("2026-05-01 02:10:00"), paid_at=micros("2026-05-01 02:11:00"))
    put(ws, "orders", orders([paid]), content="more", name="more.csv")
    build(ws)
    assert reasons(ws) == [(1, "paid", None)]


def test_an_unpaid_order_that_another_replaced_is_no_loss_and_one_tells_why(read: Workspace) -> None:
    told = rows(read, "unpaid_reasons", "order_key", "reason", "replaced_by", "after")
    assert told == [(5, "wrong_item", 6, False), (7, "balance", None, True)]


def test_a_promise_is_due_by_the_shops_own_clock(read: Workspace) -> None:
    ((kind, due),) = rows(read, "commitments", "kind", "due_at")
    assert (kind, due) == ("dispatch", micros("2026-05-03 15:59:59"))


def test_reviews_are_read_with_their_later_addition(read: Workspace) -> None:
    assert sorted(r[0] for r in rows(read, "review_readings", "has_complaint")) == [False, True, True]
    told = rows(read, "review_clauses", "part", "aspect", "polarity")
    assert ("text", "smell", "negative") in told and any(part == "append" and p == "negative" for part, _, p in told)


@pytest.mark.slow
def test_a_complaint_that_rises_in_the_last_week_is_a_finding(ws: Workspace) -> None:
    texts = [(f"2026-05-{1 + i % 21:02}", "不错" if i % 7 == 0 else f"包很好看，第{i}次买") for i in range(150)]
    texts += [(f"2026-05-{25 + i % 7:02}", "好看，就是味道有点大" if i % 2 else f"很好看，第{i}次背") for i in range(40)]
    frame = pl.DataFrame(
        [
            {"shop_key": SHOP, "day": day, "rating": "good", "score": 5, "sku": "黑色", "text": t, "default_text": False, "row": i + 2}
            for i, (day, t) in enumerate(texts)
        ]
    ).with_columns(pl.col("day").str.to_date())  # fmt: skip
    put(ws, "reviews", frame, content="many", name="many.csv")
    build(ws)
    period = (date(2026, 5, 1), date(2026, 5, 31))
    with ws.read() as snapshot:
        found = diagnose(snapshot, ws.settings, load_pack(ws.settings.rules, ws.path), period=period)
    (rise,) = [f for f in found.findings if f.code == "reviews.rising"]
    assert rise.period == (date(2026, 5, 25), date(2026, 5, 31)) and "气味" in rise.title_zh
    assert rise.goal.value == 0 and rise.value == pytest.approx(7 / 27) and rise.evidence  # equal ones of a day are one


@pytest.mark.spark
@pytest.mark.slow
def test_the_same_tags_come_out_of_spark() -> None:
    pytest.importorskip("pyspark")
    from huitou.lake.spark import local_session
    from huitou.text import Tagger

    texts = ["能便宜点吗", "有没有检测报告", "我再看看", "太贵了", "今天能发货吗"] * 40
    tagger = Tagger(load_taxonomies())
    ours = tagger.tag(pl.Series(texts)).sort("row", "taxonomy", "code", "start")
    frame = local_session("2").createDataFrame(list(enumerate(texts)), "row long, text string")
    schema = "row long, taxonomy string, code string, start long, end long, strength byte, asked boolean, negated boolean, version string"
    theirs = pl.DataFrame(pl.from_arrow(frame.mapInArrow(lambda batches: (tagger(b) for b in batches), schema).toArrow()))
    assert theirs.sort("row", "taxonomy", "code", "start").rows() == ours.rows()
