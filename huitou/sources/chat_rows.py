"""Messages of a chat → canonical rows: who received each, what kind it is, masked text, keys.

The receiving account of a customer's message is the one that holds the chat: whoever spoke last, or was handed the chat last,
in the same session (no pause of ten minutes); else whoever speaks next in this chat, on any day; else the file's own account.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.sources import masking, replies
from huitou.sources.chat_lines import Parsed
from huitou.sources.keys import key_column, key_of_repeated
from huitou.sources.model import Batch, Context
from huitou.sources.reasons import problem
from huitou.sources.replies import CUSTOMER

SESSION_GAP_S = 600
_US = 1_000_000
_SHORTEST_NICK = 3  # shorter nicks are ordinary words too often («好的»)
_FEW_DIGITS = r"^[0-9]{1,6}$"  # a number like this in a text is rarely the buyer's own
_KEPT_OPEN = 10_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """A block of a file as it comes in: parsed, with holders, and the fast texts counted up to its end (`replies.repeats`)."""

    file: str
    bytes_done: int
    parsed: Parsed
    held: pl.DataFrame
    said: pl.DataFrame


@dataclass(slots=True)
class Chats:
    """One file's way from messages to rows, block by block: what is known of the file so far."""

    context: Context
    shops: tuple[str, ...]
    own_account: str
    accounts: set[str] = field(default_factory=set)
    products: set[int] = field(default_factory=set)

    def batch(self, block: Arrived, said: pl.DataFrame) -> Batch:
        """A block's rows and problems; `said` counts the fast texts of as much of the file as has been read."""
        problems = [problem(block.file, row, None, reason) for row, reason in block.parsed.bad]
        frames = self.frames(block.held.filter(pl.col("row") > 0).sort("row"), said)
        return Batch(frames, frames["messages"].height + len(problems), block.bytes_done, problems, block.parsed.notes)

    def frames(self, held: pl.DataFrame, said: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """messages, agents and products as canonical frames with ``row``; agents and products once per file.

        `held`: `with_holders`; `said` counts the fast texts of as much of the file as has been read.
        """
        rows = self._kinds(held, said)
        texts, product, ids = self._texts(rows)
        settings = self.context.settings
        own = pl.coalesce("holder", pl.lit(self.own_account))
        ours = pl.col("side").is_in([replies.SHOP, replies.ROBOT])
        said_by = pl.when(ours).then(pl.coalesce("account", own)).alias("speaker")
        times = () if "day" in rows.columns else _of_wall_clock(settings.timezone)
        rows = rows.with_columns(said_by, own.alias("account"), texts.alias("text"), product, pl.col("time").alias("sent_at"))
        rows = rows.with_columns(times)
        customers = self._customers(rows["buyer"])
        distinct = rows["text"].unique()
        frame = rows.select(
            pl.lit(settings.shop_key).alias("shop_key"),
            customers.alias("customer_key"),
            key_of_repeated(rows["account"], settings.platform, settings.shop).alias("agent_key"),
            "sent_at",
            "day",
            "second",
            "kind",
            "text",
            rows["text"].replace_strict(distinct, key_column(distinct), return_dtype=pl.Int64).alias("text_hash"),
            pl.col("text").str.len_chars().cast(pl.Int64).alias("chars"),
            "product_key",
            key_of_repeated(rows["speaker"], settings.platform, settings.shop).alias("speaker_key"),
            "row",
        )
        return {"messages": frame, "agents": self._agents(rows), "products": self._products(frame, ids)}

    def _kinds(self, held: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
        """With ``kind``: fast texts that the file holds three times are automatic."""
        often = said.filter(pl.col("n") >= replies.REPEATED).select("account", "said", pl.lit(True).alias("often"))
        held = held.with_columns(pl.when("fast").then(pl.col("text").hash(0)).alias("said"))
        held = held.join(often, on=["account", "said"], how="left", maintain_order="left")
        automatic = pl.col("fast") & pl.col("often").fill_null(False)
        flagged = pl.col("flagged") if "flagged" in held.columns else pl.lit(False)
        return held.with_columns((automatic | flagged).alias("automatic")).with_columns(
            replies.kind(self.context.settings).alias("kind")
        )

    def _texts(self, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
        """Masked texts, the product key of each, and the items' ids by key."""
        settings, text = self.context.settings, rows["text"]
        at = text.str.contains("htm", literal=True).arg_true()
        ids = text.gather(at).str.extract(masking.ITEM_ID, 1)
        keys = key_of_repeated(ids, settings.platform, settings.shop, "id")
        product = pl.Series("product_key", [None], dtype=pl.Int64).new_from_index(0, rows.height)
        if len(at):
            product.scatter(at, keys)
        if "item" in rows.columns:  # a column of its own says more than a link somewhere in the text
            named = key_of_repeated(rows["item"], settings.platform, settings.shop, "id")
            product = named.fill_null(product).alias("product_key")
            keys, ids = pl.concat([keys, named]), pl.concat([ids, rows["item"]])
        found = pl.DataFrame({"product_key": keys, "product_id": ids}).drop_nulls().unique()
        return masking.mask(_without_nicks(rows, self.shops)), product, found

    def _customers(self, nicks: pl.Series) -> pl.Series:
        """Tokens of the buyers; their nicks go to the vault."""
        distinct = nicks.unique()
        keys = self.context.people.tokens(distinct)
        self.context.people.remember(pl.DataFrame({"customer_key": keys, "nick": distinct}))
        return nicks.replace_strict(distinct, keys, return_dtype=pl.Int64)

    def _agents(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The accounts that this file has not shown before."""
        settings = self.context.settings
        new = rows.group_by("account").agg(pl.col("row").min()).filter(~pl.col("account").is_in(list(self.accounts))).sort("row")
        self.accounts.update(new["account"])
        return new.select(
            pl.lit(settings.shop_key).alias("shop_key"),
            key_of_repeated(new["account"], settings.platform, settings.shop).alias("agent_key"),
            "account",
            (replies.robot(pl.col("account"), settings) | pl.col("account").str.contains(replies.ROBOT_SPEAKERS)).alias("robot"),
            "row",
        )

    def _products(self, messages: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
        """The items linked for the first time in this file; chats carry no title."""
        linked = messages.drop_nulls("product_key").group_by("product_key").agg(pl.col("row").min())
        new = linked.filter(~pl.col("product_key").is_in(list(self.products))).join(ids, on="product_key").sort("row")
        self.products.update(new["product_key"])
        shop = pl.lit(self.context.settings.shop_key).alias("shop_key")
        return new.select(shop, "product_key", "product_id", pl.lit(None, pl.String).alias("title"), "row")


def _of_wall_clock(zone: str) -> list[pl.Expr]:
    """sent_at, day and second of ``time``, a wall clock of `zone`."""
    wall = pl.col("time").cast(pl.Datetime("us"))
    hour = pl.duration(hours=1)  # a wall clock that skips an hour in summer never shows it: one hour later is meant
    skipped, plain = (
        w.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("us") for w in (wall + hour, wall)
    )
    second = (pl.col("time") // _US % 86_400).alias("second")
    return [pl.coalesce(plain, skipped).alias("sent_at"), wall.dt.date().alias("day"), second]


def with_holders(messages: pl.DataFrame, earlier: pl.DataFrame | None, shops: tuple[str, ...]) -> pl.DataFrame:
    """Messages in the order of their chats, with ``target`` (of a hand-over), ``holder`` (the receiving account) and ``fast``.

    `earlier` are messages of the block before (row 0) whose sessions may go on; they come back too. A column
    ``received_by`` says who received a message of others than the shop, where the file tells.
    """
    rows = messages.with_columns(replies.transfer_target(messages, shops))
    if earlier is not None and earlier.height:
        rows = pl.concat([earlier.select(rows.columns), rows])
    rows = _in_chat_order(rows)
    chats, time = rows["section"].to_numpy(), rows["time"].to_numpy()
    begins = np.append(True, chats[1:] != chats[:-1])[: rows.height]
    splits = begins | np.append(True, np.diff(time) >= SESSION_GAP_S * _US)[: rows.height]
    told = ("received_by",) if "received_by" in rows.columns else ()
    account = pl.coalesce("target", "account", *told)
    known = rows.select(account.is_not_null()).to_series().to_numpy()
    before, after = _latest(known, splits), _next(known, begins)
    index = np.where(before >= 0, before, after)
    holder = rows.select(account).to_series().gather(pl.Series(index).replace(-1, None))
    asked = _latest(rows["side"].to_numpy() == CUSTOMER, begins)
    last_customer = pl.Series(time, dtype=pl.Int64).gather(pl.Series(asked).replace(-1, None))
    return rows.with_columns(holder.alias("holder"), replies.fast(pl.lit(last_customer)).alias("fast"))


def _in_chat_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sorted by chat, then time, then line of the file: nothing to do for what the client exports."""
    same = pl.col("section").diff() == 0
    chats, backwards = rows.select((~same).sum() + 1, (same & (pl.col("time").diff() < 0)).any().alias("backwards")).row(0)
    if backwards or chats != rows["section"].n_unique():
        return rows.sort("section", "time", "row")
    return rows


def _latest(marked: npt.NDArray[np.bool_], begins: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each row the latest marked row up to it in the same stretch, else -1."""
    at = np.arange(len(marked))
    latest = np.maximum.accumulate(np.where(marked, at, -1)) if len(at) else at
    first = np.maximum.accumulate(np.where(begins, at, 0)) if len(at) else at
    return np.where(latest >= first, latest, -1)


def _next(marked: npt.NDArray[np.bool_], begins: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each row the next marked row from it on in the same stretch, else -1."""
    ends = np.append(begins[1:], True)[: len(begins)]
    found = _latest(marked[::-1], ends[::-1])[::-1]
    return np.where(found >= 0, len(marked) - 1 - found, -1)


def still_open(held: pl.DataFrame) -> pl.DataFrame:
    """The messages whose sessions may go on in the next block, without their texts; row 0 says that they are stored."""
    columns = ["row", "section", "buyer", "side", "account", "time", "text", "target"]
    last = held.filter(pl.col("time") > pl.col("time").max() - SESSION_GAP_S * _US).tail(_KEPT_OPEN)
    return last.with_columns(pl.lit(0, pl.Int64).alias("row"), pl.lit("").alias("text")).select(columns)


def _without_nicks(rows: pl.DataFrame, shops: tuple[str, ...]) -> pl.Series:
    """Texts in which the buyer's own nick, and whoever recalled a message, is replaced by a token."""
    named = (pl.col("buyer").str.len_chars() >= _SHORTEST_NICK) & pl.col("text").str.contains(pl.col("buyer"), literal=True)
    texts = rows["text"].clone()
    hits = rows.select(named.fill_null(False)).to_series().arg_true()
    if len(hits):
        hits = hits.filter(~rows["buyer"].gather(hits).str.contains(_FEW_DIGITS))
        pairs = zip(texts.gather(hits), rows["buyer"].gather(hits), strict=True)
        texts.scatter(hits, pl.Series([text.replace(nick, masking.NICK) for text, nick in pairs]))
    recall = texts.str.contains("撤回了一条消息", literal=True).arg_true()
    if len(recall):
        who = pl.col("text").str.extract(replies.RECALL, 1)
        staff = replies.account_of(who, shops).is_not_null() | who.is_in(["你", "您", "对方"])
        hidden = pl.when(who.is_null() | staff).then("text").otherwise(pl.lit(f"{masking.NICK}撤回了一条消息"))
        texts.scatter(recall, pl.DataFrame({"text": texts.gather(recall)}).select(hidden).to_series())
    return texts
