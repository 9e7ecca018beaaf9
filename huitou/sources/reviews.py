"""Reviews: the CSV of review plug-ins and the dated scrape of a listing's reviews. There is no official export."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources import cells
from huitou.sources.buyers import Buyers
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, Shaped, read_table

_DAY = ("日期", "评价日期", "评价时间", "time", "rateDate")

LAYOUT = Layout(
    fields=(
        Field("text", "prose", ("评论内容", "评价内容", "初次评价", "content", "rateContent"), needed=True),
        Field("day", "date", _DAY, needed=True, filled=True),
        Field("day_text", "text", _DAY),
        Field("append_text", "prose", ("追加评论", "追评", "appendComment")),
        Field("rating", "text", ("评分", "评价等级", "rate")),
        Field("sku", "text", ("SKU", "规格", "商品属性")),
        Field("nick", "code", ("用户昵称", "买家昵称", "username", "displayUserNick")),
        Field("reply_text", "prose", ("商家回复", "reply")),
        Field("order_id", "id", ("订单号", "订单编号")),
    ),
    telling=("评论内容|评价内容|content|rateContent|初次评价", "|".join(_DAY), "用户昵称|买家昵称|username|评分"),
    ignored=headings("""
        平台 主评ID appendTime appendDays pics
    """),
)  # fmt: skip

DEFAULT_TEXTS = headings("""
    此用户没有填写评价 该用户没有填写评价 此用户未填写评价 该用户未填写评价 此用户没有填写评论 该用户没有填写评论
    评价方未及时做出评价,系统默认好评 评价方未及时做出评价，系统默认好评 系统默认好评 默认好评 系统默认评价
""")
"""What the platform writes for customers who wrote nothing (without the closing mark)."""

_GOOD, _MID, _BAD = ("好评", "好", "good"), ("中评", "中", "mid"), ("差评", "差", "bad")
_DATE_AND_SKU = r"^.+?\s+[·・]\s*(.*)$"


class Reviews:
    """Reviews of a shop or of one listing."""

    id = "reviews"
    zh = "评价"
    en = "Reviews (plug-in CSV, dated scrape)"
    main = "reviews"
    feeds = ("reviews",)
    layout = LAYOUT
    quirks = (
        Say(
            "平台没有官方导出：认插件导出的 CSV 和按日期抓下来的表",
            "there is no official export: the CSV of plug-ins and dated scrapes are known",
        ),
        Say(
            "日期一栏可能是「2025年2月5日 · 规格」",
            "the date may come with the variant: «2025年2月5日 · …»",
        ),
        Say(
            "「此用户没有填写评价」是平台写的，不算客户的话",
            "what the platform writes for silent customers does not count as their words",
        ),
        Say(
            "昵称带星号：认不出是谁，但两个人的同一句话不算重复",
            "masked nicks name nobody, yet keep equal reviews of two people apart",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the reviews. Raises FileRefused."""
        return read_table(head, LAYOUT, context, shaping(context))


def shaping(context: Context) -> Shape:
    """What makes reviews of the typed rows of one file."""
    return partial(shape, Buyers(context))


def shape(buyers: Buyers, rows: pl.DataFrame) -> Shaped:
    """Typed rows → reviews."""
    settings = buyers.context.settings
    ordered = rows["order_id"].is_not_null().any()  # plug-ins name no order, the seller's page does
    score, rating, unrated = ratings(rows["rating"])
    default = is_default(rows["text"])
    customers = buyers.keys(rows["nick"])
    reviews = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        *([key_column(rows["order_id"], settings.platform, settings.shop, "order").alias("order_key")] if ordered else []),
        customers.alias("customer_key"),
        buyers.prints(rows["nick"], customers).alias("author_key"),
        pl.col("sku").fill_null(rows["day_text"].str.extract(_DATE_AND_SKU)).alias("sku"),
        pl.col("day"),
        rating.alias("rating"),
        score.alias("score"),
        mask(rows["text"].fill_null("")).alias("text"),
        mask(rows["append_text"]).alias("append_text"),
        mask(rows["reply_text"]).alias("reply_text"),
        default.alias("default_text"),
        pl.col("row"),
    )
    return Shaped({"reviews": reviews}, [], {"default_text": int(default.sum()), "unknown_rating": unrated})


def is_default(text: pl.Series) -> pl.Series:
    """True for what the platform wrote, and for nothing at all."""
    bare = text.fill_null("").str.strip_chars(" 。.!！~")
    return bare.is_in(DEFAULT_TEXTS) | (bare == "")


def ratings(text: pl.Series) -> tuple[pl.Series, pl.Series, int]:
    """Stars 1 to 5 and good, mid or bad of 好评/中评/差评 or of a number of stars; how many were neither."""
    stars = cells.count(text.str.replace(r"\s*[星分]$", "")).values
    stars = stars.set(~stars.is_between(1, 5).fill_null(True), None)
    words = dict.fromkeys(_GOOD, "good") | dict.fromkeys(_MID, "mid") | dict.fromkeys(_BAD, "bad")
    spoken = text.replace_strict(words, default=None, return_dtype=pl.String)
    of_stars = stars.replace_strict({5: "good", 4: "good", 3: "mid", 2: "bad", 1: "bad"}, default=None, return_dtype=pl.String)
    rating = spoken.fill_null(of_stars)
    return stars, rating, int((text.is_not_null() & rating.is_null()).sum())
