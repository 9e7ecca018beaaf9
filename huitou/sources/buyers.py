"""Buyers as sources hand them on: tokens for the lake, identities for the vault, and nobody for a masked name."""

import polars as pl

from huitou.sources.model import Context

SEEN_AT_MOST = 1_000_000
_WHO = {"nick": "buyer", "name": "name", "phone": "phone", "address": "address"}


class Buyers:
    """The buyers of one file."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._seen: set[int] = set()

    def keys(self, nicks: pl.Series) -> pl.Series:
        """Customer keys of buyer ids; null for a masked one (with ``*``): many customers share it."""
        masked = nicks.str.contains("*", literal=True)
        return self.context.people.tokens(nicks.set(masked, None) if masked.any() else nicks)

    def remember(self, rows: pl.DataFrame, keys: pl.Series) -> None:
        """Hand buyer, name, phone and address of the rows to the vault: who says the same again is not told again."""
        people = rows.select(keys.alias("customer_key"), *(pl.col(column).alias(to) for to, column in _WHO.items()))
        people = people.drop_nulls("customer_key").unique("customer_key", keep="last", maintain_order=True)
        prints = people.hash_rows().to_list()
        news = [each not in self._seen for each in prints]
        if len(self._seen) > SEEN_AT_MOST:
            self._seen.clear()
        self._seen.update(prints)
        if any(news):
            self.context.people.remember(people.filter(pl.Series(news)))

    def prints(self, nicks: pl.Series, keys: pl.Series) -> pl.Series:
        """Keyed prints of the nicks that name nobody, so that two people who write the same are not taken for one."""
        return self.context.people.tokens(("masked\x1f" + nicks).set(keys.is_not_null(), None))
