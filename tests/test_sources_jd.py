"""JD through the front door: orders on several rows, chats of masked buyers, the session list, compensation."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import ibis
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.facts.chat_people import NEAR_S, chat_matches, with_people
from huitou.findings.case import Case
from huitou.lake import Workspace
from huitou.lake.identity import People
from huitou.lake.settings import Settings
from huitou.rules.packs import load_pack
from huitou.sources.importer import import_files
from huitou.sources.jd_chats import JdChats
from huitou.sources.jd_orders import JdOrders, status
from huitou.sources.model import Context
from huitou.sources.sniff import head
from huitou.tables import TABLES
from tests.exported import put, table
from tests.facts_shop import unbound
from tests.front import huitou, number
from tests.metrics_shop import shop as tables_of
from tests.platform_files import (
    JD_COMPENSATION,
    JD_ORDERS,
    JD_SESSIONS,
    jd_log,
    jd_order,
    jd_session,
    write_csv,
    write_xlsx,
)

TWO = {"订单金额": "1097.00", "结算金额": "932.45", "应付金额": "938.45", "运费金额": "6.00"}
CONTEXT = Context(Settings(shop="青麓", platform="jd"), People(b"a key of 32 bytes for tests only", "jd", "青麓"))
ROWS = [
    jd_order(11, 901, 京东价="758.00", **TWO),
    jd_order(12, 903, 下单帐号="j****8", 订单状态="(删除)等待出库", 订单完成时间=""),
    jd_order(11, 902, 京东价="339.00", 订购数量=2, **TWO),
    jd_order(13, 903, 订单状态="(删除)等待出库", 商家备注="订单拆分为  14    15"),
    jd_order(16, 903, 支付方式="货到付款", 付款确认时间="", 余额支付="10.00"),
    jd_order(17, 903, 支付方式="货到付款", 付款确认时间="", 订单状态="等待确认收货", 订单完成时间=""),
    jd_order(18, 903, 下单帐号="jd_new", 付款确认时间="", 订单状态="等待付款", 订单完成时间=""),
]
"""Two goods of order 11 with another order between them; 13 became 14 and 15."""


def jd(folder: Path, *files: Path) -> Workspace:
    huitou("init", folder / "shop", "--shop", "青麓", "--platform", "jd")
    ws = Workspace.open(folder / "shop")
    reports = import_files(ws, list(files))
    assert [r.refused for r in reports] == [None] * len(files)
    assert all(r.load and r.load.balances for r in reports)
    return ws


def orders_csv(folder: Path, rows: list[dict[str, object]] = ROWS) -> Path:
    return write_csv(folder / "orders.csv", JD_ORDERS, rows, encoding="gb18030")


def test_one_order_on_two_rows_is_one_order(tmp_path: Path) -> None:
    ws = jd(tmp_path, orders_csv(tmp_path))
    orders = {o["order_id"]: o for o in table(ws, "orders").to_dicts()}
    assert {n: (o["placed_fen"], o["gross_fen"], o["refund_fen"], o["freight_fen"]) for n, o in orders.items()} == {
        "11": (93_845, 93_845, 0, 600), "12": (9_000, 9_000, 9_000, 0), "16": (10_000, 10_000, 0, 0), "17": (9_000, 0, 0, 0),
        "18": (9_000, 0, 0, 0),
    }  # fmt: skip
    assert {n: (o["status"], o["prepaid"]) for n, o in orders.items()} == {
        "11": ("done", True), "12": ("closed", True), "16": ("done", False), "17": ("shipped", False), "18": ("unpaid", True)
    }  # fmt: skip
    assert orders["12"]["customer_key"] is None and orders["11"]["customer_key"] == orders["16"]["customer_key"] is not None
    lines = table(ws, "order_lines").sort("row")
    assert lines["line_id"].to_list() == ["11-901", "12-903", "11-902", "16-903", "17-903", "18-903"]
    assert lines["price_fen"].to_list()[:3] == [75_800, 10_000, 33_900] and lines["quantity"].sum() == 7


def test_what_the_import_tells(tmp_path: Path) -> None:
    (report,) = import_files(Workspace.create(tmp_path / "s", shop="青麓", platform="jd"), [orders_csv(tmp_path)])
    assert (report.source, report.rows, report.problems) == ("jd.orders", 7, {"split_order": 1})
    assert report.notes == {"masked_buyer": 1} and report.first == {"split_order": (5, "商家备注")}


def test_an_order_that_was_split_up_is_left_out_whatever_its_state(tmp_path: Path) -> None:
    rows = [jd_order(n, 903, 商家备注=remark) for n, remark in ((20, "订单拆分为 21,22"), (21, "订单拆分为 21,22"), (22, ""))]
    assert table(jd(tmp_path, orders_csv(tmp_path, rows)), "orders")["order_id"].sort().to_list() == ["21", "22"]


@pytest.mark.slow
def test_metrics_of_a_jd_shop(tmp_path: Path) -> None:
    """By hand: placed 11, 12, 16, 17, 18; paid 11, 12, 16 of 938.45 + 90 + 100; 12 went back; one named buyer paid, for 4 pieces."""
    ws = jd(tmp_path, orders_csv(tmp_path))
    huitou("-w", ws.path, "build")
    asked = [
        "orders_placed",
        "paid_orders",
        "amount_paid",
        "amount_refunded",
        "paying_customers",
        "cod_orders",
        "items_per_buyer",
    ]
    assert [number(ws.path, name)["value"] for name in asked] == [5, 3, 1128.45, 90, 1, 2, 4]


@pytest.mark.slow
def test_a_later_export_brings_the_newer_state(tmp_path: Path) -> None:
    shipped = [
        jd_order(21, 901, 订单状态="等待确认收货", 订单完成时间=""),
        jd_order(21, 902, 订单状态="等待确认收货", 订单完成时间=""),
    ]
    first = write_csv(tmp_path / "1.csv", JD_ORDERS, shipped, encoding="gb18030")
    ws = jd(tmp_path, first, write_csv(tmp_path / "2.csv", JD_ORDERS, [jd_order(21, 902), jd_order(21, 901)], encoding="gb18030"))
    assert table(ws, "orders").select("status", "gross_fen").rows() == [("done", 9_000)]
    assert table(ws, "order_lines").height == 2


def typed(folder: Path, rows: list[dict[str, object]]) -> pl.DataFrame:
    """What the lake gets as orders of a file with these rows."""
    batches = list(JdOrders().read(head(orders_csv(folder, rows)), CONTEXT))
    return pl.concat([b.frames["orders"] for b in batches if "orders" in b.frames]).drop("row").sort("order_id")


def test_rows_apart_and_amounts_on_the_first_row_only_give_the_same_orders(tmp_path: Path) -> None:
    rows = [jd_order(1000 + n // 3, 900 + n % 3) for n in range(30)]
    whole = typed(tmp_path, rows)
    assert whole.height == 10 and typed(tmp_path, rows[::3] + rows[1::3] + rows[2::3]).equals(whole)
    blank = {"订单金额": "", "应付金额": "", "余额支付": "", "运费金额": ""}
    assert typed(tmp_path, [row | blank if n % 3 else row for n, row in enumerate(rows)]).equals(whole)


@pytest.mark.slow
def test_the_same_goods_as_a_gift_are_another_line(tmp_path: Path) -> None:
    ws = jd(tmp_path, orders_csv(tmp_path, [jd_order(31, 901), jd_order(31, 901, 京东价="0.00"), jd_order(31, 901)]))
    assert table(ws, "order_lines").sort("row")["line_id"].to_list() == ["31-901", "31-901-gift"]


@pytest.mark.parametrize(
    ("words", "state"),
    [(" 等待出库", "paid"), ("(锁定)等待出库", "paid"), ("（删除）锁定", "closed"), ("完成", "done"), ("已取消", "closed"),
     ("等待付款确认", "unpaid"), ("(暂停)等待确认收货", "shipped"), ("火星", None)],
)  # fmt: skip
def test_states(words: str, state: str | None) -> None:
    assert status(pl.Series([words])).to_list() == [state]


A, B = "j****8", "青麓-小禾"
DAY = "2025-03-01"
LOG = [
    [(A, f"{DAY} 09:50:00", "在吗"), (B, f"{DAY} 09:50:20", "在的亲\n您说"), (A, f"{DAY} 09:51:00", "电话13800000001")],
    [(A, f"{DAY} 11:00:00", "还有货吗"), ("jimi_1", f"{DAY} 11:00:01", "智能回复您好"), ("青麓-小麦", f"{DAY} 11:00:30", "有的")],
    [("青麓-小禾", f"{DAY} 12:00:00", "主动联系")],
]


def log_file(folder: Path, **more: object) -> Path:
    return put(folder, "chat.log", jd_log(*LOG, **more), "gb18030")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "ends"),
    [("gb18030", True), ("utf-8", False)]
    + [pytest.param(*x, marks=pytest.mark.slow) for x in (("gb18030", False), ("utf-8", True), ("utf-8-sig", True), ("utf-8-sig", False))],
)  # fmt: skip
def test_each_session_of_a_masked_buyer_is_a_customer_of_its_own(tmp_path: Path, encoding: str, ends: bool) -> None:
    ws = jd(tmp_path, put(tmp_path, "chat.txt", jd_log(*LOG, ends=ends), encoding))
    rows = table(ws, "messages").sort("row")
    assert rows["kind"].to_list() == ["customer", "agent", "customer", "customer", "robot", "agent", "agent"]
    assert rows["text"].to_list()[1:4] == ["在的亲\n您说", "电话〔手机〕", "还有货吗"]
    people = rows["customer_key"].to_list()
    assert people[0] == people[1] == people[2] and people[3] == people[4] == people[5] and len(set(people)) == 3
    agents = {a["agent_key"]: (a["account"], a["robot"]) for a in table(ws, "agents").to_dicts()}
    assert [agents[k] for k in rows["speaker_key"].drop_nulls()] == [
        (B, False),
        ("青麓-小麦", False),
        ("青麓-小麦", False),
        (B, False),
    ]


def test_a_robot_alone_is_an_account_of_its_own(tmp_path: Path) -> None:
    ws = jd(tmp_path, put(tmp_path, "c.log", jd_log([(A, f"{DAY} 11:00:00", "在吗"), ("jimi_1", f"{DAY} 11:00:01", "您好")])))
    assert table(ws, "agents").select("account", "robot").rows() == [("jimi_1", True)]
    assert table(ws, "messages")["agent_key"].n_unique() == 1


def test_no_alias_is_in_the_lake_or_the_vault(tmp_path: Path) -> None:
    ws = jd(tmp_path, log_file(tmp_path))
    key = table(ws, "messages")["customer_key"][0]
    assert ws.vault.recall(key, "test") is None
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file())
    assert A.encode() not in stored and b"13800000001" not in stored


@pytest.mark.slow
def test_lines_that_belong_to_nothing_are_told(tmp_path: Path) -> None:
    text = "广告\r\n" + jd_log(*LOG).replace("11:00:30\t", "11:61:30\t") + "尾巴\r\n"
    (report,) = import_files(Workspace.create(tmp_path / "s", shop="青麓", platform="jd"), [put(tmp_path, "c.log", text)])
    assert report.problems == {"stray": 2, "chat_time": 1} and report.load and report.load.stored == 6


@pytest.mark.slow
def test_blocks_of_a_log_give_the_same_messages(tmp_path: Path) -> None:
    begin = datetime(2025, 3, 1)
    talks = [[(f"a****{n % 7}", str(begin + timedelta(minutes=n)), f"问{n}"), (B, str(begin + timedelta(minutes=n, seconds=9)), "好")]
             for n in range(200)]  # fmt: skip
    file = put(tmp_path, "chat.log", jd_log(*talks))

    def read(size: int, name: str) -> pl.DataFrame:
        return pl.concat([b.frames[name] for b in JdChats(block_bytes=size).read(head(file), CONTEXT)]).sort("row")

    assert read(2**20, "messages").equals(read(2_000, "messages")) and read(2_000, "messages").height == 400
    assert read(2**20, "chat_sessions").equals(read(2_000, "chat_sessions"))


SESSIONS = [
    jd_session("jd_fish08", f"{DAY} 09:50:00", "c1", 首次响应时间=f"{DAY} 09:50:20", 满意度="非常满意", 是否解决="是"),
    jd_session("jd_other8", f"{DAY} 11:00:40", "c2", 客服="青麓-小麦", 首次响应时间="30", 转接后客服=B),
    jd_session("", f"{DAY} 13:00:00", "c3"),
]


def test_the_session_list(tmp_path: Path) -> None:
    (report,) = import_files(
        Workspace.create(tmp_path / "s", shop="青麓", platform="jd"), [write_xlsx(tmp_path / "s.xlsx", JD_SESSIONS, SESSIONS)]
    )
    assert (report.source, report.problems) == ("jd.sessions", {"empty": 1})
    rows = table(Workspace.open(tmp_path / "s"), "chat_sessions").sort("row")
    assert rows["first_response_s"].to_list() == [20.0, 30.0] and rows["satisfaction"].to_list() == [5, None]
    assert rows["solved"].to_list() == [True, None] and rows["mean_response_s"].to_list() == [12.5, 12.5]
    assert rows["transferred_to"].is_null().to_list() == [True, False] and rows["talk_key"].null_count() == 2


@pytest.mark.slow
def test_compensation(tmp_path: Path) -> None:
    row = {"店铺名称": "青麓", "申请时间": f"{DAY} 10:00:00", "赔付单号": "P1", "关联订单号": "11", "赔付金额": "5.00",
           "赔付原因": "延迟发货，电话13800000001", "赔付状态": "赔付成功", "申请人": "某人"}  # fmt: skip
    rows = [row, row | {"赔付单号": "P2", "赔付状态": "待赔付"}]
    ws = jd(tmp_path, write_csv(tmp_path / "p.csv", JD_COMPENSATION, rows), orders_csv(tmp_path))
    found = table(ws, "complaints").sort("row")
    assert found["amount_fen"].to_list() == [500, 500] and found["settled"].to_list() == [True, False]
    assert found["reason"][0] == "延迟发货，电话〔手机〕"
    assert set(found["order_key"]) <= set(table(ws, "orders")["order_key"])


def session(key: int, at: int, alias: int, agent: int | None, log: bool) -> dict[str, object]:
    own = {"talk_key": key, "origin": "log"} if log else {"customer_key": key + 5_000, "origin": "report"}
    return {"session_key": key, "started_at": at * 1_000_000, "alias_key": alias, "agent_key": agent} | own


def pairs(rows: list[dict[str, object]]) -> list[tuple[int, int]]:
    lake = tables_of(chat_sessions=rows)
    return sorted(lake.frame(chat_matches(lake.table("chat_sessions"))).select("talk_key", "session_key").rows())


@pytest.mark.costly
@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([session(9, 100, 1, 11, False)], [(1, 9)]),
        ([session(9, 100, 2, 11, False)], []),  # another mask
        ([session(9, 220, 1, 12, False)], [(1, 9)]),  # two minutes, another account
        ([session(9, 221, 1, 11, False)], []),
        ([session(8, 100, 1, 12, False), session(9, 100, 1, 11, False)], [(1, 9)]),  # the account decides
        ([session(8, 100, 1, 11, False), session(9, 100, 1, 11, False)], []),  # nothing decides
        ([session(8, 100, 1, 12, False), session(9, 101, 1, 11, False)], [(1, 8)]),  # the second decides before the account
    ],
)
def test_a_log_session_is_matched_only_where_nothing_else_fits(listed: list[dict[str, object]], found: list[object]) -> None:
    assert pairs([session(1, 100, 1, 11, True), *listed]) == found


SOME = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 2), st.integers(11, 12)), max_size=8)


def by_hand(logs: list[tuple[int, int, int]], listed: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """The same rules in plain Python: of the pairs left, each that has no rival on either side."""
    left = {(i, 100 + j) for i, a in enumerate(logs) for j, b in enumerate(listed) if a[1] == b[1] and abs(a[0] - b[0]) <= NEAR_S}
    found: list[tuple[int, int]] = []
    for same_time, same_agent in ((1, 1), (1, 0), (0, 1), (0, 0)):
        now = [
            (i, j)
            for i, j in left
            if (logs[i][0] == listed[j - 100][0]) >= same_time and (logs[i][2] == listed[j - 100][2]) >= same_agent
        ]
        now = [(i, j) for i, j in now if not any((i == a) != (j == b) for a, b in now)]
        found += now
        left = {(i, j) for i, j in left if all(i != a and j != b for a, b in now)}
    return sorted(found)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SOME, SOME)
def test_matching_against_plain_python(logs: list[tuple[int, int, int]], listed: list[tuple[int, int, int]]) -> None:
    rows = [session(i, *a, True) for i, a in enumerate(logs)] + [session(100 + j, *b, False) for j, b in enumerate(listed)]
    assert pairs([*rows, session(999, 99_999, 9, 1, True)]) == by_hand(logs, listed)


def test_messages_stand_under_the_person_once_known() -> None:
    rows = [session(1, 100, 1, 11, True), session(9, 100, 1, 11, False)]
    lake = tables_of(chat_sessions=rows, messages=[{"customer_key": 1, "row": 1}, {"customer_key": 2, "row": 2}])
    messages = lake.table("messages")
    known = with_people(messages, chat_matches(lake.table("chat_sessions")))
    assert lake.frame(known).sort("row")["customer_key"].to_list() == [5_009, 2]
    assert known.columns == messages.columns and with_people(messages, None) is messages


@pytest.mark.slow
def test_the_matching_compiles_for_spark() -> None:
    assert ibis.pyspark.name == "pyspark"  # naming the backend sets the options that its compiler reads; no Spark is started
    found = chat_matches(unbound("chat_sessions"))
    assert ibis.to_sql(with_people(unbound("messages"), found), dialect="pyspark").upper().startswith(("SELECT", "WITH"))
    assert found.columns == tuple(c.name for c in TABLES["chat_matches"].columns)


@pytest.mark.slow
def test_a_zipped_log_is_read_as_it_is(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "chat.zip", "w") as archive:
        archive.writestr("聊天记录.log", jd_log(*LOG).encode("gb18030"))
    ws = jd(tmp_path, tmp_path / "chat.zip")
    assert table(ws, "messages").height == 7


def asked(ws: Workspace) -> tuple[int, int]:
    """Customers that bought after asking, and inquiries."""
    huitou("-w", ws.path, "build")
    cell = number(ws.path, "inquiry_conversion")
    return cell["numerator"], cell["denominator"]


BOUGHT = [
    jd_order(41, 901),
    jd_order(42, 901, 下单帐号="jd_new", 下单时间="2025-03-20 10:00:00", 付款确认时间="2025-03-20 10:00:30"),
]


@pytest.mark.slow
def test_the_session_list_tells_who_asked_whatever_comes_first(tmp_path: Path) -> None:
    """jd_fish08 asked at 09:50 and ordered at 10:00; jd_other8 asked at 11:00:00, listed 40 s later; nobody answered at 12:00."""
    files = [log_file(tmp_path), orders_csv(tmp_path, BOUGHT)]
    listed = write_xlsx(tmp_path / "s.xlsx", JD_SESSIONS, SESSIONS[:2])
    ws = jd(tmp_path, *files)
    assert asked(ws) == (0, 2)
    import_files(ws, [listed])
    assert asked(ws) == (1, 2)
    (tmp_path / "other").mkdir()
    assert asked(jd(tmp_path / "other", listed, *files)) == (1, 2)


@pytest.mark.slow
def test_a_matched_chat_can_be_opened_by_its_customer(tmp_path: Path) -> None:
    ws = jd(
        tmp_path, log_file(tmp_path), orders_csv(tmp_path, BOUGHT), write_xlsx(tmp_path / "s.xlsx", JD_SESSIONS, SESSIONS[:2])
    )
    assert asked(ws) == (1, 2)
    fish = table(ws, "orders").sort("order_id")["customer_key"][0]
    with ws.read("tmall-2025") as snapshot:
        case = Case(snapshot, ws.settings, load_pack("tmall-2025"), period=(date(2025, 3, 1), date(2025, 3, 1)))
        said = case.frame(case.during("messages")).filter(pl.col("customer_key") == fish)
        assert said.sort("row")["text"].to_list() == ["在吗", "在的亲\n您说", "电话〔手机〕"]
        assert fish in snapshot.frame(snapshot.table("receptions"))["customer_key"].to_list()
