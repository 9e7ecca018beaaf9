"""Rounds and sessions: worked examples, and everything against a slow second computation."""

from dataclasses import replace

import pytest

from huitou.facts import Roster
from huitou.rules.packs import load_pack
from tests.facts_shop import Line, Shop, clock, micros, numbered

TMALL = load_pack("tmall-2025")
COURSE = load_pack("course")
tmall, course = Shop(TMALL), Shop(COURSE)
open_ended = Shop(replace(TMALL, answer_same_day=False))


def asked(at: str, day: int = 0, **more: int) -> Line:
    return Line(clock(at, day), "customer", **more)


def reply(at: str, day: int = 0, kind: str = "agent", **more: int) -> Line:
    return Line(clock(at, day), kind, **more)


def waits(shop: Shop, *lines: Line) -> list[float | None]:
    found = shop.facts(numbered(lines), upto="rounds")["rounds"]
    return [r["wait_s"] for r in sorted(found, key=lambda r: (r["asked_at"], r["agent_key"]))]


def test_consecutive_questions_count_from_the_first() -> None:
    """The worked example of the 3-minute rule, trade: response: 0 of 1, then 1 of 2."""
    first = asked("10:10:15"), asked("10:15:20"), reply("10:18:10")
    assert waits(tmall, *first) == [475.0]
    assert waits(tmall, *first, asked("10:18:30"), reply("10:19:00")) == [475.0, 30.0]


def test_never_answered_that_day_is_unanswered() -> None:
    assert waits(tmall, asked("22:59:00")) == [None]
    assert waits(tmall, asked("22:59:00"), reply("09:00:00", day=1)) == [None]


def test_a_question_of_the_next_day_is_a_new_round() -> None:
    lines = asked("22:59:00"), asked("09:00:00", day=1), reply("09:00:20", day=1)
    assert waits(tmall, *lines) == [None, 20.0]
    assert waits(open_ended, *lines) == [10 * 3600 + 80.0]


def test_a_later_day_answers_where_the_rules_allow_it() -> None:
    rounds = open_ended.facts(numbered([asked("23:59:50"), reply("00:00:10", day=1)]), upto="rounds")["rounds"]
    assert [(r["wait_s"], r["same_day"], str(r["day"])) for r in rounds] == [(20.0, False, "2026-05-30")]


def test_a_session_gap_ends_a_round_where_the_rules_say_so() -> None:
    lines = asked("10:00:00"), asked("10:10:00"), reply("10:10:25")
    assert waits(course, *lines) == [None, 25.0]
    assert waits(tmall, *lines) == [625.0]
    assert waits(course, asked("10:00:00"), reply("10:09:59")) == [599.0]
    assert waits(course, asked("10:00:00"), reply("10:10:00")) == [None]


@pytest.mark.parametrize("kind", ["auto", "robot", "system", "transfer"])
def test_no_machine_stops_the_clock(kind: str) -> None:
    assert waits(tmall, asked("10:00:00"), reply("10:00:01", kind=kind), reply("10:00:40")) == [40.0]


def test_only_the_receiving_account_answers() -> None:
    assert waits(tmall, asked("10:00:00", agent=11), reply("10:00:09", agent=12), reply("10:00:30", agent=11)) == [30.0]
    assert waits(tmall, asked("10:00:00", agent=11), reply("10:00:09", agent=12)) == [None]


def test_the_order_of_the_file_decides_inside_a_second() -> None:
    same = clock("10:00:00")
    lines = Line(same, "customer"), Line(same, "agent"), Line(same, "customer")
    assert waits(tmall, *lines) == [0.0, None]
    assert waits(tmall, lines[1], lines[0], lines[2]) == [None]


def test_a_round_names_its_messages() -> None:
    lines = numbered([reply("09:59:00"), asked("10:00:00"), asked("10:00:05"), reply("10:00:30")])
    (found,) = tmall.facts(lines, upto="rounds")["rounds"]
    assert (found["asked_key"], found["answer_key"], found["questions"]) == (lines[1].row_key, lines[3].row_key, 2)
    assert (found["asked_at"], found["second"]) == (micros(clock("10:00:00")), 36000)


def test_the_first_round_of_a_session_opens_it() -> None:
    talk = asked("10:00:00"), reply("10:00:10"), asked("10:01:00"), reply("10:01:05")
    later = reply("11:00:00"), asked("11:00:30"), reply("11:00:40"), asked("11:01:00")
    found = tmall.facts(numbered([*talk, *later]), upto="sessions")
    assert [r["opens"] for r in found["rounds"]] == [True, False, True, False]
    assert [(s["customer_messages"], s["agent_messages"]) for s in found["sessions"]] == [(2, 2), (2, 2)]


@pytest.mark.slow
def test_rounds_of_colleagues_and_of_robots_without_a_person_do_not_count() -> None:
    shop = Shop(TMALL, Roster(robots=(12,), colleagues=(2,), blocked=(3,)))
    lines = [asked("10:00:00", customer=c, agent=11) for c in (1, 2, 3)]
    lines += [asked("10:00:00", agent=12), reply("10:00:01", kind="robot", agent=12)]
    assert waits(shop, *lines) == [None]
