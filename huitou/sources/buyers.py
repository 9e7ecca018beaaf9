"""Buyers as sources hand them on: tokens for the lake, identities for the vault, and nobody for a masked name."""

import polars as pl

from huitou.sources.model import Context

_WHO = {"nick": "buyer", "name": "name", "phone": "phone", "address": "address"}


class Buyers:
    """The buyers of one file."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def keys(self, nicks: pl.Series) -> pl.Series:
        """Customer keys of buyer ids; null for a masked one (with ``*``): many customers share it."""
        masked = nicks.str.contains("*", literal=True)
        return self.context.people.tokens(nicks.set(masked, None) if masked.any() else nicks)

    def remember(self, rows: pl.DataFrame, keys: pl.Series) -> None:
        """Hand buyer, name, phone and address of the rows to the vault."""
        self.context.people.remember(
            rows.select(keys.alias("customer_key"), *(pl.col(column).alias(to) for to, column in _WHO.items()))
        )

    def prints(self, nicks: pl.Series, keys: pl.Series) -> pl.Series:
        """Keyed prints of the nicks that name nobody, so that two people who write the same are not taken for one."""
        return self.context.people.tokens(("masked\x1f" + nicks).set(keys.is_not_null(), None))
