"""飞鸽_客服表现: what 抖店 says of each service account."""

from huitou.errors import Say
from huitou.sources.layout import headings
from huitou.sources.service_tables import Report, ServiceTables

_AGENTS = headings("""
    客服在线天数 接待会话量 待回复会话量 已接待人数 转出会话量 有效评价数 有效好评数 有效差评数 全天不满意率
    全天满意率 全天平响时长 全天首响时长 全天3分钟回复率 客服询单支付额 退款后销售额 询单转化率
""")

FEIGE = ServiceTables(
    "feige.service",
    "飞鸽客服表现",
    "Service performance of 飞鸽 (抖店)",
    (
        Report(
            "feige.agents",
            _AGENTS,
            4,
        ),
    ),
    (
        Say("店铺汇总值、店铺平均值混在行里：各记各的范围", "shop totals and means stand among the rows: each keeps its scope"),
        Say("没有日期列：内容不同就各存一行，不互相覆盖", "there is no day: rows with other numbers stay beside each other"),
        Say("只用来核对，从不参与计算", "kept to reconcile with, never computed from"),
    ),
)
