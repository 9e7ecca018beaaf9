"""The whole diagnosis on the demo shop, whose planted truth is known, and on a bare order report."""

import csv
import json
import random
from datetime import datetime, timedelta

import ibis
import polars as pl
import pytest

from huitou.build import build
from huitou.demo import settings_for_demo, write_demo
from huitou.findings import diagnose
from huitou.lake.workspace import Workspace
from huitou.rules import load_pack
from huitou.sources.importer import import_files

pytestmark = pytest.mark.slow  # a shop large enough to tell its agents apart


def opened(folder, files, **settings):
    ws = Workspace.create(folder, **settings)
    import_files(ws, files)
    build(ws)
    return ws


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "exports", scale=0.6)
    files = sorted(f for f in (folder / "exports").iterdir() if f.name not in ("truth.json", "README.txt"))
    return opened(folder / "shop", files, **settings_for_demo())


@pytest.fixture(scope="module")
def truth(demo):
    """What was planted, as frames: inquiries with the keys of the lake, unpaid orders, hidden complaints."""
    planted = json.loads((demo.path.parent / "exports" / "truth.json").read_text("utf-8"))
    return {k: pl.DataFrame(planted[k], infer_schema_length=None) for k in ("inquiries", "unpaid_orders", "hidden_complaints")}


def stored(ws, name):
    with ws.read() as snapshot:
        return snapshot.frame(snapshot.table(name))


class Recording:
    """A snapshot that keeps every expression that was asked of it."""

    def __init__(self, snapshot):
        self.snapshot, self.asked = snapshot, []

    def __getattr__(self, name):
        return getattr(self.snapshot, name)

    def named(self, expr):
        self.asked.append(expr)
        return self.snapshot.named(expr)

    def frame(self, expr):
        self.asked.append(expr)
        return self.snapshot.frame(expr)


@pytest.fixture(scope="module")
def seen(demo):
    """The demo's diagnosis and the expressions that it needed."""
    with demo.read() as snapshot:
        recording = Recording(snapshot)
        return diagnose(recording, demo.settings, load_pack("tmall-2025")), recording.asked


def one(diagnosis, code):
    (found,) = [f for f in diagnosis.findings if f.code == code]
    return found


def test_exactly_the_four_planted_agents_are_below_their_peers(seen):
    rows = one(seen[0], "agents.below_peers").rows
    signs = {r.name: r.sign_zh for r in rows if r.flagged}
    assert set(signs) == {"小舟", "木子", "小禾", "念念"}
    assert signs["小舟"].startswith("到岗 23 天")
    assert signs["木子"].startswith("打字慢")
    assert "没有推动下单" in signs["小禾"].split("；")[0]
    assert "同 3 句话" in signs["念念"].split("；")[0]


def test_the_doubted_product_leads_with_its_doubt(seen):
    found = one(seen[0], "product.lost")
    assert found.scope == {"product": "云朗公文包"}
    assert found.causes[0].code == "product.authenticity"
    assert any(line.mark and line.who == "customer" for e in found.evidence for line in e.lines)


def test_the_slow_line_and_the_price_week_are_found(seen):
    assert one(seen[0], "logistics.slow_line").rows[0].name == "广东省·安途速递"
    first, last = one(seen[0], "price.dropped").period
    assert (first.month, last.month) == (5, 5)
    assert 14 <= first.day <= 17


def test_gaps_are_priced_and_parts_are_marked(seen):
    gap, unpaid = one(seen[0], "inquiry_conversion.gap"), one(seen[0], "payment.unpaid")
    assert gap.goal.value == 0.45
    assert gap.customers == round((0.45 - gap.value) * gap.n)
    assert gap.money.low_fen < gap.money.value_fen < gap.money.high_fen
    assert unpaid.money.value_fen > 0
    parts = {f.code: f for f in seen[0].findings if f.part_of == gap.code}
    assert set(parts) >= {"agents.below_peers", "product.lost"}
    assert [(p.code, p.n, p.share) for p in gap.parts] == [
        (f.code, f.customers, f.customers / gap.customers) for f in sorted(parts.values(), key=lambda f: -f.customers) if f.money
    ]


def test_findings_stand_in_the_order_of_money_then_customers(seen):
    order = [(f.money.value_fen if f.money else 0, f.customers) for f in seen[0].findings]
    assert order == sorted(order, reverse=True)


def test_marks_lie_inside_their_lines_and_excerpts_are_short(seen):
    pieces = [e for f in seen[0].findings for e in f.evidence]
    assert pieces
    for piece in pieces:
        assert 1 <= len(piece.lines) <= 6
        assert all(0 <= a < b <= len(line.text) for line in piece.lines for a, b in line.mark)


def test_the_planted_causes_of_unpaid_orders_come_back(demo, truth):
    ids = stored(demo, "orders").select("order_key", "order_id")
    both = truth["unpaid_orders"].join(ids, on="order_id").join(stored(demo, "unpaid_reasons"), on="order_key")
    said = both.filter(pl.col("said_at").is_not_null())
    assert said.height > 200 and (said["cause"] == said["reason"]).mean() >= 0.9
    found = both.filter(pl.col("reason") != "unknown")
    assert (found["cause"] == found["reason"]).mean() >= 0.9
    assert both.filter(cause="wrong_item")["replaced_by"].is_not_null().mean() >= 0.9


def test_the_planted_hidden_complaints_come_back(demo, truth):
    good = stored(demo, "reviews").filter(rating="good").join(
        stored(demo, "review_readings").select("has_complaint", row_key="review_key"), on="row_key"
    )  # fmt: skip
    hidden = truth["hidden_complaints"].select(day=pl.col("date").str.to_date(), text="text").unique()
    later = pl.col("append_text").fill_null("").str.contains("有点紧|开始掉色")  # complaints of later additions
    planted = good.join(hidden.with_columns(hidden=True), on=["day", "text"], how="left").with_columns(
        planted=pl.col("hidden").fill_null(False) | later
    )  # fmt: skip
    hits = planted.filter("planted", "has_complaint").height
    assert hits / planted["planted"].sum() >= 0.9
    assert hits / planted["has_complaint"].sum() >= 0.9


def test_the_planted_loss_reasons_come_back(demo, truth):
    lost = truth["inquiries"].filter(pl.col("reason").is_not_null())
    agents = dict(stored(demo, "agents").select("account", "agent_key").iter_rows())
    keys = {"customer_key": demo.people().tokens(lost["nick"]), "agent_key": lost["account"].replace_strict(agents)}
    lost = lost.with_columns(**keys, day=pl.col("start").str.slice(0, 10).str.to_date())
    both = lost.join(stored(demo, "inquiry_reasons").filter(outcome="lost"), on=["customer_key", "agent_key", "day"])
    assert both.height > 0.95 * lost.height
    both = both.with_columns(hit=pl.col("reason") == pl.col("primary"))
    assert both["hit"].mean() >= 0.9
    recall = both.group_by("reason").agg(pl.col("hit").mean(), pl.len()).filter(pl.col("len") >= 50)
    precision = both.group_by("primary").agg(pl.col("hit").mean(), pl.len()).filter(pl.col("len") >= 50)
    assert recall.height > 15
    assert recall["hit"].mean() >= 0.9 and precision["hit"].mean() >= 0.9


def test_nothing_refused_is_advised(seen):
    words = ("好评返现", "返现", "删除差评", "删评", "刷单", "补单", "选对店铺有利")
    says = [t for f in seen[0].findings for r in f.remedies for t in (r.zh, *(row.remedy_zh for row in f.rows))]
    assert says
    assert not [t for t in says if any(w in t for w in words)]


def test_every_sentence_is_there_in_both_languages(seen):
    for f in seen[0].findings:
        assert all((f.title_zh, f.title_en, f.why_zh, f.why_en, f.remedies))
        assert "!" not in f.title_zh + f.why_zh and "！" not in f.title_zh + f.why_zh
    assert len(seen[0].unknown_zh) == len(seen[0].unknown_en) > 0


def test_every_expression_compiles_for_spark(seen):
    pytest.importorskip("pyspark")
    assert ibis.pyspark.name == "pyspark"  # loads the backend's options, which its compiler reads
    assert len(seen[1]) > 40
    assert all(ibis.to_sql(e, dialect="pyspark").lstrip().startswith(("SELECT", "WITH")) for e in seen[1])


def test_the_same_data_gives_the_same_diagnosis(demo, seen):
    with demo.read() as snapshot:
        assert diagnose(snapshot, demo.settings, load_pack("tmall-2025")) == seen[0]


def test_a_bare_order_report_still_gives_payment_and_says_what_is_missing(tmp_path):
    header = ["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额"]
    dice, start = random.Random(4), datetime(2020, 2, 1, 9)
    with (tmp_path / "report.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        for i in range(1200):
            at, paid = start + timedelta(minutes=30 * i), dice.random() < 0.6
            out.writerow([i + 1, 80, 80 if paid else 0, "上海", at, at + timedelta(seconds=50) if paid else "", 0])
    ws = opened(tmp_path / "shop", [tmp_path / "report.csv"], shop="测试店")
    with ws.read() as snapshot:
        found = diagnose(snapshot, ws.settings, load_pack("tmall-2025"))
    unpaid = one(found, "payment.unpaid")
    assert unpaid.value == pytest.approx(0.6, abs=0.05)
    assert unpaid.money.value_fen == pytest.approx((0.7 - unpaid.value) * unpaid.n * 8000, rel=0.01)
    assert any("聊天记录" in t for t in found.unknown_zh)
    assert any("买家号" in t for t in found.unknown_zh)
