"""Exports that people pick and that hold nothing to import: told by their headings, with the export to take instead.

Comes in: the head of a file that no source knows. Goes out: why it is of no use, and what to do; or None.
"""

from dataclasses import dataclass

from huitou.errors import Say
from huitou.sources.layout import heading
from huitou.sources.model import Head


@dataclass(frozen=True, slots=True)
class Other:
    """One of them. `telling`: headings that are all there, each by any of its spellings."""

    telling: tuple[tuple[str, ...], ...]
    says: Say
    fix: Say


_TICKETS_FIX = Say(
    "Gorgias：从接口取工单消息（messages）；Zendesk：用完整的 JSON 导出；Chatwoot：导出 messages 表。",
    "Gorgias: take the ticket messages from its interface; Zendesk: the full JSON export; Chatwoot: the table messages.",
)
_ORDERS_FIX = Say(
    "在 Shopify 的「订单」页导出订单（orders_export.csv）。",
    "Export the orders on Shopify's page «Orders» (orders_export.csv).",
)
_WHOSE = ("Requester", "Requester id", "Requester email", "Customer", "Customer name", "Customer email", "Customer id", "Contact")
OTHERS = (
    Other(
        (
            ("Id", "Ticket id", "Ticket number", "Ticket"),
            ("Subject", "Ticket subject", "Title"),
            ("Status", "Ticket status"),
            _WHOSE,
            (
                "Assignee",
                "Assignee name",
                "Assignee email",
                "Assigned agent",
                "Assignee user",
                "Group",
                "Channel",
                "Via",
                "Inbox",
            ),
        ),
        Say("是工单列表，没有对话内容", "it is a list of tickets, without their conversations"),
        _TICKETS_FIX,
    ),
    Other(
        (("Ticket id", "ticket_id"), ("Author id", "author_id", "Author"), ("Body", "plain_body", "html_body", "Comment")),
        Say(
            "是工单评论，但没有提单人：分不出谁是客户",
            "it holds comments, but not who asked: customers cannot be told from agents",
        ),
        _TICKETS_FIX,
    ),
    Other(
        (("First Name",), ("Last Name",), ("Email",), ("Total Spent",), ("Total Orders",)),
        Say("是 Shopify 的客户列表，不是订单", "it is Shopify's list of customers, not of orders"),
        _ORDERS_FIX,
    ),
    Other(
        (("Handle", "URL handle"), ("Title",), ("Vendor",), ("Variant Price", "Price")),
        Say("是 Shopify 的商品列表，不是订单", "it is Shopify's list of products, not of orders"),
        _ORDERS_FIX,
    ),
)


def other(head: Head) -> Other | None:
    """The first of `OTHERS` whose headings all stand in one of the first rows."""
    for row in head.rows:
        found = {_plain(cell) for cell in row}
        for one in OTHERS:
            if all(any(_plain(spelling) in found for spelling in spellings) for spellings in one.telling):
                return one
    return None


def _plain(cell: str) -> str:
    return heading(cell).replace("_", "")
