"""Who counts differently: robot accounts, accounts that do not sell, colleagues and blocked people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from huitou.facts.shape import Expr, Rows
from huitou.lake import Workspace


class Stored(Protocol):
    """What is asked of a pinned snapshot of the lake."""

    def has(self, name: str) -> bool:
        """Whether the table holds any row."""
        ...

    def table(self, name: str, months: Sequence[str] | None = None) -> Rows:
        """The table as an Ibis expression."""
        ...

    def frame(self, expr: Rows) -> pl.DataFrame:
        """The rows of an expression."""
        ...


@dataclass(frozen=True, slots=True)
class Roster:
    """Keys of accounts and people, as the shop's settings and the agents table name them.

    `robots`: agent_keys without a person behind them. `not_selling`: agent_keys whose receptions are no inquiries (after-sale,
    robot, platform). `colleagues`, `blocked`: customer_keys.
    """

    robots: tuple[int, ...] = ()
    not_selling: tuple[int, ...] = ()
    colleagues: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()


def among(column: Expr, keys: tuple[int, ...]) -> Expr:
    """Whether a key column holds one of the keys; false for all when there is none."""
    return column.isin(keys) if keys else column.isnull() & column.notnull()


def read_roster(ws: Workspace, snapshot: Stored) -> Roster:
    """Keys of the accounts and people that the settings name; an account that never wrote has none."""
    roles, people = ws.settings.agent_roles, ws.people()
    agents = snapshot.frame(snapshot.table("agents").select("agent_key", "account", "robot"))
    role = agents["account"].replace_strict(roles, default=None, return_dtype=pl.String)
    robots = agents.filter(pl.col("robot").fill_null(False) | (role == "robot").fill_null(False))["agent_key"]
    other = agents.filter(role.is_in(["aftersale", "platform"]).fill_null(False))["agent_key"]
    return Roster(
        robots=_keys(robots),
        not_selling=_keys([*robots, *other]),
        colleagues=_keys(people.tokens(pl.Series(ws.settings.colleagues, dtype=pl.String))),
        blocked=_keys(people.tokens(pl.Series(ws.settings.blocked, dtype=pl.String))),
    )


def _keys(keys: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({k for k in keys if k is not None}))
