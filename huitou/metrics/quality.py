"""What was said in inquiries: why they were lost, and how they were handled, as far as the chats tell."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Expr, Fact, Measure, count, share
from huitou.rules import RulePack

SILENT = "unknown.silent"
CLOSINGS = ("push_order", "urge_payment", "goodbye")


@metric(
    of="inquiry_reasons", zh="流失询单数", en="Lost inquiries", unit="count", better="lower",
    needs=("chats", "orders", "buyer id"), final_after="the order window", rules=("inquiry_window_s",), source="[000]",
)  # fmt: skip
def lost_inquiries(t: Fact, rule: RulePack) -> Measure:
    """Inquiries whose order window is over and that led to no order; by ``reason`` the inquiry-loss table."""
    return count(among=(t.outcome == "lost") & ~t.open)


@metric(
    of="inquiry_reasons", zh="流失原因已知占比", en="Lost inquiries with a known reason", unit="share", better="higher",
    needs=("chats", "orders", "buyer id"), final_after="the order window", rules=("inquiry_window_s",), source="[000]",
)  # fmt: skip
def known_loss_reasons(t: Fact, rule: RulePack) -> Measure:
    """Lost inquiries of which the chat tells why ÷ lost inquiries; in the others the customer suddenly fell silent."""
    return share((t.primary != SILENT).fill_null(False), among=t.outcome == "lost", open=t.open)


@metric(
    of="inquiry_reasons", zh="没有收尾的会话占比", en="Chats without a closing step", unit="share", better="lower",
    needs=("chats",), final_after="at once", source="[003] 2.3",
)  # fmt: skip
def chats_without_closing(t: Fact, rule: RulePack) -> Measure:
    """Inquiries that a person answered without asking for the order or the payment and without a goodbye ÷ answered ones."""
    return share(~_any_of(t.steps, CLOSINGS), among=t.agent_messages > 0)


@metric(
    of="inquiry_reasons", zh="有禁语的会话占比", en="Chats with forbidden words", unit="share", better="lower",
    needs=("chats",), final_after="at once", source="[003] 2.2",
)  # fmt: skip
def chats_with_forbidden_words(t: Fact, rule: RulePack) -> Measure:
    """Inquiries in which a person used forbidden words or blamed somebody ÷ inquiries that a person answered."""
    return share(_any_of(t.faults, ("forbidden_words", "blaming")), among=t.agent_messages > 0)


def _any_of(codes: Expr, wanted: tuple[str, ...]) -> Expr:
    found = codes.contains(wanted[0])
    for code in wanted[1:]:
        found = found | codes.contains(code)
    return found
