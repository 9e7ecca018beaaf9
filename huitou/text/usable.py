"""Which review texts say something: those of the platform, of templates and of nobody in particular are set aside by class."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl

EMPTY, DEFAULT, SIGNS, SHORT, COPY, SERVICE, USABLE = (
    "empty_text",
    "default_positive",
    "punctuation_only",
    "too_short_generic",
    "template_duplicate",
    "service_only",
    "usable",
)
SILENT = (EMPTY, DEFAULT, SIGNS)
_AT_ONCE = 6_144
_COPIES = 3  # equal long texts in one stretch of reviews
_LONG = 12  # characters from which equal texts are copies and no coincidence
_DEFAULTS = (
    r"^(此|该)?(用户|买家|顾客|会员)?(没有|未)(填写|及时|做出|发表|写)(任何)?(评价|评论|文字评价|内容|文字)"
    r"|系统默认(好评|评价)|默认(好评|评价)$|^评价方未及时(做出)?评价|^(未填写|无)(评价|评论)内容?$"
    r"|^买家没有(填写|写)|^(nocomment|noreviewtext)"
)
_NO_SIGN = r"[^\p{L}\p{N}]+"
_GENERIC = (
    r"^(非常|很|挺|特别|超级?|真的?|还|蛮|太|都|也|一直|确实|比较|东西|宝贝|商品|产品|质量|整体|总体|感觉|用着|给|的|了|啊|哦|呢|吧|哈|呀|啦|嗯|"
    r"好评?|不错|可以|喜欢|满意|棒|赞|行|ok|good|nice|great|五星|5星|五分|满分|一般|凑合|收到|已收到|货|已|差评?|中评|hao|h|666+|1+)+$"
)
_SERVICE = r"客服|店家|卖家|老板|商家|掌柜|店主|服务|态度|小姐姐|小哥|快递员|亲"
_GOODS = (
    r"质量|做工|包装|颜色|款|尺码|大小|味|效果|好用|好吃|好看|漂亮|面料|价格|便宜|实惠|物流|快递|发货|到货|东西|宝贝|产品|商品|衣服|裤|鞋|包|机|屏|"
    r"吃|喝|穿|用|洗|装|书|水果|苹果|房间|手感|新鲜|正品|性价比"
)


def text_classes(texts: pl.Series) -> pl.Series:
    """The class of each text: `USABLE`, or why it tells nothing of the goods. Copies are counted within these texts."""
    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(_bare, (texts.slice(at, _AT_ONCE) for at in range(0, len(texts), _AT_ONCE)))
        frame = pl.concat([_bare(texts.clear()), *parts])
    bare, length = pl.col("bare"), pl.col("bare").str.len_chars()
    copies = (length >= _LONG) & (pl.len().over("bare") >= _COPIES)
    generic = (length <= 1) | ((length <= _LONG) & bare.str.contains(_GENERIC))
    service = (length <= 30) & bare.str.contains(_SERVICE) & ~bare.str.contains(_GOODS)
    kind = (
        pl.when(pl.col("t") == "").then(pl.lit(EMPTY))
        .when(bare.str.contains(_DEFAULTS)).then(pl.lit(DEFAULT))
        .when(length == 0).then(pl.lit(SIGNS))
        .when(copies).then(pl.lit(COPY))
        .when(generic).then(pl.lit(SHORT))
        .when(service).then(pl.lit(SERVICE))
        .otherwise(pl.lit(USABLE))
    )  # fmt: skip
    return frame.select(kind.alias("usable")).to_series()


def _bare(texts: pl.Series) -> pl.DataFrame:
    """Texts without spaces around them (t), and without all that is no letter and no digit (bare)."""
    trimmed = pl.col("t").fill_null("").str.strip_chars()
    frame = texts.alias("t").to_frame().select(t=trimmed)
    return frame.with_columns(bare=pl.col("t").str.replace_all(_NO_SIGN, "").str.to_lowercase())
