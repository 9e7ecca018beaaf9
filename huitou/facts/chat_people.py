"""Chat sessions → who spoke in the chats of masked buyers: sessions of a log matched with those of the platform's list."""

import ibis

from huitou.facts.shape import SECOND_US, Rows, declared, matched
from huitou.tables import TABLES

NEAR_S = 120
"""The list may show a session this much before or after the log's first message. Source: trade: JD session list and log."""
_BUCKET_US = NEAR_S * SECOND_US


def chat_matches(sessions: Rows) -> Rows:
    """One row per log session with the one session of the list that it must be.

    Both have the same masked buyer, and begin at the same second with the same account; else at the same second; else inside
    `NEAR_S` with the same account; else inside `NEAR_S`. Whatever two sessions could be, on either side, stays unmatched; what
    an earlier rule has matched is out of reach of the later ones.
    """
    logs = sessions.filter(sessions.origin == "log", sessions.alias_key.notnull())
    logs = logs.select("shop_key", "alias_key", "day", "started_at", talk_key="session_key", log_agent="agent_key")
    listed = sessions.filter(sessions.origin == "report", sessions.alias_key.notnull())
    listed = listed.select("alias_key", "session_key", "customer_key", listed_at="started_at", list_agent="agent_key")
    met = _near(logs, listed)
    same = (met.log_agent == met.list_agent).fill_null(False)
    met = met.mutate(exact=met.started_at == met.listed_at, same_agent=same)
    found = None
    for rule in (met.exact & met.same_agent, met.exact, met.same_agent, ibis.literal(True)):
        left = met.filter(rule)
        if found is not None:
            left = left.anti_join(found, "talk_key").anti_join(found, "session_key")
        only = _only(left)
        found = only if found is None else found.union(only)
    return declared(found, TABLES["chat_matches"])


def _near(logs: Rows, listed: Rows) -> Rows:
    """Pairs of one masked buyer inside `NEAR_S`: joined by stretches of time, so that no day becomes a product of days."""
    here = logs.mutate(bucket=(logs.started_at // _BUCKET_US).cast("int64"))
    own = (listed.listed_at // _BUCKET_US).cast("int64")
    around = [listed.mutate(bucket=own + step) for step in (-1, 0, 1)]
    there = around[0].union(around[1]).union(around[2])
    met = here.inner_join(there, [here.alias_key == there.alias_key, here.bucket == there.bucket])
    met = met.select(*(here[c] for c in logs.columns), *(there[c] for c in listed.columns if c != "alias_key"))
    apart = met.started_at - met.listed_at
    return met.filter(apart.between(-_BUCKET_US, _BUCKET_US))


def _only(pairs: Rows) -> Rows:
    """Pairs in which neither session has another partner."""
    log, listed = ibis.window(group_by=["talk_key"]), ibis.window(group_by=["session_key"])
    counted = pairs.mutate(of_log=pairs.session_key.count().over(log), of_list=pairs.talk_key.count().over(listed))
    return counted.filter((counted.of_log == 1) & (counted.of_list == 1)).drop("of_log", "of_list")


def with_people(messages: Rows, matches: Rows | None) -> Rows:
    """Messages under the customer who wrote them, where a match names one; the same columns. `matches` None: as they are."""
    if matches is None:
        return messages
    who = matches.filter(matches.customer_key.notnull()).select(customer_key="talk_key", person_key=matches.customer_key)
    found = matched(messages, who, ("customer_key",))
    known = found.mutate(customer_key=found.person_key.coalesce(found.customer_key)).drop("person_key")
    return known.select(*messages.columns)
