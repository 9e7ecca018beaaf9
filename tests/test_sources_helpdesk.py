"""Conversations of help desks through the importer, on invented files in their exact form."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from huitou.lake import Workspace
from huitou.sources.importer import ImportReport
from tests.exported import as_csv, imported, table

CHATWOOT = as_csv(
    ["id", "content", "account_id", "inbox_id", "conversation_id", "message_type", "created_at", "updated_at", "private", "status",
     "source_id", "content_type", "content_attributes", "sender_type", "sender_id"],
    [1, "我们上新了", 1, 3, 9, 1, "2025-03-01 15:59:00.5", "", "f", 0, "", 0, "{}", "User", 4],
    [2, "Where is my bag?\nmail ann@example.com", 1, 3, 9, 0, "2025-03-01 16:00:00.5", "", "f", 0, "", 0, "{}", "Contact", 7],
    [3, "She is angry", 1, 3, 9, 1, "2025-03-01 16:00:10", "", "t", 0, "", 0, "{}", "User", 4],
    [4, "On its way", 1, 3, 9, 1, "2025-03-01 16:01:00", "", "f", 0, "", 0, "{}", "User", 4],
    [5, "Conversation was marked resolved", 1, 3, 9, 2, "2025-03-01 16:02:00", "", "f", 0, "", 0, "{}", "", ""],
    [6, "Menu", 1, 3, 9, 1, "2025-03-01 16:03:00", "", "f", 0, "", 0, "{}", "AgentBot", 2],
    [7, "Nobody answered", 1, 3, 10, 1, "2025-03-01 16:03:00", "", "f", 0, "", 0, "{}", "User", 4],
)  # fmt: skip


def gorgias(number: int, **more: object) -> dict[str, object]:
    sender = {"id": 7, "email": "Ann@example.com", "name": "Ann Example"}
    return {"id": number, "ticket_id": 9, "channel": "email", "via": "email", "public": True, "from_agent": False, "sender": sender,
            "body_text": "Where is my bag?", "stripped_text": "Where is my bag?", "created_datetime": f"2025-03-01T16:00:0{number}.123456+00:00",
            "rule_id": None} | more  # fmt: skip


GORGIAS = "\n".join(json.dumps(m) for m in (
    gorgias(1, from_agent=True, rule_id=5, stripped_text="We got your message", sender={"id": 1, "email": "shop@example.com", "name": "Bot"}),
    gorgias(2),
    gorgias(3, from_agent=True, stripped_text="On its way", sender={"id": 4, "email": "mia@example.com", "name": "Mia"}),
    gorgias(4, from_agent=True, public=False, stripped_text="note", sender={"id": 4, "email": "mia@example.com", "name": "Mia"}),
))  # fmt: skip


def comment(author: int, at: str, text: str, **more: object) -> dict[str, object]:
    return {"id": author * 10, "author_id": author, "created_at": at, "body": text, "plain_body": text, "public": True,
            "via": {"channel": "web"}, "attachments": []} | more  # fmt: skip


ZENDESK = "\n".join(json.dumps(t) for t in (
    {"url": "x", "id": 9, "created_at": "2025-03-01T16:00:00Z", "subject": "bag", "status": "open", "via": {"channel": "web"},
     "requester_id": 7, "submitter_id": 7, "requester": {"id": 7, "name": "Ann Example", "email": "ann@example.com"},
     "comments": [comment(7, "2025-03-01T16:00:00Z", "Where is my bag?"), comment(4, "2025-03-01T16:00:30Z", "note", public=False),
                  comment(4, "2025-03-01T16:01:00Z", "On its way")]},
    {"url": "x", "id": 10, "created_at": "2025-03-02T16:00:00Z", "subject": "", "status": "open", "via": {"channel": "web"},
     "requester_id": 8, "submitter_id": 8, "comments": None},
))  # fmt: skip


def messages(folder: Path, text: str, name: str) -> tuple[ImportReport, Workspace, pl.DataFrame]:
    report, ws = imported(folder, text, name)
    assert report.load is not None and report.load.balances, report.refused
    accounts = dict(table(ws, "agents").select("agent_key", "account").iter_rows())
    return (
        report,
        ws,
        table(ws, "messages").with_columns(pl.col("agent_key").replace_strict(accounts).alias("agent")).sort("sent_at"),
    )


def test_chatwoot_messages_belong_to_the_contact_and_times_are_utc(tmp_path: Path) -> None:
    report, _, rows = messages(tmp_path, CHATWOOT, "messages.csv")
    assert report.source == "chatwoot.messages" and report.problems == {"empty": 1} and report.rows == 7
    assert rows["kind"].to_list() == ["agent", "customer", "system", "agent", "system", "robot"]
    assert rows["day"].to_list() == [date(2025, 3, 1)] + [date(2025, 3, 2)] * 5 and rows["second"][:2].to_list() == [86_340, 0]
    assert rows["text"][1] == "Where is my bag?\nmail 〔邮箱〕" and rows["customer_key"].n_unique() == 1
    assert rows["agent"].to_list()[:2] == ["4", "4"]


def test_gorgias_messages_join_shopify_by_e_mail(tmp_path: Path) -> None:
    report, ws, rows = messages(tmp_path, GORGIAS + "\n", "messages.jsonl")
    assert report.source == "gorgias.messages" and rows["kind"].to_list() == ["auto", "customer", "agent", "system"]
    assert rows["customer_key"].to_list() == [ws.people().token("ann@example.com")] * 4 and rows["agent"][2] == "Mia"
    assert "ann@" not in str(rows["text"].to_list()).lower()


def test_zendesk_comments_are_messages(tmp_path: Path) -> None:
    report, ws, rows = messages(tmp_path, ZENDESK + "\n", "tickets.json")
    assert report.source == "zendesk.tickets" and report.problems == {"empty": 1} and report.rows == 4
    assert rows["kind"].to_list() == ["customer", "system", "agent"] and rows["agent"].unique().to_list() == ["4"]
    assert rows["customer_key"].to_list() == [ws.people().token("ann@example.com")] * 3


def test_a_ticket_of_any_length_may_come_first(tmp_path: Path) -> None:
    ticket = json.loads(ZENDESK.split("\n")[0])
    ticket["comments"] += [comment(7, f"2025-03-01T17:{n // 60:02}:{n % 60:02}Z", "still waiting " * 40) for n in range(300)]
    report, _, found = messages(tmp_path, json.dumps(ticket) + "\n" + ZENDESK + "\n", "export.json")
    assert report.source == "zendesk.tickets" and found["text"].str.starts_with("still").sum() == 300


@pytest.mark.parametrize("text", [CHATWOOT, GORGIAS + "\n", ZENDESK + "\n"])
def test_a_customer_s_address_is_in_no_file_of_the_lake(tmp_path: Path, text: str) -> None:
    _, ws = imported(tmp_path, text, "x.txt")
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file() and "vault" not in f.parts)
    assert b"ann@example.com" not in stored.lower() and b"Ann Example" not in stored
