"""The example chats made longer, as shops' chats are: settled questions before what decides, closing words behind it.

Comes in: chats of `huitou.text.loss_examples` and ``rules/examples/small_talk.toml``. Goes out: further chats with the same
reasons; `huitou.text.loss_fit` weighs what is seen in both alike.
"""

from collections.abc import Sequence
from random import Random

from huitou.text.loss_examples import Example, small_talk

_OPEN_ENDED = ("service.unanswered", "service.no_follow_up", "service.robot_stuck", "service.attitude")
_NIGHT_S, _FULL = 7_200, 9
LONGER, SILENT, UNFOLLOWED = 2, 150, 60
_LOOKING, _UNFOLLOWED = "customer.looking", "service.no_follow_up"


def longer(chat: Example, seed: int) -> Example:
    """The chat with small talk around it; the same arguments give the same."""
    dice = Random(f"{chat.texts[0]}{seed}")
    out = Example(chat.primary, chat.secondary)
    if dice.random() < 0.85:
        _before(out, dice, slow=chat.primary == "service.slow")
    decoy_at = min(chat.evidence, default=-1) if dice.random() < 0.6 else -1
    for at, text in enumerate(chat.texts):
        if at == decoy_at and chat.roles[at] == "customer":
            _decoy(out, dice)
        if at in chat.evidence:
            out.evidence.append(len(out.texts))
        since = chat.seconds[at] - chat.seconds[at - 1] if at else dice.randint(8, 60)
        _add(out, chat.roles[at], text, since)
    _behind(out, dice)
    return out


def _add(chat: Example, role: str, text: str, gap: int) -> None:
    chat.seconds.append((chat.seconds[-1] if chat.seconds else 0) + gap)
    chat.roles.append(role)
    chat.texts.append(text)


def _before(chat: Example, dice: Random, *, slow: bool) -> None:
    talk = small_talk()
    for text in dice.sample(talk["opens"], dice.choice((1, 1, 2))):
        _add(chat, "customer", text, dice.randint(2, 12))
    if dice.random() < 0.45:
        _add(chat, "robot", dice.choice(talk["automatic"]), 1)
    night = not slow and dice.random() < 0.07
    if night:
        _add(chat, "customer", dice.choice(talk["settled"]).split(" | ")[0], 9)
    if night or dice.random() < 0.75:
        _add(
            chat,
            "agent",
            dice.choice(talk["greets"]),
            dice.randint(_NIGHT_S // 4, 5 * _NIGHT_S) if night else dice.randint(3, 45),
        )
    for pair in dice.sample(talk["settled"], dice.choice((0, 1, 1, 2, 2, 3))):
        _settle(chat, dice, pair, slow=slow)


def _settle(chat: Example, dice: Random, pair: str, *, slow: bool) -> None:
    """A question with its answer, and perhaps a nod."""
    talk = small_talk()
    asked, answered = pair.split(" | ")
    _add(chat, "customer", asked, dice.randint(6, 50))
    if dice.random() < 0.06:
        _add(chat, "customer", dice.choice(talk["nudges"]), dice.randint(10, 40))
    wait = dice.randint(125, 400) if not slow and dice.random() < 0.05 else dice.randint(4, 58)
    _add(chat, "agent", answered, wait)
    if dice.random() < 0.4:
        _add(chat, "customer", dice.choice(talk["nods"]), dice.randint(4, 25))


def _decoy(chat: Example, dice: Random) -> None:
    """Just before the reason is said: other matters, and that they are well."""
    talk = small_talk()
    if dice.random() < 0.6:
        _settle(chat, dice, dice.choice(talk["settled"]), slow=chat.primary == "service.slow")
    if dice.random() < 0.6:
        _add(chat, "customer", dice.choice(talk["pleased"]), dice.randint(5, 30))


def _behind(chat: Example, dice: Random) -> None:
    talk = small_talk()
    if chat.primary == _UNFOLLOWED and chat.roles[-1] == "customer" and dice.random() < 0.3:
        _add(chat, "agent", dice.choice(talk["bare"]), dice.randint(5, 60))
    if chat.primary == _UNFOLLOWED and dice.random() < 0.4:
        chat.primary = _LOOKING
        _add(chat, "agent", dice.choice(talk["follows"]), dice.randint(1_800, 12_000))
        if dice.random() < 0.45:
            _add(chat, "customer", dice.choice(talk["declines"]), dice.randint(60, 400))
            if dice.random() < 0.5:
                _add(chat, "agent", dice.choice(talk["closes"]), dice.randint(5, 40))
    elif chat.primary not in _OPEN_ENDED and dice.random() < 0.4:
        _add(chat, "agent", dice.choice(talk["closes"]), dice.randint(60, 500) if dice.random() < 0.2 else dice.randint(5, 45))


def silent(seed: int) -> Example:
    """A chat whose every question was answered, and then the customer wrote no more."""
    dice = Random(seed)
    out = Example("unknown.silent", [])
    _before(out, dice, slow=False)
    asked, answered = dice.choice([pair for pair in small_talk()["settled"] if len(pair.split(" | ")[1]) >= _FULL]).split(" | ")
    _add(out, "customer", asked, dice.randint(8, 60))
    _add(out, "agent", answered, dice.randint(4, 58))
    out.evidence.append(len(out.texts) - 1)
    _behind(out, dice)
    return out


def put_off(seed: int) -> Example:
    """A chat in which the customer wants to think it over, with or without a word of the agent's afterwards."""
    dice = Random(f"off{seed}")
    out = Example(_UNFOLLOWED, [])
    _before(out, dice, slow=False)
    _settle(out, dice, dice.choice(small_talk()["settled"]), slow=False)
    _add(out, "customer", dice.choice(small_talk()["puts_off"]), dice.randint(8, 90))
    out.evidence.append(len(out.texts) - 1)
    _behind(out, dice)
    return out


def rehearsed(chats: Sequence[Example]) -> tuple[list[Example], list[int]]:
    """The chats, each `LONGER` times made longer, silent and unfollowed ones; of each the chat that it is measured with."""
    more = [longer(chat, seed) for seed in range(LONGER) for chat in chats]
    of = [*list(range(len(chats))) * (LONGER + 1), *range(SILENT), *range(UNFOLLOWED)]
    return [*chats, *more, *map(silent, range(SILENT)), *map(put_off, range(UNFOLLOWED))], of
