"""What must never survive in a stored text, and what must stay as the customer wrote it."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.sources.masking import TOKENS, mask

PHONE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
ID_CARD = st.builds(
    "{}{:04d}{:02d}{:02d}{}".format,
    st.integers(110000, 659999), st.integers(1930, 2015), st.integers(1, 12), st.integers(1, 28),
    st.from_regex(r"[0-9]{3}[0-9X]", fullmatch=True),
)  # fmt: skip
CARD = st.from_regex(r"[3-6][0-9]{12,18}", fullmatch=True)
EMAIL = st.from_regex(r"[a-z][a-z0-9._]{2,12}@[a-z0-9]{2,8}\.(com|cn|net)", fullmatch=True)
CHINESE = st.text(st.sampled_from("亲在吗我要这个包有货多少钱发快递给好的谢谢，。？！ 1234567890元号~:：\n"), max_size=30)


GAPS = [" ", "-", ".", "\u200b", "—", "  ", "\u3000"]
GROUPS = [(3, 7), (4, 8), (3,), (7,), (4, 7), (5,)]
DIGITS = ["０１２３４５６７８９", "零一二三四五六七八九", "〇壹贰叁肆伍陆柒捌玖"]


def masked(text: str) -> str:
    """One text through the column function."""
    return str(mask(pl.Series([text]))[0])


@given(st.lists(st.tuples(st.one_of(PHONE, ID_CARD, CARD, EMAIL), CHINESE, CHINESE), min_size=20, max_size=60))
@settings(max_examples=12, deadline=None)
def test_canaries_never_survive(planted: list[tuple[str, str, str]]) -> None:
    stored = mask(pl.Series([f"{before}{canary}{after}" for canary, before, after in planted]))
    assert [canary for (canary, _, _), text in zip(planted, stored, strict=True) if canary in text] == []


@given(PHONE)
@settings(max_examples=6, deadline=None)
def test_a_phone_in_groups_or_in_other_digits_is_found(phone: str) -> None:
    edges = [(0, *cuts, 11) for cuts in GROUPS]
    written = [gap.join(phone[a:b] for a, b in pairwise(edge)) for gap in GAPS for edge in edges]
    written += [phone.translate(str.maketrans("0123456789", digits)) for digits in DIGITS]
    stored = mask(pl.Series([f"我的手机 {number}，谢谢" for number in written]))
    assert set(stored) == {"我的手机 〔手机〕，谢谢"}


@pytest.mark.slow
@given(st.lists(st.lists(st.one_of(PHONE, CARD, EMAIL, CHINESE), max_size=5).map("，".join), min_size=20, max_size=40))
@settings(max_examples=6, deadline=None)
def test_masking_twice_changes_nothing(texts: list[str]) -> None:
    once = mask(pl.Series(texts))
    assert mask(once).to_list() == once.to_list()


EXAMPLES = [
    ("我电话13800138000", "我电话〔手机〕"),
    ("+86 138-0013-8000 在吗", "〔手机〕 在吗"),
    ("虚拟号18800001111-1234 打这个", "虚拟号〔手机〕 打这个"),
    ("座机0571-88886666", "座机〔电话〕"),
    ("身份证33010619900101123x", "身份证〔身份证〕"),
    ("330106 19900101 1234", "〔身份证〕"),
    ("老证330106900101123", "老证〔身份证〕"),
    ("卡号：6222 0212 3456 7890 123", "卡号：〔银行卡〕"),
    ("6222021234567890123", "〔银行卡〕"),
    ("发我邮箱 zhang.san@example.com 吧", "发我邮箱 〔邮箱〕 吧"),
    ("加我微信 zhang_san88", "加我微信 〔微信〕"),
    ("vx:abcdef123", "vx:〔微信〕"),
    ("QQ号是12345678", "QQ号是〔微信〕"),
    ("订单号 3216549871234567890 到哪了", "订单号 〔订单号〕 到哪了"),
    ("3216549871234567", "〔订单号〕"),
    ("SF1234567890123 查一下", "〔运单号〕 查一下"),
    ("快递单号是432112345678", "快递单号是〔运单号〕"),
    ("寄到浙江省杭州市余杭区文一西路969号3栋2单元501室", "寄到〔地址〕"),
    ("地址：杭州市西湖区某某路1号，别放门口", "地址：〔地址〕，别放门口"),
    ("收件人：王小二 13800138000", "收件人：〔姓名〕 〔手机〕"),
    ("收货人王小二，别写错", "收货人〔姓名〕，别写错"),
    ("https://item.taobao.com/item.htm?spm=a.b&id=612345678901 这款", "〔商品链接〕 这款"),
]


def test_each_kind_has_its_token() -> None:
    assert [(text, masked(text)) for text, _ in EXAMPLES] == EXAMPLES


UNTOUCHED = """在吗
这款包包是真皮的吗？
199元包邮吗
满300减50，第二件8折
能不能便宜20块，180我就拍了
我身高175体重140斤穿多大
有130 140 150 160码吗
尺码110-120-130-140都有货
尺寸38*28*12cm，能装15.6寸电脑
重量1.25kg，厚度12.5mm
今天16:30前拍下当天发
2025-11-11 20:00:00 开始付定金
6月18号零点有活动吗
2025年5月1日买的
我等双11再买
8:00-23:00在线
发江苏省苏州市要几天到
北京市朝阳区能送到吗
新疆西藏不包邮的哦
发顺丰还是中通
申通快递太慢了
快递到哪了
我的单号发我一下
订单什么时候发货
帮我改一下地址
地址写错了怎么办
收货地址能改吗
收件人写错了
手机号能改吗
电话联系不上快递员
微信支付可以吗
支持微信、支付宝付款
QQ糖多少钱一斤
加V是什么意思
这个多少钱一个，要100个
批发1000个什么价
库存还有12345件
容量20000毫安的
5000毫安时电池，6.8英寸屏
1080*2388像素，4800万像素
型号M2102J2SC有吗
货号A12345有没有
规格12345-67
比隔壁店贵了30
色号#201和#305哪个好看
买2送1，买3送2
0.5折是真的吗
1/2的尺寸
3楼自提可以吗
有一座城市叫杭州
第3单元讲什么
一二三四五，上山打老虎
666厉害
好的呢~谢谢亲
^_^ 您好，欢迎光临
退货要多少运费？12还是15
99.9%棉
@客服 在不在
密码锁初始密码是000
已经拍下，请尽快发货
先生，我考虑一下
400克和500克差多少
A4纸放得下吗
保修12个月，30天无理由
""".splitlines()


def test_ordinary_sentences_stay() -> None:
    assert len(UNTOUCHED) >= 60
    assert mask(pl.Series(UNTOUCHED)).to_list() == UNTOUCHED


def test_a_column_keeps_its_length_nulls_and_input() -> None:
    texts = pl.Series("t", ["在吗", None, "打13800138000", ""])
    assert mask(texts).to_list() == ["在吗", None, "打〔手机〕", ""]
    assert texts[2] == "打13800138000"
    assert len(set(TOKENS)) == len(TOKENS)
