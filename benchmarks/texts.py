"""Chat messages and reviews in any number, from parts that people really type: for benchmarks of speed only.

Three mixes: ``distinct``, of which nearly every text is a different one; ``repeated``, in which a third is one of a few hundred
greetings, set phrases and quick replies, as in a shop's history; and, where ``../shared/data`` is there, ``real`` texts.
"""
# ruff: noqa: SIM905  (words with spaces between are easier to read than words in quotes)

from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
_WHO = "亲 亲亲 你好 您好 老板 掌柜 客服 在吗 hello 请问 那个 麻烦问下 小姐姐 哎".split()
_THING = (
    "这件毛衣 那双运动鞋 M码的裙子 这个充电宝 三人沙发 婴儿推车 狗粮 洗地机 这款面霜 蓝牙耳机 四件套 行李箱 白茶 腊肠 键盘 帐篷 台灯 "
    "电饭煲 防晒衣 保温杯 猫爬架 钓竿 口红 净水器 儿童手表 羽绒服 书架 耳钉 奶粉 雨刷".split()
)
_ASKS = (
    "是正品吗 会不会掉色 太贵了吧 能便宜点吗 有没有优惠券 什么时候发货 今天能发不 包邮吗 到新疆多少运费 我165穿什么码 有现货没 "
    "别家才卖一半的价 送不送赠品 质量怎么样 会起球吗 可以开发票吗 下不了单 付不了款 怎么还没到 能改地址吗 我想退货 少发了一件 "
    "尺码偏小 跟图片色差大不大 双十一会不会降价 保价多久 我再看看 考虑一下 等发工资再买 没有人工吗 回复太慢了 帮我催一下快递 "
    "发什么快递 保质期到什么时候 能用几年 有异味 收到是坏的 怎么安装 支持七天无理由吗 颜色还有别的吗".split()
)
_SAYS = (
    "亲 现货的今天拍今天发哦 | 放心拍 假一赔十 | 这款是活动价了 不能再少了呢 | 建议您拍大一码 | 满99包邮的亲 | 可以领店铺券再减5元 | "
    "一般三天左右到 | 已经帮您催了 | 抱歉久等了 | 祝您生活愉快 | 喜欢的话早点下单哦 | 这边帮您备注好了 | 您可以看下详情页 | 推荐这款卖得最好"
).split(" | ")
_MORE = "谢谢 麻烦了 急 在线等 好的 嗯嗯 哈哈 [表情] ~ 。。。 哦 呢 呀 😂 吧 了 嘛".split()
_SET = "好的 嗯 嗯嗯 谢谢 在吗 你好 您好，欢迎光临，请问有什么可以帮您 好的亲 哦 ok 多少钱 亲 在的 收到 不客气 ？ [图片] 好 是的 拜拜".split()
_PRAISE = (
    "质量很好 物流很快 客服态度不错 面料舒服 颜色正 性价比高 包装严实 孩子喜欢 尺寸合适 做工精细 味道不错 很好用 回购了 值得推荐 "
    "安装简单 发货速度快 跟描述一样 手感柔软 音质清晰 续航给力".split()
)
_BLAME = (
    "就是有点味道 线头很多 快递太慢 客服爱理不理 掉色严重 尺码偏小 跟图片差太远 用了两天就坏了 包装破了 少发一件 买完就降价 不值这个价 "
    "没有赠品 起球 有划痕 临近保质期 退货还要自己出运费 安装师傅态度差 充不进电 屏幕有坏点".split()
)
_TURN = "，但是 ，不过 ，就是 。 ， ！ ，而且 ，可惜 ；".split()


def _pick(dice: np.random.Generator, words: list[str], n: int) -> pl.Series:
    return pl.Series(words).gather(dice.integers(0, len(words), n))


def messages(n: int, mix: str, seed: int = 1) -> pl.Series:
    """`n` messages, about 20 characters each."""
    if mix == "real":
        return pl.read_parquet(DATA / "jddc_chats" / "chat_dev.parquet")["text"]
    dice = np.random.default_rng(seed)
    number = pl.Series(dice.integers(1, 10_000_000, n)).cast(pl.String)
    parts = pl.DataFrame(
        {
            "who": _pick(dice, _WHO, n), "thing": _pick(dice, _THING, n), "ask": _pick(dice, _ASKS, n), "says": _pick(dice, _SAYS, n),
            "more": _pick(dice, _MORE, n), "number": number, "kind": dice.integers(0, 4, n), "set": _pick(dice, _SET, n),
            "same": dice.random(n) < (0.35 if mix == "repeated" else 0.0),
        }
    )  # fmt: skip
    text = (
        pl.when("same").then("set")
        .when(pl.col("kind") == 0).then(pl.concat_str("who", pl.lit(" "), "thing", "ask", "number"))
        .when(pl.col("kind") == 1).then(pl.concat_str("thing", pl.lit("第"), "number", pl.lit("个链接 "), "ask", "more"))
        .when(pl.col("kind") == 2).then(pl.concat_str("says", pl.lit(" "), "thing", pl.lit("编号"), "number"))
        .otherwise(pl.concat_str("ask", pl.lit("，"), "thing", "more", pl.lit(" "), "number"))
    )  # fmt: skip
    return parts.select(text.alias("text")).to_series()


def reviews(n: int, mix: str, seed: int = 2) -> pl.Series:
    """`n` reviews, about 45 characters each."""
    if mix == "real":
        return pl.read_parquet(DATA / "reviews_polarity" / "online_shopping_10_cats_dev.parquet")["review"].fill_null("")
    dice = np.random.default_rng(seed)
    both = [*_PRAISE, *_BLAME]
    columns: dict[str, pl.Series] = {}
    for part in range(5):
        columns[f"said{part}"] = _pick(dice, both, n)
        columns[f"turn{part}"] = _pick(dice, _TURN, n)
    columns |= {"thing": _pick(dice, _THING, n), "number": pl.Series(dice.integers(1, 10_000_000, n)).cast(pl.String)}
    said = pl.concat_str(
        "thing", *(f"{name}{part}" for part in range(5) for name in ("said", "turn")), pl.lit("第"), "number", pl.lit("次买")
    )
    default = pl.Series(dice.random(n) < (0.2 if mix == "repeated" else 0.0))
    return (
        pl.DataFrame(columns)
        .select(pl.when(default).then(pl.lit("此用户没有填写评价。")).otherwise(said).alias("text"))
        .to_series()
    )
