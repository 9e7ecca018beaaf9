"""The province of an address: as fine as anything about a customer's place ever gets."""

import polars as pl

from huitou.sources.keys import each_once
from huitou.sources.layout import headings

PROVINCES = headings("""
    北京 天津 上海 重庆 河北省 山西省 辽宁省 吉林省 黑龙江省 江苏省 浙江省 安徽省 福建省 江西省 山东省 河南省 湖北省
    湖南省 广东省 海南省 四川省 贵州省 云南省 陕西省 甘肃省 青海省 台湾省 内蒙古自治区 广西壮族自治区 西藏自治区
    宁夏回族自治区 新疆维吾尔自治区 香港特别行政区 澳门特别行政区
""")
"""First-level units as Taobao writes them."""

_BY_START = {name[:2]: name for name in PROVINCES}  # two characters tell them all apart


def province(address: pl.Series) -> pl.Series:
    """The province that an address begins with; null where it begins with none."""
    return each_once(address, _province)


def _province(address: pl.Series) -> pl.Series:
    return address.str.slice(0, 2).replace_strict(_BY_START, default=None, return_dtype=pl.String)
