"""Conversations of help desks: Gorgias, Zendesk and Chatwoot.

None of the three offers a table of messages on its pages; what a shop can really get is Gorgias' ticket messages and Zendesk's
full export as JSON lines, and Chatwoot's table ``messages`` as CSV. Comes in: one of these. Goes out: messages like any other
chat's, received by whoever answered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from huitou.errors import Say
from huitou.sources.chat_table import read_chats
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Typed, typed_rows

CHATWOOT = Layout(
    fields=(
        Field("session", "code", ("conversation_id",), needed=True, filled=True),
        Field("time", "instant", ("created_at",), needed=True, filled=True),
        Field("text", "prose", ("content",), needed=True),
        Field("direction", "text", ("message_type",), needed=True, filled=True),
        Field("sender_type", "text", ("sender_type",), needed=True),
        Field("sender", "code", ("sender_id",), needed=True),
        Field("private", "text", ("private",)),
    ),
    telling=headings("conversation_id message_type content sender_type inbox_id|account_id"),
    ignored=headings("""
        id account_id inbox_id updated_at status source_id content_type content_attributes external_source_ids
        additional_attributes processed_message_content sentiment
    """),
)
GORGIAS = Layout(
    fields=(
        Field("session", "code", ("ticket_id",), needed=True, filled=True),
        Field("time", "instant", ("created_datetime", "sent_datetime"), needed=True, filled=True),
        Field("text", "prose", ("stripped_text", "body_text"), needed=True),
        Field("from_agent", "text", ("from_agent",), needed=True, filled=True),
        Field("public", "text", ("public",)),
        Field("rule", "code", ("rule_id",)),
        Field("person", "prose", ("sender",)),
        Field("email", "code", ("sender.email", "sender_email", "sender__email")),
        Field("sender", "code", ("sender.id", "sender_id", "sender__id")),
        Field("name", "text", ("sender.name", "sender_name", "sender__name")),
    ),
    telling=headings("ticket_id from_agent body_text|stripped_text created_datetime|sent_datetime channel"),
    ignored=headings("""
        id uri message_id external_id channel via source receiver integration_id subject body_html body_text stripped_html
        stripped_signature attachments headers meta intents actions macros failed_datetime last_sending_error is_retriable
        sent_datetime opened_datetime deleted_datetime replied_by replied_to mention_ids
    """),
)
ZENDESK = Layout(
    fields=(
        Field("session", "code", ("id",), needed=True, filled=True),
        Field("requester", "code", ("requester_id",)),
        Field("person", "prose", ("requester",)),
        Field("comments", "prose", ("comments",), needed=True, filled=True),
    ),
    telling=headings("comments requester_id|requester submitter_id|submitter via created_at subject"),
    ignored=headings("""
        url external_id via created_at updated_at generated_timestamp type subject raw_subject description priority status
        recipient submitter submitter_id assignee assignee_id organization organization_id group group_id collaborator_ids
        collaborators follower_ids email_cc_ids forum_topic_id problem_id has_incidents is_public due_at tags custom_fields
        satisfaction_rating sharing_agreement_ids custom_status_id fields followup_ids ticket_form_id brand_id brand
        allow_channelback allow_attachments from_messaging_channel metric_set dates
    """),
)
_COMMENT = pl.Struct({
    "author_id": pl.String, "created_at": pl.String, "plain_body": pl.String, "body": pl.String, "value": pl.String,
    "public": pl.Boolean, "via": pl.Struct({"channel": pl.String}),
})  # fmt: skip
_CHATWOOT_SAYS = {"0": "customer", "incoming": "customer", "1": "agent", "outgoing": "agent", "2": "system", "activity": "system",
                  "3": "auto", "template": "auto"}  # fmt: skip
_YES = ("t", "true", "1")
_FIELDS = ("row", "session", "buyer", "time", "time_day", "time_second", "text", "role", "speaker", "account", "item", "auto")


@dataclass(frozen=True)
class HelpDesk:
    """The messages of one help desk. `told`: typed rows → role, text, speaker, and ``buyer`` where the customer speaks."""

    id: str
    zh: str
    en: str
    layout: Layout
    told: Callable[[pl.DataFrame], pl.DataFrame]
    quirks: tuple[Say, ...]
    main: str = "messages"
    feeds: tuple[str, ...] = ("messages", "agents", "products")

    def identify(self, head: Head) -> int:
        """By its headings or keys."""
        return self.layout.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Go through the file for the customer of each conversation, then stream its messages. Raises FileRefused."""
        buyers = self._buyers(head, context)
        zone = context.settings.timezone
        parts = (replace(part, rows=_whole(part.rows, buyers, zone)) for part in self._parts(head, context))
        return read_chats(parts, head.path.name, context)

    def _parts(self, head: Head, context: Context) -> Iterator[Typed]:
        """Typed rows, one for each message. Times without an offset are UTC: that is how these tools store them."""
        utc = replace(context, settings=replace(context.settings, timezone="UTC"))
        for part in typed_rows(head, self.layout, utc):
            rows = self.told(part.rows)
            yield replace(part, rows=rows, rows_read=part.rows_read - part.rows.height + rows.height)

    def _buyers(self, head: Head, context: Context) -> pl.DataFrame:
        """The customer of each conversation: the first one who speaks in it."""
        nobody = pl.DataFrame(schema={"session": pl.String, "buyer": pl.String})
        said = [part.rows.select("session", "buyer").drop_nulls() for part in self._parts(head, context)]
        return pl.concat([nobody, *said]).unique("session", keep="first", maintain_order=True).rename({"buyer": "customer"})


def _whole(rows: pl.DataFrame, buyers: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Rows as `read_chats` takes them: everybody's messages with their conversation's customer, days of the shop's zone."""
    rows = rows.join(buyers, on="session", how="left", maintain_order="left")
    local = pl.col("time").cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    speaks = pl.col("role").is_in(["agent", "robot", "auto"])
    return rows.with_columns(
        pl.coalesce("customer", "buyer").fill_null("").alias("buyer"),
        local.dt.date().alias("time_day"),
        (local.dt.epoch("us") % 86_400_000_000 // 1_000_000).alias("time_second"),
        pl.when(speaks).then("speaker").alias("speaker"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("account", "item", "auto")),
    ).select(_FIELDS)


def _chatwoot(rows: pl.DataFrame) -> pl.DataFrame:
    robot = pl.col("sender_type").is_in(["AgentBot", "Captain::Assistant"]).fill_null(False)
    role = pl.col("direction").str.to_lowercase().replace_strict(_CHATWOOT_SAYS, default=None, return_dtype=pl.String)
    role = pl.when(pl.col("private").str.to_lowercase().is_in(_YES).fill_null(False)).then(pl.lit("system")).otherwise(role)
    role = pl.when(robot & (role == "agent")).then(pl.lit("robot")).otherwise(role)
    return rows.with_columns(
        role.fill_null(pl.col("direction")).alias("role"),
        pl.when((role == "customer") & pl.col("sender").is_not_null()).then("chatwoot-" + pl.col("sender")).alias("buyer"),
        pl.coalesce("sender", pl.lit("chatwoot")).alias("speaker"),
    )


def _gorgias(rows: pl.DataFrame) -> pl.DataFrame:
    email, number, name = (
        pl.coalesce(column, pl.col("person").str.extract(rf'"{key}":\s*"([^"]+)"', 1))
        for column, key in (("email", "email"), ("sender", "id"), ("name", "name"))
    )
    ours = pl.col("from_agent").str.to_lowercase().is_in(_YES)
    internal = ~pl.col("public").str.to_lowercase().is_in(_YES).fill_null(True)
    role = (
        pl.when(internal).then(pl.lit("system"))
        .when(~ours).then(pl.lit("customer"))
        .when(pl.col("rule").is_not_null()).then(pl.lit("auto"))
        .otherwise(pl.lit("agent"))
    )  # fmt: skip
    return rows.with_columns(
        role.alias("role"),
        pl.when(~ours & ~internal).then(pl.coalesce(email.str.to_lowercase(), "gorgias-" + number)).alias("buyer"),
        pl.coalesce(name, number, pl.lit("gorgias")).alias("speaker"),
    )


def _zendesk(tickets: pl.DataFrame) -> pl.DataFrame:
    """A row for each comment of each ticket, under the row of the file that holds the ticket."""
    tickets = tickets.with_columns(
        pl.col("comments").str.json_decode(pl.List(_COMMENT)),
        pl.coalesce("requester", pl.col("person").str.extract(r'"id":\s*"?(\d+)', 1)).alias("requester"),
        pl.col("person").str.extract(r'"email":\s*"([^"]+)"', 1).str.to_lowercase().alias("email"),
    )
    rows = tickets.explode("comments").unnest("comments").drop_nulls("created_at")
    asked = (pl.col("author_id") == pl.col("requester")).fill_null(False)
    system = ~pl.col("public").fill_null(True) | (pl.col("via").struct.field("channel") == "system").fill_null(False)
    time = pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_unit="us", time_zone="UTC", strict=False)
    return rows.with_columns(
        pl.when(system).then(pl.lit("system")).when(asked).then(pl.lit("customer")).otherwise(pl.lit("agent")).alias("role"),
        pl.coalesce("email", "zendesk-" + pl.col("requester")).alias("buyer"),
        pl.coalesce("plain_body", "body", "value").alias("text"),
        pl.coalesce("author_id", pl.lit("zendesk")).alias("speaker"),
        time.dt.epoch("us").alias("time"),
    ).drop_nulls("time")


_OF_UTC = Say("没有时差的时间是 UTC", "times without an offset are UTC")
_INTERNAL = Say("内部备注不算对话：记为系统消息", "internal notes are no conversation: they count as system lines")
SOURCES = (
    HelpDesk(
        "chatwoot.messages",
        "Chatwoot 聊天（messages 表的 CSV）",
        "Chatwoot conversations (table messages as CSV)",
        CHATWOOT,
        _chatwoot,
        (
            Say(
                r"页面上导不出消息：自建的可以在数据库里 \copy messages",
                r"no page exports messages: on one's own server, \copy messages in its database",
            ),
            Say(
                "客户是对话里第一个说话的联系人编号，接不到订单上",
                "the customer is the contact who speaks first, by number: it joins no order",
            ),
            _OF_UTC,
            _INTERNAL,
        ),
    ),
    HelpDesk(
        "gorgias.messages",
        "Gorgias 工单消息（JSON 行或 CSV）",
        "Gorgias ticket messages (JSON lines or CSV)",
        GORGIAS,
        _gorgias,
        (
            Say(
                "页面上只导出工单：消息要从接口（messages）取",
                "the pages export tickets only: messages come from its interface (messages)",
            ),
            Say(
                "客户按邮箱认（不分大小写），和 Shopify 订单是同一个人",
                "the e-mail, in small letters, is the customer, the same as in Shopify's orders",
            ),
            Say("规则发的消息是自动回复", "messages sent by a rule are automatic"),
            _OF_UTC,
            _INTERNAL,
        ),
    ),
    HelpDesk(
        "zendesk.tickets",
        "Zendesk 工单（完整 JSON 导出）",
        "Zendesk tickets (full JSON export)",
        ZENDESK,
        _zendesk,
        (
            Say(
                "CSV 导出没有对话内容：用完整的 JSON 导出，一行一张工单",
                "the CSV export has no conversation: the full JSON export, a ticket per line, has",
            ),
            Say("一行里的每条评论是一条消息", "each comment of a line is a message"),
            Say("客户按邮箱认；没有邮箱就按提单人编号", "the e-mail is the customer, or else the requester's number"),
            _OF_UTC,
            _INTERNAL,
        ),
    ),
)
