"""Tables of 赤兔 (a service performance tool): performance and workload, duty, conversations by the hour."""

from huitou.errors import Say
from huitou.sources.layout import headings
from huitou.sources.service_tables import Report, ServiceTables

_AGENTS = headings("""
    聊天人数 直接接入人数 转发接入人数 转出人数 询单->次日付款人数 询单->次日付款成功率 询单->最终下单人数
    询单->最终付款人数 询单->最终付款成功率 下单->最终付款成功率 邮费总额 手工折扣率 慢接待人数
    最大同时聊天数 全静默单本人跟进人数 协助跟进人数 协助下单人数 退款率 服务满意度评价参与率 客户满意率
    上班天数 长接待人数 客服答问比
""")

CHITU = ServiceTables(
    "chitu",
    "赤兔客服绩效表",
    "Service performance tables of 赤兔",
    (
        Report(
            "chitu.agents",
            _AGENTS,
            3,
        ),
        Report("chitu.duty", headings("平均上线时间 最早上线 最晚在线 总登录次数 在线总时长 服务总时长 挂起总时长"), 3),
        Report("chitu.hours", tuple(f"{hour}点" for hour in range(24)), 12),
    ),
    (
        Say("汇总、均值混在行里：各记各的范围", "totals and means stand among the rows: each keeps its scope"),
        Say(
            "同一个指标有多种写法（慢响应人数、慢接待人数；首次响应(秒)、首次响应时间）：统一成一种，原表头也留着",
            "one measure has several headings: they get one spelling, the heading as exported is kept too",
        ),
        Say("箭头有 -> 和 → 两种：算一种", "arrows are -> or →: the same"),
        Say(
            "没有日期列的表说不出是哪几天：内容不同就各存一行，不互相覆盖",
            "a table without a day does not say which days it is of: rows with other numbers stay beside each other",
        ),
        Say("只用来核对，从不参与计算", "kept to reconcile with, never computed from"),
    ),
)
