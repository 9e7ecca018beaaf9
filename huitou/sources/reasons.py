"""Why a row was set aside: every reason code with its sentence and its remedy, in Chinese and English."""

from dataclasses import dataclass

from huitou.errors import Problem, Say


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of bad row: what is wrong and what to do, without any content of the row."""

    zh: str
    fix_zh: str
    en: str
    fix_en: str


REASONS: dict[str, Reason] = {
    "columns": Reason(
        "这一行的列数和表头不一样", "用平台重新导出，不要用记事本改",
        "the row has more or fewer cells than the header", "Export the file again instead of editing it as text.",
    ),
    "cut": Reason(
        "文件在这一行中断", "重新导出完整的文件再导入",
        "the file ends in the middle of this row", "Export the file again and import the complete one.",
    ),
    "quote": Reason(
        "一个不成对的引号把这一行和后面的行连在了一起", "用平台重新导出，或补上缺的引号",
        "a quotation mark without a partner ties this row to others", "Export the file again, or add the missing mark.",
    ),
    "repeated_header": Reason(
        "表头在数据里又出现了一次", "不用处理",
        "the header is repeated among the data", "Nothing to do: it is no data.",
    ),
    "total_row": Reason(
        "这是汇总行，不是数据", "不用处理",
        "a total or average, no data", "Nothing to do: it is computed from the other rows.",
    ),
    "split_order": Reason(
        "这张订单已拆分成别的订单，原单不再计", "不用处理：拆出的订单各有各的行",
        "the order was split into others and no longer counts", "Nothing to do: the orders it became have their own rows.",
    ),
    "refund_row": Reason(
        "这是一笔退款，不是订单；金额已记进那一单", "不用处理",
        "a refund, not an order; its amount is in that order", "Nothing to do: it is counted with its order.",
    ),
    "refund_alone": Reason(
        "这是一笔退款，它的那一单不在文件里，金额没有计入", "导出的时段从那一单下单的日子起，再导入",
        "a refund whose order is not in the file, so it is not counted", "Export from the day of that order on, and import it.",
    ),
    "empty": Reason(
        "必填的格子是空的", "在平台上查这一行，补上后重新导出",
        "a cell that is needed is empty", "Look the row up on the platform and export it again.",
    ),
    "money": Reason(
        "不是以元计、最多两位小数的金额", "检查这一格，改成 12.30 这样的数",
        "not an amount in yuan with at most two decimals", "Correct the cell to a number such as 12.30.",
    ),
    "number": Reason(
        "不是数", "检查这一格",
        "not a number", "Correct the cell.",
    ),
    "percent": Reason(
        "看不出是小数还是百分数", "写成 62.5% 或 0.625",
        "neither a fraction nor a per cent", "Write 62.5% or 0.625.",
    ),
    "time": Reason(
        "不是能确定的日期时间", "改成 2025-02-05 13:04:05 这样的写法",
        "not a date or time that can be read in one way only", "Write it as 2025-02-05 13:04:05.",
    ),
    "dst": Reason(
        "这个时刻在夏令时切换里不存在或出现两次", "按带时区的时间重新导出",
        "this wall-clock time does not exist or exists twice (summer time)", "Export the time with its zone.",
    ),
    "damaged_id": Reason(
        "编号被 Excel 改成了近似数", "从平台重新导出，别用 Excel 打开后另存；或把这一列设为文本",
        "the id was rounded by Excel", "Export the file again and do not save it in Excel, or make the column text.",
    ),
    "unknown_value": Reason(
        "这个取值不认识", "在映射文件的 [values] 里写明它的含义",
        "a value that is not known here", "Say what it means under [values] in the mapping file.",
    ),
    "masked_buyer": Reason(
        "买家名带星号，认不出是哪位客户", "导出带完整买家名或买家编号的文件",
        "the buyer's name is masked with stars", "Export a file with the buyers' full names or ids.",
    ),
    "new_column": Reason(
        "这一行填了一个以前没有的列", "看看平台加了什么；要照常导入，把 [drift] 改成 evolve",
        "the row fills a column that was not there before",
        "Look at what the platform added; to import it, set [drift] to evolve.",
    ),
    "missing_column": Reason(
        "以前有的一列不见了", "勾选全部列后重新导出；要照常导入，把 [drift] 改成 evolve",
        "a column that was there before is missing", "Export it with all columns; to import it as it is, set [drift] to evolve.",
    ),
    "json": Reason(
        "这一行不是一个 JSON 对象", "检查这一行",
        "the line is no JSON object", "Correct the line.",
    ),
    "no_buyer": Reason(
        "这条消息上面没有买家的标题行，不知道是和谁的对话", "在客户端重新导出这段聊天",
        "no buyer is named above this message", "Export the chats again from the client.",
    ),
    "speaker": Reason(
        "说话的人既不是这段对话的买家，也不是本店账号", "检查店名设置和文件第一行是否一致，再重新导入",
        "who speaks is neither the buyer of this chat nor an account of the shop",
        "Check that the shop's name in huitou.toml is the nick in the file's first line, then import it again.",
    ),
    "stray": Reason(
        "这一行不属于任何一条消息", "看一下这一行；若是消息，在客户端重新导出",
        "the line belongs to no message", "Look at the line; if it is a message, export the chats again.",
    ),
    "chat_time": Reason(
        "这条消息的时间不存在", "在客户端重新导出这段聊天",
        "the message's time does not exist", "Export the chats again from the client.",
    ),
}  # fmt: skip


NOTHING_TO_MEND = ("repeated_header", "total_row", "split_order", "refund_row")
"""Reasons of rows that are no data of their own."""

VALUES = ("money", "number", "percent", "time", "dst", "unknown_value")
"""Reasons of rows with a value that is not of its kind."""

NOTES: dict[str, tuple[str, str]] = {
    "default_text": ("默认评价，客户没有写字", "default reviews: the customer wrote nothing"),
    "dropped_values": ("读不出而丢掉的值", "values dropped because they could not be read"),
    "unknown_columns": ("没有用到的列", "columns not used"),
    "blank_rows": ("空行", "blank rows"),
    "no_final_newline": ("最后一行没有换行，请核对行数", "the last line has no line break: please check the number of rows"),
    "other_sheets": ("没有读的其他工作表", "other sheets, not read"),
    "unknown_status": ("不认识的订单状态", "orders whose status is not known here"),
    "masked_buyer": ("买家名带星号，不算作同一位客户", "rows with a masked buyer, joined to nobody"),
    "unknown_rating": ("不认识的评分", "ratings that are not known here"),
    "group_chat": ("群聊里的消息，不是接待，没有导入", "messages of group chats, which are no receptions, left out"),
    "quoted_heads": (
        "看起来像新消息、其实是引用在别人话里的行，算作那句话的一部分",
        "lines that look like a message and are quoted in another one; they stay part of it",
    ),
    "unsorted": (
        "行没有按时间排序，跨段的对话可能接错客服；按时间排好再导入更准",
        "the rows are in no order of time, so some customers "
        "may be given to the wrong account; sort them by time for exact results",
    ),
    "unread_numbers": ("报表里不是数的格子，没有用", "cells of the report that hold no number, left out"),
    "no_customer": ("客户文件里没有的订单", "orders whose customer is in no customers' file"),
    "foreign_currency": (
        "别的币种的订单，不与店铺币种相加；店铺本来就用它的话，在 huitou.toml 里改 currency",
        "orders in another currency than the shop's, never added to it; if it is the shop's own, set currency in huitou.toml",
    ),
    "day_of_id": (
        "没有任何时间、按订单号里的日期计的订单",
        "orders without any time, counted on the day in their number",
    ),
    "given_time": (
        "时间是映射里统一给的，不是文件里的：响应时间、趋势等与时间有关的数字说明不了什么",
        "the mapping gives all rows one time: response times, trends and other numbers of time say nothing",
    ),
    "same_time": (
        "所有行的时间都一样：响应时间、趋势等与时间有关的数字说明不了什么",
        "all rows stand at one time: response times, trends and other numbers of time say nothing",
    ),
    "twins": (
        "与同一文件里别的行完全相同，只存一次",
        "rows equal to another row of the same file: each is stored once",
    ),
    "no_kept": (
        "没有买家实际支付金额这一列：付款金额按应付货款加邮费算，会偏高",
        "there is no column of what buyers really paid: goods and freight due count as paid, which may be too much",
    ),
    "no_total": (
        "没有总金额这一列：下单金额按应付货款加邮费或实付金额算",
        "there is no column of totals: goods and freight due, or what was paid, count as the amount placed",
    ),
    "no_status": (
        "没有订单状态这一列：是否付款只看付款时间，关闭的订单认不出",
        "there is no column of states: only the time of payment tells what was paid, closed orders cannot be told",
    ),
    "no_refunds": (
        "没有退款金额这一列：这些订单的退款要从退款导出里来",
        "there is no column of refund amounts: refunds of these orders have to come from the refund export",
    ),
    "no_paid_time": (
        "没有付款时间这一列：是否付款只看状态",
        "there is no column with times of payment: only the state tells what was paid",
    ),
    "several_shops": (
        "家不同的店铺：一个工作区只放一家店，请按店铺分开导出",
        "shops in one file: a workspace is one shop's, so export each by itself",
    ),
    "far_days": (
        "日期早于 2003 年或晚于明天：请核对年份",
        "days before 2003 or after tomorrow: please check the years",
    ),
    "unknown_device": ("不认识的终端", "devices that are not known here"),
}
"""Counts that sources tell and that are no problems: code → Chinese, English."""

ONCE = (
    "no_final_newline", "unsorted", "given_time", "same_time", "no_kept", "no_total", "no_status", "no_refunds", "no_paid_time",
    "far_days",
)  # fmt: skip
"""Notes about the file as a whole: their count says nothing."""


def problem(file: str, row: int, column: str | None, reason: str) -> Problem:
    """A Problem with the sentences of its reason; `reason` must be a key of `REASONS`."""
    known = REASONS[reason]
    return Problem(file, row, column, reason, Say(known.zh, known.en), Say(known.fix_zh, known.fix_en))
