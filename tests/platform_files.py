"""Exports of JD, 拼多多 and 抖店 in their platforms' exact form: whole headers, invented rows."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import xlsxwriter


def columns(names: str) -> list[str]:
    """Headings written as one text with commas."""
    return names.split(",")


JD_ORDERS = columns(
    "订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,"
    "订单类型,下单帐号,客户姓名,客户地址,联系电话,订单备注,发票类型,发票抬头,发票内容,商家备注,"
    "商家备注等级（等级1-5为由高到低）,运费金额,付款确认时间,增值税发票,货号,订单完成时间,订单来源,订单渠道,送装服务,"
    "服务费,仓库id,仓库名称,商家SKUID"
)
JD_SESSIONS = columns(
    "咨询时间,顾客,咨询类型,客服,转接后客服,技能组,商品编号,商品名称,首次响应时间,新平均响应时间(S),会话时长(M),"
    "客户消息数,客服消息数,满意度,是否解决,cid"
)
JD_COMPENSATION = columns("店铺名称,申请时间,赔付单号,关联订单号,关联服务单号,赔付金额,赔付原因,赔付状态,申请人")
PDD_ORDERS = columns(
    "商品,订单号,订单状态,商品总价(元),店铺优惠折扣(元),平台优惠折扣(元),邮费(元),上门安装费(元),"
    "送货入户费(元),送货入户并安装费(元),用户实付金额(元),商品数量(件),身份证姓名,身份证号码,收货人,手机,"
    "是否异常,省,市,区,街道,支付时间,拼单成功时间,订单确认时间,承诺发货时间,发货时间,确认收货时间,商品id,商品规格,"
    "用户购买手机号,样式ID,商家编码-SKU维度,商家编码-商品维度,快递单号,快递公司,海淘清关订单号,支付ID,支付方式,"
    "是否抽奖或0元试用,是否顺丰加价,商家备注,售后状态,买家留言,关联货品编码,货品名称,货品类型,子货品,仓库名称,"
    "仓库所在地址,是否门店自提,门店名称,门店自定义编码,旅行类信息"
)
PDD_ORDERS_NEW = [
    *(h for h in PDD_ORDERS if h not in ("支付时间", "拼单成功时间", "订单确认时间", "街道")), "街道/镇", "商家实收金额(元)",
    "多多支付立减金额(元)", "订单成交时间", "是否审核中", "预约配送时间", "是否分期", "分期期数", "手续费承担方", "是否无痕发货",
    "订单来源", "是否社区团购", "是否直播间成交", "集运类型",
]  # fmt: skip
PDD_REFUNDS = columns(
    "售后编号,订单编号,商品名称,商品id,交易金额(元),退款金额(元),售后状态,售后类型,售后原因,申请时间,"
    "同意退款时间,退货运单号,快递拦截状态,运费补偿状态"
)
DOUYIN_ORDERS = columns(
    "主订单编号,子订单编号,选购商品,商品规格,商品数量,商品ID,商家编码,商品单价,订单应付金额,运费,优惠总金额,"
    "平台优惠,商家优惠,达人优惠,商家改价,支付优惠,红包抵扣,支付方式,手续费,收件人,收件人手机号,省,市,区,街道,"
    "详细地址,是否修改过地址,地址修改时段,买家留言,订单提交时间,旗帜颜色,商家备注,订单完成时间,支付完成时间,APP渠道,"
    "流量来源,订单状态,承诺发货时间,订单类型,鲁班落地页ID,达人ID,达人昵称,所属门店ID,售后状态,取消原因,"
    "预约发货时间,仓库ID,仓库名称,是否安心购,广告渠道,流量类型,流量体裁,流量渠道,发货主体,发货主体明细,发货时间,"
    "降价类优惠,平台实际承担优惠金额,商家实际承担优惠金额,达人实际承担优惠金额,预计送达时间,是否平台仓自流转,车型,"
    "商品69码,发货SN码,发货IMEI码1,发货IMEI码2,预约送达时间,建议发货时间（起）,建议发货时间（止）,"
    "物流SN码,物流IMEI码1,物流IMEI码2"
)
_NOT_IN_75 = ("商品规格", "商品单价", "地址修改时段", "商品69码", "发货SN码", "发货IMEI码1", "发货IMEI码2", "物流SN码", "物流IMEI码1",
              "物流IMEI码2")  # fmt: skip
DOUYIN_ORDERS_75 = [
    *(h for h in DOUYIN_ORDERS if h not in _NOT_IN_75), "货号", "商品金额", "快递信息", "序列号", "拼团订单团编号", "税费", "教育优惠",
    "是否是以旧换新", "换新额外补贴", "换新额外补贴发放状态", "商品单价是否含税", "是否是渠道商品",
]  # fmt: skip
DOUYIN_REFUNDS = columns(
    "售后单号,订单号,商品单号,商品名称,商品ID,应付金额（元）,商品运费（元）,支付优惠（元）,商品税费（元）,"
    "商品发货状态,售后类型,退商品金额（元）,退运费金额（元）,退支付优惠（元）,退税费金额（元）,售后状态,售后申请时间,"
    "退款方式,是否已上传退款凭证,售后原因,售后原因标签,退货物流单号,退货异常,退货发货时间,退货物流公司,自动处理截止时间,"
    "同意售后申请时间,商家退款时间,用户到账时间,售后关闭时间,商家退货地址,商家退货联系人姓名,商家退货联系人电话,仲裁状态,"
    "纠纷责任方,是否极速退款,是否拒签后退款,发货物流单号,发货物流状态,换货物流单号,退货物流状态,售后完结时间,订单备注,"
    "用户售后说明,售后备注,操作人,协商记录,换货商品信息,商家编码,门店名称"
)

Rows = Iterable[Mapping[str, object]]


def csv_text(header: list[str], rows: Rows, blank: str = "") -> str:
    """A CSV; what a row does not say is `blank`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval=blank, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_csv(file: Path, header: list[str], rows: Rows, *, encoding: str = "utf-8", blank: str = "") -> Path:
    """The same in a file."""
    file.write_bytes(csv_text(header, rows, blank).encode(encoding))
    return file


def write_xlsx(file: Path, header: list[str], rows: Rows) -> Path:
    """A workbook of texts."""
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Sheet1")
        for number, cells in enumerate([header, *([str(row.get(h, "")) for h in header] for row in rows)]):
            sheet.write_row(number, 0, cells)
    return file


def jd_order(number: int, goods: int, **more: object) -> dict[str, object]:
    """A row of a JD order: paid and done unless told otherwise."""
    return {
        "订单号": number, "商品ID": goods, "商品名称": f"青麓单肩包{goods}", "订购数量": 1, "支付方式": "在线支付",
        "下单时间": "2025-03-01 10:00:00", "京东价": "100.00", "订单金额": "100.00", "结算金额": "90.00", "余额支付": "0.00",
        "应付金额": "90.00", "订单状态": "完成", "订单类型": "销售订单", "下单帐号": "jd_fish08", "客户姓名": "周一",
        "客户地址": "浙江杭州市余杭区某路1号", "联系电话": "13800000001", "运费金额": "0.00", "付款确认时间": "2025-03-01 10:00:30",
        "订单完成时间": "2025-03-05 09:00:00", "订单来源": "移动端订单", "订单渠道": "暂无来源",
    } | more  # fmt: skip


def jd_session(buyer: str, at: str, cid: str, **more: object) -> dict[str, object]:
    """A row of JD's session list."""
    return {
        "咨询时间": at, "顾客": buyer, "咨询类型": "售前", "客服": "青麓-小禾", "商品编号": "900001", "商品名称": "青麓单肩包",
        "首次响应时间": at, "新平均响应时间(S)": "12.5", "会话时长(M)": "4.2", "客户消息数": 2, "客服消息数": 2, "满意度": "未评价",
        "是否解决": "", "cid": cid,
    } | more  # fmt: skip


def jd_log(*sessions: list[tuple[str, str, str]], ends: bool = True, end: str = "\r\n") -> str:
    """A 咚咚 log of sessions of (sender, time, text)."""
    lines: list[str] = []
    for said in sessions:
        lines.append("/*****************以下为一通会话************************************/")
        for sender, at, text in said:
            lines += [f"{sender} {at}\t", text, ""]
        if ends:
            lines.append(f"/*****************会话结束_时间: {said[-1][1]}*****************/")
    return end.join(lines) + end


def pdd_order(number: str, paid: str, **more: object) -> dict[str, object]:
    """An order of 拼多多, received, without after-sale; blanks are tabs in the file."""
    return {
        "商品": "青麓卡包", "订单号": number, "订单状态": "已收货", "商品总价(元)": "60.00", "店铺优惠折扣(元)": "5.00",
        "平台优惠折扣(元)": "3.00", "邮费(元)": "0.00", "用户实付金额(元)": "52.00", "商品数量(件)": 2, "收货人": "\t", "手机": "\t",
        "省": "广东省", "市": "深圳市", "支付时间": paid, "拼单成功时间": paid, "订单确认时间": paid, "发货时间": "\t",
        "确认收货时间": "\t", "商品id": "700001", "商品规格": "黑色", "快递公司": "中通快递", "支付方式": "微信支付",
        "售后状态": "无售后或售后取消",
    } | more  # fmt: skip


def pdd_refund(number: str, order: str, **more: object) -> dict[str, object]:
    """An after-sale case of 拼多多: money back, goods stay."""
    return {
        "售后编号": number, "订单编号": order, "商品名称": "青麓卡包", "商品id": "700001", "交易金额(元)": "52.00",
        "退款金额(元)": "10.00", "售后状态": "退款成功", "售后类型": "仅退款", "售后原因": "质量问题", "申请时间": "2025-03-04 08:00:00",
        "同意退款时间": "2025-03-04 09:00:00",
    } | more  # fmt: skip


def douyin_order(main: str, sub: str, **more: object) -> dict[str, object]:
    """A sub-order of 抖店: paid, shipped and done; cells padded with tabs."""
    return {
        "主订单编号": f"\t{main}", "子订单编号": f"\t{sub}", "选购商品": "\t青麓双肩包", "商品规格": "\t黑色", "商品数量": 1,
        "商品ID": "\t800001", "商家编码": "\tA1", "商品单价": "1,299.00", "商品金额": "1,299.00", "订单应付金额": "1,200.00", "运费": "0.00",
        "优惠总金额": "99.00", "平台优惠": "0.00", "商家优惠": "店铺券-99.00", "支付优惠": "5.00", "支付方式": "抖音支付",
        "收件人": "##密文", "收件人手机号": "$$密文", "省": "浙江省", "市": "杭州市", "详细地址": "##密文",
        "订单提交时间": "2025-03-02 20:00:00", "订单完成时间": "2025-03-08 09:00:00", "支付完成时间": "2025-03-02 20:00:45",
        "订单状态": "已完成", "售后状态": "-", "发货时间": "2025-03-03 09:00:00", "快递信息": "SF0000000000-顺丰速运",
        "平台实际承担优惠金额": "0.00", "商家实际承担优惠金额": "99.00",
    } | more  # fmt: skip


def douyin_refund(number: str, order: str, **more: object) -> dict[str, object]:
    """An after-sale case of 抖店: goods and money go back."""
    return {
        "售后单号": f"\t{number}", "订单号": f"\t{order}", "商品单号": f"\t{order}", "商品名称": "青麓双肩包", "商品ID": "\t800001",
        "应付金额（元）": "1,200.00", "售后类型": "退货退款", "退商品金额（元）": "1,200.00", "退运费金额（元）": "0.00",
        "退支付优惠（元）": "-5.00", "售后状态": "同意退款，退款成功", "售后申请时间": "2025-03-09 10:00:00", "售后原因": "质量问题",
        "售后完结时间": "2025-03-12 10:00:00", "用户售后说明": "开线了，电话13800000009", "纠纷责任方": "-",
    } | more  # fmt: skip
