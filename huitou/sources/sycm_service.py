"""Service insight of 生意参谋 (服务洞察): inquiries, reception, basket, reception reviews, sales by account."""

from huitou.errors import Say
from huitou.sources.layout import headings
from huitou.sources.service_tables import Report, ServiceTables

SYCM_SERVICE = ServiceTables(
    "sycm.service",
    "生意参谋服务洞察",
    "Service insight of 生意参谋",
    (
        Report(
            "sycm.inquiry",
            headings("当日询单人数 当日付款人数 当日付款金额 最终付款人数 最终付款金额 询单当日付款转化率 询单最终付款转化率"),
            3,
        ),
        Report(
            "sycm.reception",
            headings(
                "有效接待人数 3分钟人工响应率 咨询客服人次 客服回复人次 客服未回复人次 旺旺回复率 买家发起人数 客服主动跟进人数"
            ),
            3,
        ),
        Report("sycm.basket", headings("销售额 销售量 销售人数 客单价 客件数 件均价"), 5),
        Report("sycm.reviews", headings("发出 收到 很满意 满意 一般 不满 很不满 发送率 返回率 满意率 服务度"), 5),
        Report("sycm.agents", headings("有效接待人数 下单人数 下单金额 销售人数 销售量 订单量 个人销售额占比"), 5),
    ),
    (
        Say("文件名里的日期是下载日，不是数据的日期：不用它", "the date in the file's name is the day of download: not used"),
        Say(
            "汇总值、平均值、全店汇总值、同行同层均值混在行里：各记各的范围",
            "totals, means and peers' means stand among the rows: each keeps its scope",
        ),
        Say(
            "比率有时写 0.625，有时写 62.5：文件里有一个大于 1 就都是百分数",
            "rates are 0.625 or 62.5: one above 1 makes all of the file per cent",
        ),
        Say("接待评价有两行表头：表头写成「邀请-满意率」", "reception reviews have two header rows: a heading is «邀请-满意率»"),
        Say("括号全角半角混用：不影响", "brackets of both widths are mixed: no matter"),
        Say("只用来核对，从不参与计算", "kept to reconcile with, never computed from"),
    ),
)
