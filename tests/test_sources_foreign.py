"""Orders of Shopify, WooCommerce and Olist through the importer, on invented files in their exact form."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitou.errors import HuitouError
from huitou.sources.importer import import_files
from huitou.sources.registry import BUILT_IN
from huitou.sources.shopify_orders import ShopifyOrders
from huitou.sources.sniff import head
from huitou.sources.woocommerce_orders import amounts
from tests.exported import as_csv, imported, put, shop, table

SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Fulfilled at",
    "Accepts Marketing",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Shipping Method",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem compare at price",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Lineitem taxable",
    "Lineitem fulfillment status",
    "Billing Name",
    "Shipping Name",
    "Shipping Street",
    "Shipping City",
    "Shipping Zip",
    "Shipping Province",
    "Shipping Country",
    "Shipping Phone",
    "Notes",
    "Cancelled at",
    "Payment Method",
    "Payment Reference",
    "Refunded Amount",
    "Vendor",
    "Outstanding Balance",
    "Id",
    "Tags",
    "Risk Level",
    "Source",
    "Lineitem discount",
    "Tax 1 Name",
    "Tax 1 Value",
    "Phone",
    "Receipt Number",
]


def shopify(*orders: dict[str, object], newer: bool = False) -> str:
    """Rows by heading; `newer`: with the spellings of later years."""
    later = {"Lineitem compare at price": "Lineitem compare-at price", "Lineitem sku": "Lineitem SKU", "Cancelled at": "Canceled at",
             "Payment Reference": "Payment References"}  # fmt: skip
    return as_csv([later.get(h, h) if newer else h for h in SHOPIFY], *([row.get(h, "") for h in SHOPIFY] for row in orders))


def order(name: str, email: str, total: str, **more: object) -> dict[str, object]:
    """An order's first row."""
    at = "2026-09-03 10:15:00 -0400"
    line = {"Lineitem quantity": 1, "Lineitem name": "Tote - Red", "Lineitem price": total, "Lineitem sku": "T-R"}
    base = {"Name": name, "Email": email, "Financial Status": "paid", "Paid at": at, "Fulfillment Status": "unfulfilled", "Currency": "USD",
            "Shipping": "0.00", "Total": total, "Created at": at, "Refunded Amount": "0.00", "Outstanding Balance": "0.00"}  # fmt: skip
    return base | line | {key.replace("_", " "): value for key, value in more.items()}


def more(name: str, **cells: object) -> dict[str, object]:
    """A further line of an order: the order's own cells are empty."""
    return {"Name": name, **{key.replace("_", " "): value for key, value in cells.items()}}


TWO = (
    order("#1001", "Ann@Example.com", "25.00", Shipping="5.00", Shipping_Province="NY", Shipping_Name="Ann Example"),
    more("#1001", Lineitem_quantity=2, Lineitem_name="Pin", Lineitem_price="5.00"),
    more("#1001", Lineitem_quantity=2, Lineitem_name="Pin", Lineitem_price="5.00"),
    order("#1002", "ann@example.com", "9.90", Financial_Status="partially_refunded", Refunded_Amount="4.90"),
)


@pytest.mark.parametrize("newer", [False, True])
def test_a_shopify_order_of_several_rows_is_one_order(tmp_path: Path, newer: bool) -> None:
    report, ws = imported(tmp_path, shopify(*TWO, newer=newer))
    assert report.source == "shopify.orders" and report.load is not None and report.load.balances and report.rows == 4
    orders, lines = table(ws, "orders").sort("order_id"), table(ws, "order_lines").sort("row")
    assert orders.select("placed_fen", "gross_fen", "refund_fen", "freight_fen").rows() == [
        (2500, 2500, 0, 500),
        (990, 990, 490, 0),
    ]
    assert lines["quantity"].to_list() == [1, 2, 2, 1] and lines["line_key"].n_unique() == 4
    assert lines.filter(lines["order_key"] == orders["order_key"][0]).height == 3
    assert set(lines["created_at"]) == {1_788_444_900_000_000}  # 14:15 UTC on every line
    assert report.notes == {"foreign_currency": 2}  # the shop's own is CNY


def test_shopify_days_are_the_shop_s_and_the_e_mail_is_the_customer_kept_in_the_vault_only(tmp_path: Path) -> None:
    _, ws = imported(tmp_path, shopify(*TWO))
    orders = table(ws, "orders").sort("order_id")
    assert orders["day"].to_list() == [date(2026, 9, 3)] * 2 and orders["second"].to_list() == [22 * 3600 + 900] * 2
    assert orders["customer_key"].n_unique() == 1 and orders["region"].to_list() == ["NY", None]
    assert (ws.vault.recall(orders["customer_key"][0], "test") or {}) == {
        "nick": "ann@example.com",
        "name": "Ann Example",
        "address": "NY",
    }
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file() and "vault" not in f.parts)
    assert b"xample.com" not in stored and b"Ann" not in stored


STATES: list[tuple[dict[str, object], str, int, bool]] = [
    ({"Financial_Status": "pending", "Paid_at": ""}, "unpaid", 0, False),
    ({"Fulfillment_Status": "fulfilled"}, "shipped", 1000, True),
    ({"Financial_Status": "voided"}, "closed", 0, False),
    ({"Financial_Status": "partially_paid", "Outstanding_Balance": "4.00"}, "paid", 600, True),
    ({"Financial_Status": "refunded", "Refunded_Amount": "10.00", "Cancelled_at": "2026-09-04 10:00:00 -0400"}, "closed", 1000, True),
]  # fmt: skip


def test_states_of_shopify_orders(tmp_path: Path) -> None:
    text = shopify(*(order(f"#{n}", "", "10.00", **cells) for n, (cells, *_) in enumerate(STATES)))
    orders = table(imported(tmp_path, text)[1], "orders").sort("order_id")
    assert orders.select("status", "gross_fen", "customer_key").rows() == [(state, gross, None) for _, state, gross, _ in STATES]
    assert orders["paid_at"].is_not_null().to_list() == [paid for *_, paid in STATES]


def test_a_bad_cell_costs_its_row_and_no_other(tmp_path: Path) -> None:
    report, ws = imported(
        tmp_path, shopify(TWO[0] | {"Total": "many"}, *TWO[1:], TWO[3] | {"Name": "#1003", "Created at": "soon"})
    )
    assert report.problems == {"money": 1, "time": 1} and report.load is not None and report.load.balances
    lines = table(ws, "order_lines").sort("row")
    assert table(ws, "orders")["order_id"].to_list() == ["#1002"] and lines["day"][:2].to_list() == [date(1970, 1, 1)] * 2


def test_the_same_shopify_orders_in_another_order_of_rows_are_known(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    files = [put(tmp_path, "1.csv", shopify(*TWO)), put(tmp_path, "2.csv", shopify(TWO[3], *TWO[:3]))]
    assert [r.load.known for r in import_files(ws, files) if r.load] == [0, 4]


@pytest.mark.slow
def test_an_order_across_two_stretches_of_a_file_is_one(tmp_path: Path) -> None:
    lines = [order(f"#{i}", "", "3.00") if j == 0 else more(f"#{i}", Lineitem_quantity=j, Lineitem_name="Pin", Lineitem_price="1.00")
             for i in range(14_000) for j in range(3)]  # fmt: skip
    pl.DataFrame([[str(row.get(h, "")) for h in SHOPIFY] for row in lines], schema=SHOPIFY, orient="row").write_parquet(
        tmp_path / "o.parquet"
    )
    assert ShopifyOrders().identify(head(tmp_path / "o.parquet")) == 100
    import_files(ws := shop(tmp_path), [tmp_path / "o.parquet"])
    assert table(ws, "orders").height == 14_000 and table(ws, "order_lines")["created_at"].null_count() == 0


OLIST = {
    "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
    "order_delivered_customer_date,order_estimated_delivery_date\n"
    "o1,c1,delivered,2017-10-02 10:56:33,2017-10-02 11:07:15,2017-10-04 19:55:00,2017-10-10 21:25:13,2017-10-18 00:00:00\n"
    "o2,c2,created,2017-11-02 10:56:33,,,,2017-11-18 00:00:00\n",
    "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n"
    '"c1","u1","01310","sao paulo","SP"\n"c2","u1","01310","sao paulo","SP"\n',
    "items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
    "o1,1,p,s,2017-10-06 11:07:15,29.99,8.72\no1,2,p,s,2017-10-06 11:07:15,29.99,8.72\no2,1,q,s,2017-11-06 11:07:15,10.00,1.00\n",
    "payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value\no1,1,credit_card,1,70.00\no1,2,voucher,1,7.42\n",
    "reviews": "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,review_answer_timestamp\n"
    'r1,o1,2,Ruim,"Chegou quebrado, ligue 13800000001",2017-10-11 00:00:00,2017-10-12 03:43:48\nr2,o2,5,,,2017-11-11 00:00:00,2017-11-12 03:43:48\n',
}


def olist(folder: Path, *names: str) -> list[Path]:
    return [put(folder, f"olist_{name}_dataset.csv", OLIST[name]) for name in names]


@pytest.mark.slow
def test_olist_orders_are_whole_whichever_file_comes_first(tmp_path: Path) -> None:
    files = olist(tmp_path, *OLIST)
    reports = import_files(ws := shop(tmp_path), files[::-1])
    assert [r.source for r in reports] == ["olist.reviews", None, "olist.items", None, "olist.orders"]
    assert all(r.load.balances for r in reports if r.load) and "not imported alone" in str(reports[1].refused)
    orders = table(ws, "orders").sort("order_id")
    assert orders.select("placed_fen", "gross_fen", "freight_fen", "items", "status", "region").rows() == [
        (7742, 7742, 1744, 2, "done", "SP"), (1100, 0, 100, 1, "unpaid", "SP")]  # fmt: skip
    assert orders["customer_key"].n_unique() == 1  # two orders of one customer_unique_id
    lines, reviews = table(ws, "order_lines"), table(ws, "reviews").sort("row")
    assert lines["line_key"].n_unique() == 3 and set(lines["order_key"]) == set(reviews["order_key"]) == set(orders["order_key"])
    assert reviews["rating"].to_list() == ["bad", "good"] and reviews["default_text"].to_list() == [False, True]
    assert reviews["text"][0] == "Ruim\nChegou quebrado, ligue 〔手机〕"


def test_olist_orders_alone_are_refused_and_come_in_once_the_others_are_there(tmp_path: Path) -> None:
    (orders,) = olist(tmp_path, "orders")
    (refused,) = import_files(ws := shop(tmp_path), [orders])
    assert "customers" in str(refused.refused) and refused.load is None
    olist(tmp_path, "customers", "payments")
    (report,) = import_files(ws, [orders])
    assert report.load is not None and table(ws, "orders").sort("order_id")["gross_fen"].to_list() == [7742, 0]


WOO = ["Date", "Order #", "N. Revenue (formatted)", "Status", "Customer", "Customer type", "Product(s)", "Items sold", "Coupon(s)",
       "Net Sales", "Attribution"]  # fmt: skip


def test_woocommerce_orders_know_nobody_and_count_refunds_in_their_order(tmp_path: Path) -> None:
    text = as_csv(WOO, ["2024-03-06 09:00:00", 71, "-$5.00", "completed", "Ann Example", "returning", "", -1, "", -5, ""],
                  ["2024-03-05 14:21:33", 71, "$1,025.50", "completed", "Ann Example", "new", "2× Tote", 2, "", 20.5, "Direct"],
                  ["2024-03-05 15:00:00", 72, "$9.90", "pending", "ann example", "returning", "1× Tote, 1× Pin", 2, "", 9.9, ""],
                  ["2024-03-05 16:00:00", 73, "1.234,50 €", "refunded", "Bob", "new", "1× Pin", 1, "", 0, ""],
                  ["2024-03-05 17:00:00", 74, "free", "completed", "Bob", "new", "1× Pin", 1, "", 0, ""],
                  ["2024-03-05 18:00:00", 12, "-$8.00", "refunded", "Cy", "new", "", -1, "", -8, ""])  # fmt: skip
    report, ws = imported(tmp_path, text)
    assert report.source == "woocommerce.orders" and report.problems == {"refund_row": 1, "money": 1, "refund_alone": 1}
    orders = table(ws, "orders").sort("order_id")
    assert orders.select("gross_fen", "refund_fen", "status", "currency").rows() == [
        (102_550, 500, "done", "USD"), (0, 0, "unpaid", "USD"), (123_450, 123_450, "closed", "EUR")]  # fmt: skip
    assert orders["customer_key"].null_count() == 3 and report.notes["foreign_currency"] == 3
    assert orders["product_key"].is_null().to_list() == [False, True, False] and set(table(ws, "products")["title"]) == {
        "Tote",
        "Pin",
    }


@given(fen=st.integers(0, 10**11), sign=st.sampled_from(["$", "€", "R$ ", "zł", "CA$"]), german=st.booleans())
def test_amounts_mean_the_same_in_either_notation(fen: int, sign: str, german: bool) -> None:
    english = f"{fen // 100:,}.{fen % 100:02}"
    text = english.translate(str.maketrans(",.", ".,")) + f" {sign}" if german else sign + english
    assert amounts(pl.Series([text])).to_list() == [fen]


@pytest.mark.parametrize(
    ("text", "fen"),
    [("$25.00", 2500), ("1.234,50 €", 123_450), ("-£3", -300), ("¥1,200", 120_000), ("R$ 12,3", 1230), ("1 234,56 zł", 123_456)],
)
def test_amounts_with_their_signs(text: str, fen: int) -> None:
    assert amounts(pl.Series([text])).to_list() == [fen]


@pytest.mark.parametrize(
    ("constant", "says"),
    [('day = "2024-02-30"', "constants.day"), ('days = "2024-02-03"', "field in the mapping"), ("day = 3", "list of words")],
)
def test_a_constant_that_cannot_be_is_a_sentence(tmp_path: Path, constant: str, says: str) -> None:
    mapping = put(tmp_path, "m.toml", f'table = "reviews"\n[columns]\ntext = "review"\n[constants]\n{constant}\n')
    with pytest.raises(HuitouError, match=says):
        import_files(shop(tmp_path), [put(tmp_path, "r.csv", "review,stars\n好,5\n")], mapping=mapping)


def test_a_field_without_a_column_may_be_given_for_all_rows(tmp_path: Path) -> None:
    mapping = put(tmp_path, "m.toml", 'table = "reviews"\n[columns]\ntext = "review"\n[constants]\nday = "2024-02-03"\n')
    import_files(ws := shop(tmp_path), [put(tmp_path, "r.csv", "review,stars\n好,5\n差,1\n")], mapping=mapping)
    assert table(ws, "reviews")["day"].to_list() == [date(2024, 2, 3)] * 2


def test_every_source_says_what_is_peculiar_to_it_in_both_languages() -> None:
    silent = [s.id for s in BUILT_IN if not all(q.zh and q.en for q in getattr(s, "quirks", ())) or not getattr(s, "quirks", ())]
    assert silent == []
