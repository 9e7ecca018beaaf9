"""Messages of a chat → canonical rows: who received each, what kind it is, masked text, keys.

The receiving account of a customer's message is the one that holds the chat: whoever spoke last, or was handed the chat last,
in the same session (no pause of ten minutes); else whoever speaks next in this chat, on any day; else the file's own account.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.lake.letters import Letters
from huitou.lake.settings import Settings
from huitou.sources import masking, replies
from huitou.sources.chat_lines import Parsed
from huitou.sources.clock import in_zone
from huitou.sources.keys import encoded, key_of_repeated
from huitou.sources.model import Batch, Context
from huitou.sources.reasons import problem
from huitou.sources.replies import CUSTOMER

SESSION_GAP_S = 600
_US = 1_000_000
_SHORTEST_NICK = 3  # shorter nicks are ordinary words too often («好的»)
_FEW_DIGITS = r"^[0-9]{1,6}$"  # a number like this in a text is rarely the buyer's own
_KEPT_OPEN = 10_000
CARRIED = ["row", "section", "buyer", "side", "account", "time", "text", "target"]
_MOST_WAITING = 200_000  # messages that wait for the rest of their file; what bounds the memory


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
    """One file's way from messages to rows, block by block: what is known of the file so far.

    `waits`: a fast message whose text may still be sent often further down is kept back until `rest`.
    """

    context: Context
    shops: tuple[str, ...]
    own_account: str
    waits: bool = False
    accounts: set[str] = field(default_factory=set)
    products: set[int] = field(default_factory=set)
    waiting: list[pl.DataFrame] = field(default_factory=list)

    def batch(self, block: Arrived, said: pl.DataFrame) -> Batch:
        """A block's rows and problems; `said` counts the fast texts of as much of the file as has been read."""
        problems = [problem(block.file, row, None, reason) for row, reason in block.parsed.bad]
        frames = self.frames(block.held.filter(pl.col("row") > 0).sort("row"), said)
        return Batch(frames, frames["messages"].height + len(problems), block.bytes_done, problems, block.parsed.notes)

    def rest(self, said: pl.DataFrame, bytes_done: int) -> Iterator[Batch]:
        """The messages kept back, if any; `said` counts the fast texts of the whole file."""
        rows = pl.concat(self.waiting) if self.waiting else pl.DataFrame()
        if rows.height:
            rows = rows.join(_often(said), on=["account", "said"], how="left", maintain_order="left")
            kind = pl.when(pl.col("often")).then(pl.lit("auto")).otherwise("kind").alias("kind")
            yield Batch({"messages": rows.with_columns(kind).drop("account", "said", "often")}, rows.height, bytes_done)

    def frames(self, held: pl.DataFrame, said: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """messages, agents and products as canonical frames with ``row``; agents and products once per file.

        `held`: `with_holders`; `said` counts the fast texts of as much of the file as has been read.
        """
        settings = self.context.settings
        rows = held.with_columns(_without_nicks(held, self.shops).alias("text"), _automatic(held, said).alias("automatic"))
        rows = rows.with_columns(_by_themselves(rows["text"], settings))
        own = pl.coalesce("holder", pl.lit(self.own_account))
        ours = pl.col("side").is_in([replies.SHOP, replies.ROBOT])
        rows = rows.with_columns(
            replies.kind(settings).alias("kind"),
            pl.when(ours).then(pl.coalesce("account", own)).alias("speaker"),
            own.alias("account"),
            pl.col("time").alias("sent_at"),
        )
        if "day" not in rows.columns:
            rows = rows.with_columns(_of_wall_clock(rows["time"], settings.timezone))
        named, platform, shop = rows["linked"], settings.platform, settings.shop
        if "item" in rows.columns:  # a column of its own says more than a link somewhere in the text
            named = rows["item"].fill_null(named)
        product = key_of_repeated(named, platform, shop, "id")
        frame = rows.select(
            pl.lit(settings.shop_key).alias("shop_key"),
            self._customers(rows["buyer"]).alias("customer_key"),
            key_of_repeated(rows["account"], platform, shop).alias("agent_key"),
            "sent_at",
            "day",
            "second",
            "kind",
            pl.col("masked").alias("text"),
            "text_hash",
            "chars",
            product.alias("product_key"),
            key_of_repeated(rows["speaker"], platform, shop).alias("speaker_key"),
            "row",
        )
        ids = pl.DataFrame({"product_key": product, "product_id": named}).drop_nulls().unique()
        frames = {"messages": frame, "agents": self._agents(rows), "products": self._products(frame, ids)}
        if self.waits and sum(some.height for some in self.waiting) < _MOST_WAITING:
            undecided = held["fast"] & (frame["kind"] == "agent")
            said_by = held.select("account", pl.col("text").hash(0).alias("said")).filter(undecided)
            self.waiting.append(frame.filter(undecided).hstack(said_by))
            frames["messages"] = frame.filter(~undecided)
        return frames

    def _customers(self, nicks: pl.Series) -> pl.Series:
        """Tokens of the buyers; their nicks go to the vault."""
        distinct, at = encoded(nicks)
        keys = self.context.people.tokens(distinct).cast(pl.Int64)  # of nobody it has no type
        self.context.people.remember(pl.DataFrame({"customer_key": keys, "nick": distinct}))
        return keys.gather(at)

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


def _automatic(held: pl.DataFrame, said: pl.DataFrame) -> pl.Series:
    """Flagged by the file, or fast and a text that the account sent fast often enough."""
    flags = held["flagged"].clone() if "flagged" in held.columns else pl.repeat(False, held.height, eager=True)
    fast = held.lazy().with_row_index("at").filter("fast").with_columns(pl.col("text").hash(0).alias("said")).collect()
    return flags.scatter(fast.join(_often(said), on=["account", "said"], how="semi")["at"], True)


def _often(said: pl.DataFrame) -> pl.DataFrame:
    return said.filter(pl.col("n") >= replies.REPEATED).select("account", "said", pl.lit(True).alias("often"))


def _by_themselves(texts: pl.Series, settings: Settings) -> pl.DataFrame:
    """What each text says by itself, found once for each distinct one: the item it links to, marks of its kind, and the text
    masked, with hash and length."""
    distinct, at = encoded(texts)
    masked = masking.mask(distinct)
    return pl.DataFrame({"text": distinct}).select(
        pl.col("text").str.extract(masking.ITEM_ID, 1).alias("linked"),
        *replies.marks(settings),
        masked.alias("masked"),
        masked.str.len_chars().cast(pl.Int64).alias("chars"),
        pl.Series("text_hash", (Letters.of(masked).hashes() >> np.uint64(1)).astype(np.int64)),
    )[at]


def _of_wall_clock(wall: pl.Series, zone: str) -> pl.DataFrame:
    """sent_at, day and second of times (µs) on a wall clock of `zone`."""
    local = wall.cast(pl.Datetime("us"))
    instants = in_zone(local, zone)
    if instants.null_count():  # a clock that skips an hour in summer never shows it: one hour later is meant
        plain, later = (
            w.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null") for w in (local, local.dt.offset_by("1h"))
        )
        instants = plain.fill_null(later)
    return pl.DataFrame({"sent_at": instants.dt.epoch("us"), "day": local.dt.date(), "second": wall // _US % 86_400})


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
    last = held.filter(pl.col("time") > pl.col("time").max() - SESSION_GAP_S * _US).tail(_KEPT_OPEN)
    return last.with_columns(pl.lit(0, pl.Int64).alias("row"), pl.lit("").alias("text")).select(CARRIED)


def without_unheld(held: pl.DataFrame, going_on: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Messages that somebody holds or nobody will any more, and those of chats `going_on` whose holder may speak further on."""
    waits = held.select((pl.col("holder").is_null() & (pl.col("row") > 0) & going_on).fill_null(False)).to_series()
    if not waits.any() or waits.sum() > _MOST_WAITING:
        return held, held.clear()
    return held.filter(~waits), held.filter(waits)


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
