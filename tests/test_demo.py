"""The demo shop's files, read and counted by plain Python: forms, money, planted rates, truth."""

import csv
import json
import re
import tracemalloc
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import mean

import pytest

from huitou.demo import settings_for_demo, write_demo
from huitou.demo.inquiry import STEP
from huitou.demo.phrases import fitting, phrases
from huitou.lake import Workspace
from huitou.lake.settings import read_settings

SHOP = "青麓男包旗舰店"
STRONG = ("星野", "小满", "阿澈", "南枝", "可可", "知夏", "阿远", "青柠")
WEAK = ("小舟", "木子", "小禾", "念念")
MESSAGE = re.compile(r"(.+?)\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\):  (.*)")
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (青麓男包旗舰店:\S+|[^:]+): (.*)")


def at(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


def rows(folder, pattern, encoding):
    for file in sorted(folder.glob(pattern)):
        with file.open(encoding=encoding, errors="strict", newline="") as lines:
            yield from csv.DictReader(lines)


def chats(folder):
    """(nick, account) → [(time, speaker, text)] in the order of the files."""
    found = defaultdict(list)
    for file in folder.glob("旺旺聊天记录_*.txt"):
        nick, account = "", file.name.split("_")[1]
        for line in file.read_text("gbk").splitlines()[4:]:
            mark, said = re.fullmatch(r"-{28}(.+)-{28}", line), MESSAGE.match(line)
            nick = mark[1] if mark else nick
            if said:
                found[nick, account].append((at(said[2]), said[1], said[3]))
    for file in folder.glob("即时消息_*.txt"):
        first, nick, _, *lines = file.read_text("utf-8").splitlines()
        said = [m for m in map(INSTANT.match, lines) if m]
        found[nick, first.split(":")[1]] += [(at(m[1]), m[2], m[3]) for m in said]
    return {key: sorted(lines, key=lambda line: line[0]) for key, lines in found.items()}


def waits(chats, account):
    """Seconds from a customer's first open message to the person's reply, in the day's hours; and all the person's texts."""
    seconds, texts = [], []
    for (nick, who), lines in chats.items():
        open_since = None
        for time, speaker, text in lines if who == account else ():
            if speaker == nick:
                open_since = open_since or time
            elif speaker.startswith(SHOP) and not text.startswith("^_^"):
                texts.append(text)
                if open_since and open_since.hour >= 9:
                    seconds.append((time - open_since).total_seconds())
                open_since = None
    return seconds, texts


def outcomes(shop):
    """One (account, ordered) for each customer, account and day that asked before ordering; two days' window."""
    bought = defaultdict(list)
    for order in shop["orders"]:
        bought[order["买家会员名"]].append(at(order["订单创建时间"]))
    strangers = {*shop["truth"]["colleagues"], *shop["truth"]["blocked"]}
    for (nick, account), lines in shop["chats"].items():
        for day in {line[0].date() for line in lines} if nick not in strangers and account != "服务助手" else ():
            times = [t for t, _, _ in lines if t.date() == day]
            if all(who != nick for t, who, _ in lines if t.date() == day):
                continue
            later = [o for o in bought[nick] if times[0] <= o <= times[-1] + timedelta(days=2)]
            before = [o for o in bought[nick] if times[0] - timedelta(days=21) < o < times[0]]
            if later or not before:
                yield account, bool(later)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    truth = write_demo(folder, scale=0.25)
    return {
        "folder": folder,
        "truth": json.loads(truth.file.read_text("utf-8")),
        "orders": list(rows(folder, "ExportOrderList*.csv", "gbk")),
        "lines": list(rows(folder, "ExportOrderDetailList*.csv", "gbk")),
        "refunds": list(rows(folder, "退款_*.csv", "gbk")),
        "reviews": list(rows(folder, "商品评价_*.csv", "utf-8-sig")),
        "chats": chats(folder),
    }


def digest(folder):
    return {f.name: sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def test_same_arguments_give_the_same_bytes(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_demo(tmp_path / name, seed=seed, scale=0.05, months=2)
    a, b, c = (digest(tmp_path / n) for n in "abc")
    assert a == b
    assert all(a[name] != c.get(name) for name in a if name not in ("README.txt",))


def test_headers_are_the_platforms(shop):
    def header(pattern, encoding):
        return next(shop["folder"].glob(pattern)).read_bytes().decode(encoding).split("\r\n")[0]

    orders, lines = header("ExportOrderList*.csv", "gbk"), header("ExportOrderDetailList*.csv", "gbk")
    assert orders.startswith("订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,")
    assert [h for h in orders.split(",") if h.endswith(" ")] == [
        "收货地址 ", "联系电话 ", "订单付款时间 ", "宝贝标题 ", "宝贝种类 ", "物流单号 ",
    ]  # fmt: skip
    assert orders.endswith("退款金额,预约门店,确认收货时间,打款商家金额,含应开票给个人的个人红包")
    assert len(orders.split(",")) == 54
    assert lines.startswith("子订单编号,主订单编号,标题,价格,购买数量,") and ",商品ID," in lines
    assert len(header("退款_*.csv", "gbk").split(",")) == 42
    assert header("商品评价_*.csv", "utf-8-sig") == "评论内容,追加评论,评分,日期,SKU,用户昵称,商家回复,平台"


def test_text_files_decode_strictly(shop):
    for file in shop["folder"].iterdir():
        if file.suffix in (".txt", ".csv", ".json"):
            utf8 = file.name.startswith(("即时消息", "商品评价", "README", "truth"))
            assert file.read_bytes().decode("utf-8" if utf8 else "gbk", errors="strict")


def test_chat_files_have_both_forms(shop):
    old = next(shop["folder"].glob("旺旺聊天记录_小满_*.txt")).read_text("gbk").splitlines()
    assert old[0] == f"{SHOP}:小满" and old[2].strip() == "单聊" and old[3] == "=" * 64
    instant = next(shop["folder"].glob("即时消息_*.txt")).read_text("utf-8").splitlines()
    assert instant[2] == "即时消息" and re.fullmatch(r"\d{4}-\d\d-\d\d", instant[3])
    assert instant[4].startswith(instant[3] + " ")


def test_traffic_header_is_the_fourth_row(shop):
    calamine = pytest.importorskip("fastexcel")
    sheet = min(shop["folder"].glob("生意参谋_流量_*.xlsx"))
    head = calamine.read_excel(sheet).load_sheet(0, header_row=3).to_polars()
    text = next(shop["folder"].glob("生意参谋_流量_*.csv")).read_text("gbk").splitlines()
    assert head.columns == text[3].split(",")
    assert head["统计日期"].to_list() == [str(date(2026, 3, 1) + timedelta(days=i)) for i in range(31)]


def test_paid_money_is_net_of_refunds(shop):
    for order in shop["orders"]:
        paid = bool(order["订单付款时间 "])
        total, back, net = (round(100 * float(order[c])) for c in ("总金额", "退款金额", "买家实际支付金额"))
        assert net == (total - back if paid else 0)
        assert total == round(100 * float(order["买家应付货款"])) + round(100 * float(order["买家应付邮费"]))


def test_orders_lines_and_refunds_agree(shop):
    net, back, given = Counter(), Counter(), Counter()
    for line in shop["lines"]:
        net[line["主订单编号"]] += round(100 * float(line["买家实际支付金额"]))
        back[line["主订单编号"]] += 0 if line["退款金额"] == "无退款申请" else round(100 * float(line["退款金额"]))
    for refund in shop["refunds"]:
        given[refund["订单编号"]] += round(100 * float(refund["买家退款金额"])) * (refund["退款状态"] == "退款成功")
    for order in shop["orders"]:
        key = order["订单编号"].strip('="')
        assert net[key] == round(100 * float(order["买家实际支付金额"]))
        assert back[key] == given[key] == round(100 * float(order["退款金额"]))


def test_ids_are_unique(shop):
    assert len({o["订单编号"] for o in shop["orders"]}) == len(shop["orders"])
    assert len({line["子订单编号"] for line in shop["lines"]}) == len(shop["lines"])
    assert len({r["退款编号"] for r in shop["refunds"]}) == len(shop["refunds"])


def test_conversion_counted_from_the_files(shop):
    n, k = Counter(), Counter()
    for account, ordered in outcomes(shop):
        n[account] += 1
        k[account] += ordered
    assert k.total() / n.total() == pytest.approx(0.30, abs=0.015)
    strong = sum(k[a] for a in STRONG) / sum(n[a] for a in STRONG)
    assert strong == pytest.approx(0.35, abs=0.02)
    for agent in WEAK:
        assert 0.14 < k[agent] / n[agent] < 0.29, agent
    assert sum(k[a] for a in WEAK) / sum(n[a] for a in WEAK) == pytest.approx(0.205, abs=0.02)


def test_doubted_product_converts_less_and_grows(shop):
    asked, months = defaultdict(list), defaultdict(list)
    for row in shop["truth"]["inquiries"]:
        doubted = row["product_id"] == "728104560311"
        asked[doubted].append(row["ordered"])
        months[row["start"][:7]].append(doubted)
    assert mean(asked[True]) == pytest.approx(0.14, abs=0.03)
    assert mean(asked[False]) == pytest.approx(0.325, abs=0.02)
    march, april, may = (mean(months[m]) for m in sorted(months))
    assert march < april < may


def test_slow_typist_and_canned_phrase(shop):
    slow = {a: mean(s > 60 for s in waits(shop["chats"], a)[0]) for a in (*STRONG, *WEAK)}
    assert slow["木子"] == pytest.approx(0.28, abs=0.03)
    assert all(slow[a] < 0.09 for a in STRONG)
    said = Counter(waits(shop["chats"], "念念")[1])
    assert said.most_common(1)[0][1] / said.total() == pytest.approx(0.61, abs=0.02)
    assert Counter(waits(shop["chats"], "星野")[1]).most_common(1)[0][1] < 0.06 * said.total()


def test_closing_lines_are_missing_where_planted(shop):
    closing = [t.format_map(defaultdict(str)) for kind in ("push", "urge", "bye") for t in phrases("agents")["小禾"][kind]]
    chats = [lines for (_, account), lines in shop["chats"].items() if account == "小禾"]
    inquiries = {r["nick"] for r in shop["truth"]["inquiries"] if r["account"] == "小禾"}
    asked = [lines for (nick, a), lines in shop["chats"].items() if a == "小禾" and nick in inquiries]
    assert chats and mean(not any(t in closing for _, _, t in lines) for lines in asked) == pytest.approx(0.82, abs=0.05)


def test_new_agent_starts_late_and_answers_partly(shop):
    texts, first = [], None
    for (_, account), lines in shop["chats"].items():
        if account == "小舟":
            texts += [t for _, who, t in lines if who.startswith(SHOP)]
            first = min(first or lines[0][0], lines[0][0])
    assert first.date() >= date(2026, 5, 9)
    assert sum(t in phrases("talk")["partial"] for t in texts) > 0.07 * len(texts)


def test_payment(shop):
    lags, same_day, by_customer = [], [], defaultdict(bool)
    for order in shop["orders"]:
        created, paid = order["订单创建时间"], order["订单付款时间 "]
        same_day.append(paid[:10] == created[:10])
        by_customer[order["买家会员名"], created[:10]] |= bool(paid)
        if paid:
            lags.append((at(paid) - at(created)).total_seconds() / 60)
    assert mean(same_day) == pytest.approx(0.6612, abs=0.02)
    assert mean(by_customer.values()) == pytest.approx(0.78, abs=0.015)
    assert 25 < sorted(lags)[int(0.9 * len(lags))] < 90


def test_slow_route_takes_twice_as_long(shop):
    days = defaultdict(list)
    for order in shop["orders"]:
        if order["确认收货时间"] and order["订单创建时间"] < "2026-05-01":
            slow = order["收货地址 "].startswith("广东省") and order["物流公司"] == "安途速递"
            days[slow].append((at(order["确认收货时间"]) - at(order["订单付款时间 "])).total_seconds() / 86_400)
    assert len(days[True]) > 0.04 * len(days[False])
    assert mean(days[True]) / mean(days[False]) == pytest.approx(2.2, abs=0.3)


def test_reviews(shop):
    good = [r for r in shop["reviews"] if int(r["评分"]) >= 4]
    low = [r for r in shop["reviews"] if int(r["评分"]) <= 3]
    assert len(good) / len(shop["reviews"]) == pytest.approx(0.97, abs=0.012)
    hidden = {(h["date"], h["text"]) for h in shop["truth"]["hidden_complaints"]}
    assert sum((r["日期"], r["评论内容"]) in hidden for r in good) / len(good) == pytest.approx(0.09, abs=0.015)
    assert mean(bool(r["商家回复"]) for r in low) == pytest.approx(0.6, abs=0.13)
    assert sum("没有填写评价" in r["评论内容"] for r in good) > 0.1 * len(good)


def test_returning_customers(shop):
    days = defaultdict(set)
    for order in shop["orders"]:
        if order["订单付款时间 "]:
            days[order["买家会员名"]].add(date.fromisoformat(order["订单创建时间"][:10]))
    known, alive = date(2026, 5, 31), 1.0
    spans = [((sorted(d)[1] - min(d)).days, True) if len(d) > 1 else ((known - min(d)).days, False) for d in days.values()]
    for gap in range(91):  # Kaplan–Meier by hand
        at_risk = sum(s >= gap for s, _ in spans)
        alive *= 1 - sum(back and s == gap for s, back in spans) / at_risk if at_risk else 1
    assert 1 - alive == pytest.approx(0.175, abs=0.05)


def test_truth_is_found_in_the_files(shop):
    truth, ids = shop["truth"], {o["订单编号"].strip('="') for o in shop["orders"]}
    for row in truth["inquiries"]:
        times = {str(t) for t, _, _ in shop["chats"][row["nick"], row["account"]]}
        assert {row["start"], row["end"], *row["evidence"]} <= times
        assert ids.issuperset(row["order_ids"]) and row["ordered"] == (row["reason"] is None) == bool(row["order_ids"])
    for row in truth["unpaid_orders"] + truth["price_drop"] + truth["after_sale"]:
        assert row["order_id"] in ids
    for row in truth["transfers"]:
        assert (row["nick"], row["from"]) in shop["chats"] and (row["nick"], row["to"]) in shop["chats"]
    for nick in truth["colleagues"] + truth["blocked"]:
        assert any(n == nick for n, _ in shop["chats"]), nick


def test_unpaid_orders_have_a_cause_and_it_is_said(shop):
    unpaid = {o["订单编号"].strip('="'): o for o in shop["orders"] if not o["订单付款时间 "]}
    planted = {r["order_id"]: r for r in shop["truth"]["unpaid_orders"]}
    assert planted.keys() == unpaid.keys()
    said = {str(t) for lines in shop["chats"].values() for t, _, _ in lines}
    assert all(r["said_at"] in said for r in planted.values() if r["said_at"])
    assert {r["cause"] for r in planted.values()} == {
        "balance", "payment_trouble", "wrong_item", "waiting_price_change", "quality_doubt", "bargain", "cheaper_elsewhere",
        "freight", "hesitating", "unknown",
    }  # fmt: skip


def test_price_drop_is_complained_of_after_the_campaign_begins(shop):
    created = {o["订单编号"].strip('="'): at(o["订单创建时间"]) for o in shop["orders"]}
    back = {o["订单编号"].strip('="'): float(o["退款金额"]) for o in shop["orders"]}
    assert len(shop["truth"]["price_drop"]) > 10
    for row in shop["truth"]["price_drop"]:
        assert datetime(2026, 5, 9) <= created[row["order_id"]] < datetime(2026, 5, 16) <= at(row["at"])
        assert row["refunded"] or back[row["order_id"]] == 0


@pytest.mark.slow
def test_scale_multiplies_the_volume(tmp_path):
    small, large = (write_demo(tmp_path / str(s), scale=s, months=1).summary for s in (0.05, 0.15))
    assert large["counts"]["messages"] / small["counts"]["messages"] == pytest.approx(3, abs=0.5)
    assert large["counts"]["orders"] / small["counts"]["orders"] == pytest.approx(3, abs=0.4)
    assert small["first"] == "2026-05-01" and small["conversion"]["n"] > 150


@pytest.mark.slow
def test_memory_does_not_follow_the_period(tmp_path):
    peaks = []
    for months in (4, 12):
        tracemalloc.start()
        write_demo(tmp_path / str(months), scale=0.05, months=months)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("kind", ["bag", "small", "belt"])
def test_every_reason_has_scripts_that_can_be_spoken(kind):
    for book in ("loss_goods", "loss_service"):
        for code in phrases(book):
            for script in fitting(kind, book, code):
                assert all(STEP.fullmatch(line) for line in script.strip().splitlines()), (code, script)
                assert "!" in script or code == "unknown.silent", (code, script)
    for topic in phrases("talk")["topics"]:
        assert fitting(kind, "talk", "topics", topic, "ask") and fitting(kind, "talk", "topics", topic, "answer")


def test_settings_make_a_workspace(shop, tmp_path):
    made = Workspace.create(tmp_path / "a", **settings_for_demo()).settings
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "huitou.toml").write_text(shop["truth"]["huitou_toml"], encoding="utf-8")
    assert read_settings(tmp_path / "b" / "huitou.toml") == made
    assert made.shop == SHOP and made.agent_roles == {"服务助手": "robot"} and len(made.blocked) == 8


def test_readme_tells_what_is_what(shop):
    text = Path(shop["folder"], "README.txt").read_text("utf-8")
    assert text.startswith(SHOP) and f"本次共 {len(shop['truth']['files'])} 个文件" in text
    assert all((shop["folder"] / name).exists() for name in shop["truth"]["files"])
