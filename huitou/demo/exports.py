"""Rows and headers exactly as the platforms write them."""

from datetime import date

from huitou.demo.orders import Order, Refund
from huitou.demo.reviews import Review, review_day
from huitou.demo.world import SHOP, full_title, stamp, yuan


def _columns(header: str) -> list[str]:
    """The columns of a header line; trailing spaces are the platform's own."""
    return header.split(",")


ORDER_HEADER = _columns(
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,"
    "买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,"
    "宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,"
    "发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,是否上传合同照片,是否上传小票,是否代付,定金排名,修改后的sku,"
    "修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易,新零售交易类型,新零售导购门店名称,"
    "新零售导购门店id,新零售发货门店名称,新零售发货门店id,退款金额,预约门店,确认收货时间,打款商家金额,"
    "含应开票给个人的个人红包"
)
LINE_HEADER = _columns(
    "子订单编号,主订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码,支付单号,"
    "买家应付货款,买家实际支付金额,退款状态,退款金额,订单创建时间,订单付款时间,商品ID,商家备注,物流单号,物流公司"
)
REFUND_HEADER = _columns(
    "订单编号,退款编号,支付宝交易号,订单付款时间,商品编码,退款完结时间,买家实际支付金额,宝贝标题,买家退款金额,"
    "手工退款/系统退款,是否需要退货,退款的申请时间,超时时间,退款状态,货物状态,退货物流信息,发货物流信息,客服介入状态,"
    "卖家真实姓名,卖家真实姓名(新),卖家退货地址,卖家邮编,卖家电话,卖家手机,退货物流单号,退货物流公司,买家退款原因,"
    "买家退款说明,买家退货时间,责任方,售中或售后,商家备注,完结时间,部分退款/全部退款,审核操作人,举证超时,"
    "是否零秒响应,退款操作人,退款原因标签,业务类型,是否帮他退款,帮他退款操作账号"
)
REVIEW_HEADER = _columns("评论内容,追加评论,评分,日期,SKU,用户昵称,商家回复,平台")
TRAFFIC_HEADER = _columns(
    "统计日期,访客数,浏览量,老访客数,新访客数,跳失率,人均停留时长(秒),支付金额,支付买家数,支付转化率,下单买家数,"
    "下单转化率,客单价,老买家数,新买家数,售中申请退款金额,售中申请退款买家数,描述相符评分,服务态度评分,物流服务评分,"
    "PC端访客数,PC端浏览量,无线端访客数,无线端浏览量"
)
_CLOSED = {
    "wrong_item": "信息填写错误，重新拍",
    "balance": "付款遇到问题（如余额不足、不知道怎么付款等）",
    "payment_trouble": "付款遇到问题（如余额不足、不知道怎么付款等）",
    "cheaper_elsewhere": "我不想买了",
    "hesitating": "我不想买了",
}
_TIMED_OUT = "没有及时付款,系统自动关闭交易"


def order_row(order: Order, exported_at: int) -> list[str]:
    """One row of ExportOrderList; paid money is net of refunds, as the platform writes it."""
    buyer, status, paid = order.buyer, order.status(exported_at), order.paid_at is not None
    net = order.total - order.refunded if paid else 0
    why = "退款" if paid else _CLOSED.get(order.cause or "", _TIMED_OUT)
    cells = {
        "订单编号": f'="{order.id}"', "买家会员名": buyer.nick, "买家支付宝账号": f"{buyer.phone[:3]}****{buyer.phone[-4:]}",
        "买家应付货款": yuan(order.goods), "买家应付邮费": yuan(order.freight), "买家支付积分": "0", "总金额": yuan(order.total),
        "返点积分": "0", "买家实际支付金额": yuan(net), "买家实际支付积分": "0", "订单状态": status, "收货人姓名": buyer.name,
        "收货地址 ": buyer.address, "运送方式": "快递", "联系电话 ": "'null", "联系手机": f"'{buyer.phone}",
        "订单创建时间": stamp(order.created), "订单付款时间 ": stamp(order.paid_at) if order.paid_at else "",
        "宝贝标题 ": "，".join(i.product.title for i in order.items), "宝贝种类 ": str(len(order.items)),
        "物流单号 ": f"No:{order.waybill}" if order.shipped_at else "", "物流公司": order.courier if order.shipped_at else "",
        "宝贝总数量": str(sum(i.quantity for i in order.items)), "店铺Id": "0", "店铺名称": SHOP,
        "订单关闭原因": why if status == "交易关闭" else "订单未关闭",
        "卖家服务费": "0元", "买家服务费": "0元", "是否手机订单": "手机订单" if int(order.id[-1]) < 9 else "",
        "是否上传合同照片": "否", "是否上传小票": "否", "是否代付": "否", "退款金额": yuan(order.refunded),
        "集分宝抵扣": "0", "天猫卡券抵扣": "0",
        "确认收货时间": stamp(order.received_at) if order.received_at else "",
        "打款商家金额": f"{yuan(net if status == '交易成功' else 0)}元", "含应开票给个人的个人红包": "0",
    }  # fmt: skip
    return [cells.get(name, "") for name in ORDER_HEADER]


def line_rows(order: Order, exported_at: int) -> list[list[str]]:
    """The rows of the sub-order export: money of the order split over its positions, freight on the first."""
    rows, status, left_goods, left_back = [], order.status(exported_at), order.goods, order.refunded
    gross = sum(i.price * i.quantity for i in order.items)
    for n, item in enumerate(order.items):
        last = n == len(order.items) - 1
        goods = left_goods if last else order.goods * item.price * item.quantity // gross
        owed = goods + (order.freight if n == 0 else 0)
        part = owed if order.refunded == order.total else min(owed, order.refunded * goods // max(order.goods, 1))
        back = left_back if last else part
        left_goods, left_back = left_goods - goods, left_back - back
        state = "退款成功" if back else _refund_state(order)
        cells = {
            "子订单编号": order.id if len(order.items) == 1 else f"34{order.id[2:-1]}{n}",
            "主订单编号": order.id, "标题": item.product.title, "价格": yuan(item.price), "购买数量": str(item.quantity),
            "商品属性": full_title(item.product, item.colour), "订单状态": status, "商家编码": f"QL{item.product.id[-4:]}",
            "买家应付货款": yuan(goods), "买家实际支付金额": yuan(owed - back if order.paid_at else 0), "退款状态": state,
            "退款金额": yuan(back) if back else "无退款申请", "订单创建时间": stamp(order.created),
            "订单付款时间": stamp(order.paid_at) if order.paid_at else "", "商品ID": item.product.id,
            "物流单号": f"No:{order.waybill}" if order.shipped_at else "", "物流公司": order.courier if order.shipped_at else "",
            "支付单号": f"20{order.id[2:]}220014" if order.paid_at else "",
        }  # fmt: skip
        rows.append([cells.get(name, "") for name in LINE_HEADER])
    return rows


def _refund_state(order: Order) -> str:
    if not order.refunds or any(r.done for r in order.refunds):
        return "没有申请退款"
    return "退款关闭" if all(r.closed for r in order.refunds) else "退款中"


def refund_row(order: Order, refund: Refund) -> list[str]:
    """One row of the refund export."""
    state = "退款成功" if refund.done else "退款关闭" if refund.closed else "买家已经申请退款，等待卖家同意"
    finished = stamp(refund.finished_at) if refund.finished_at else ""
    before = order.received_at is None or refund.applied_at < order.received_at
    sent, back = bool(order.shipped_at), refund.returned
    cells = {
        "订单编号": order.id, "退款编号": refund.id, "支付宝交易号": f"20{order.id[2:]}220014",
        "订单付款时间": stamp(order.paid_at or order.created), "商品编码": f"QL{order.items[0].product.id[-4:]}",
        "退款完结时间": finished, "买家实际支付金额": yuan(order.total), "宝贝标题": order.items[0].product.title,
        "买家退款金额": yuan(refund.amount), "手工退款/系统退款": "手工退款", "是否需要退货": "是" if back else "否",
        "退款的申请时间": stamp(refund.applied_at), "退款状态": state, "货物状态": "买家已收到货" if back else "买家未收到货",
        "发货物流信息": f"{order.courier}{order.waybill}" if sent else "", "客服介入状态": "无需客服介入", "卖家真实姓名": "青*",
        "卖家退货地址": "***", "退货物流单号": f"ZT{refund.id[2:]}" if back else "", "买家退款原因": refund.reason,
        "买家退款说明": refund.note, "售中或售后": "售中" if before else "售后", "完结时间": finished,
        "部分退款/全部退款": "全部退款" if refund.full else "部分退款", "审核操作人": "青麓售后", "是否零秒响应": "否",
        "业务类型": "普通退款", "是否帮他退款": "否",
    }  # fmt: skip
    return [cells.get(name, "") for name in REFUND_HEADER]


def review_row(review: Review) -> list[str]:
    """One row of the review plug-in's CSV."""
    return [review.text, review.append, str(review.score), review_day(review), review.sku, review.nick, review.reply, "天猫"]


def traffic_row(day: date, sold: "Sold", visitors: int, wobble: float) -> list[str]:
    """One day of 生意参谋, consistent with that day's orders and payments."""
    old, pc, views = int(visitors * (0.17 + 0.02 * wobble)), int(visitors * 0.06), int(visitors * (2.6 + 0.3 * wobble))
    cells = (
        day, visitors, f"{views:,}", old, visitors - old, f"{54 + 3 * wobble:.2f}%", f"{38 + 5 * wobble:.2f}",
        f"{sold.paid // 100:,}.{sold.paid % 100:02d}", sold.payers, f"{100 * sold.payers / visitors:.2f}%",
        sold.buyers, f"{100 * sold.buyers / visitors:.2f}%", yuan(sold.paid // max(sold.payers, 1)),
        sold.old_payers, sold.payers - sold.old_payers, yuan(sold.asked_back), sold.asking,
        f"{4.82 + 0.01 * wobble:.2f}", f"{4.79 + 0.01 * wobble:.2f}", f"{4.76 + 0.02 * wobble:.2f}",
        pc, int(pc * 3.1), visitors - pc, views - int(pc * 3.1),
    )  # fmt: skip
    return [str(c) for c in cells]


class Sold:
    """What one day sold: orders by the day they were placed, payments by the day they were made."""

    def __init__(self) -> None:
        self._buyers: set[int] = set()
        self._payers: dict[int, bool] = {}
        self.paid = self.asked_back = self.asking = 0

    def place(self, order: Order) -> None:
        """Count an order placed on the day."""
        self._buyers.add(order.buyer.number)

    def pay(self, order: Order) -> None:
        """Count a payment made on the day, before refunds."""
        self._payers[order.buyer.number] = not order.first_buy
        self.paid += order.total

    def ask_back(self, refund: Refund) -> None:
        """Count a refund asked for on the day."""
        self.asked_back += refund.amount
        self.asking += 1

    @property
    def buyers(self) -> int:
        """Distinct customers who placed an order."""
        return len(self._buyers)

    @property
    def payers(self) -> int:
        """Distinct customers who paid."""
        return len(self._payers)

    @property
    def old_payers(self) -> int:
        """Of those, who had bought before."""
        return sum(self._payers.values())
