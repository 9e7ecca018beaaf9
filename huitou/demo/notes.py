"""The README of the folder, in Chinese."""

from huitou.demo.world import SHOP, SLOW_COURIER, SLOW_REGION, Plan

_TEXT = """{shop} 演示数据（{first} 至 {last}）

店铺、人名、电话、地址、聊天、订单、评价全部是编造的，与任何真实的人和公司无关。

文件按平台导出的样子写：
  ExportOrderList*.csv        订单报表，每月一份，GBK；表头里有的列名后面带空格，平台就是这样导出的
  ExportOrderDetailList*.csv  子订单（宝贝）报表，每月一份，GBK，带商品ID
  退款_*.csv                  退款报表，GBK，没有买家昵称，只能用订单编号对
  旺旺聊天记录_客服_月份.txt  旧版客户端导出的聊天记录，GBK，每个客服每月一份
  即时消息_客服_日期.txt      另一种导出样子，UTF-8，一份是一段会话
  商品评价_*.csv              评价插件导出的评价，UTF-8
  生意参谋_流量_*.xlsx、.csv  每天的访客，表头在第 4 行
  truth.json                  埋进去的事实：谁、哪段会话、哪张订单、什么原因，只用来核对，不用导入

钱：已付款订单的「买家实际支付金额」已经减去退款（= 总金额 − 退款金额），不要再减一次。
埋了什么：4 位客服转化明显低、原因各不相同；云朗公文包常被问是不是真皮；发往{region}的{courier}慢一倍多；
活动前一周买的客户要求退差价；「我再看看」之后多数没有人跟进；好评里藏着不满；一部分订单没付款，聊天里说了原因。

本次共 {n} 个文件。
"""


def readme(plan: Plan, files: list[str]) -> str:
    """What is what in the folder."""
    return _TEXT.format(shop=SHOP, first=plan.first, last=plan.last, region=SLOW_REGION, courier=SLOW_COURIER, n=len(files))
