"""Exports as platforms write them, invented, and a shop to import them into."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from huitou.lake import Workspace
from huitou.sources.importer import ImportReport, import_files

ORDERS = (
    "订单编号,买家会员名,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,收货地址 ,联系手机,"
    "订单创建时间,订单付款时间 ,宝贝标题 ,宝贝种类 ,物流公司,宝贝总数量,订单关闭原因,退款金额,确认收货时间"
)
DONE = (
    '="1930000000000000101",小鱼在海边,120.00,8.00,128.00,128.00,交易成功,周一,浙江省 杭州市 余杭区 某路1号,\'13800000001,'
    "2025-03-01 10:00:00,2025-03-01 10:00:30,青麓单肩包,1,中通快递,1,订单未关闭,0.00,2025-03-05 09:00:00"
)
REFUNDED = (
    '="1930000000000000202",山里的风,260.00,0.00,260.00,100.00,"买家已付款，等待卖家发货",吴二,内蒙古自治区 包头市,\'13800000002,'
    "2025/3/2 9:05,2025/3/2 9:06,青麓双肩包，青麓卡包,2,,2,订单未关闭,160.00,"
)
UNPAID = (
    '="1930000000000000303",小鱼在海边,59.00,0.00,59.00,0.00,等待买家付款,周一,海外 某地,\'13800000001,'
    "2025-03-03 23:59:59,,青麓卡包,1,,1,订单未关闭,0.00,"
)
THREE = f"{ORDERS}\n{DONE}\n{REFUNDED}\n{UNPAID}\n"


def shop(folder: Path) -> Workspace:
    return Workspace.create(folder / "shop", shop="青麓男包旗舰店")


def put(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def imported(folder: Path, content: str | bytes, name: str = "file.csv") -> tuple[ImportReport, Workspace]:
    """One file in a fresh shop."""
    ws = shop(folder)
    return import_files(ws, [put(folder, name, content)])[0], ws


def table(ws: Workspace, name: str) -> pl.DataFrame:
    with ws.read() as snapshot:
        return snapshot.frame(snapshot.table(name))


def as_csv(*rows: Sequence[object], **options: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", **options).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()
