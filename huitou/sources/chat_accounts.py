"""Who is the shop and who the buyer in a chat file, from its first lines.

huitou.toml's shop is often named otherwise than the nick in its files. So the file's own head counts too: 「店名」 or
「店名:小禾」 on the first line, in 即时消息 also on the second. Keys are always made with huitou.toml's shop.
"""

import re
from collections import Counter

from huitou.errors import FileRefused, Say
from huitou.sources.chat_blocks import STAMP
from huitou.sources.chat_lines import Form
from huitou.sources.model import Head
from huitou.sources.replies import ROBOT_SPEAKERS, SYSTEM_SPEAKERS

_OLD_ACCOUNT = re.compile(rf"^(?:cntaobao)?(([^:()\s]{{1,40}}):[^:()\s]{{1,40}})\({STAMP}\):")
_LONGEST = 80  # characters of a line that names somebody
_INSTANT_ACCOUNT = re.compile(rf"^{STAMP} +(?:cntaobao)?(([^:\s]{{1,40}}):[^:\s]{{1,40}})[:：]")

_BELOW_HEAD = re.compile(rf"^\s*(\S.{{0,60}}?)\s?{STAMP}\s*$")
_NO_NICK = re.compile(r"[,，;|\t]|-->|^/\*")
_NOBODY = re.compile(f"{SYSTEM_SPEAKERS}|{ROBOT_SPEAKERS}")
_MOSTLY = 0.8  # of the messages of others than the shop, from which one nick is taken for the file's only buyer


def form_of(head: Head, shop: str, *, old: bool, below: bool = False) -> Form:
    """How the file writes its chats; `shop` is huitou.toml's. Raises FileRefused where only another shop's accounts speak."""
    if below:
        return _form_below(head, shop)
    named = _named(head, old=old)
    own = _own(head, named, shop)
    shops = (shop,) if own in (None, shop) else (shop, str(own))
    _refuse_another_shop(head, shops, old=old)
    if old:
        return Form(old, shops)
    first, second = named
    buyer = second if second.partition(":")[0] not in shops else first if first.partition(":")[0] not in shops else ""
    return Form(old, shops, buyer if buyer and _speaks(head, f"{re.escape(buyer)}[:：]") else None, buyer or None)


def own_account(head: Head, form: Form) -> str:
    """The account that exported the file: what stands after the colon of its first lines, else the shop's main account."""
    if form.below:
        ours = Counter(nick for nick in speakers_below(head.lines) if nick.partition(":")[0] in form.shops)
        return ours.most_common(1)[0][0].rpartition(":")[2] if ours else form.shops[-1]
    for line in _named(head, old=form.old):
        nick, _, account = line.partition(":")
        if nick in form.shops and account.strip():
            return account.strip()
    return form.shops[-1]


def speakers_below(lines: tuple[str, ...]) -> list[str]:
    """Who speaks in the first lines of chats whose texts stand below the heads, once for each message."""
    found = [_BELOW_HEAD.match(line) for line in lines]
    return [one[1].strip().removeprefix("cntaobao") for one in found if one and not _NO_NICK.search(one[1])]


def _form_below(head: Head, shop: str) -> Form:
    """Nothing names the shop there: it is huitou.toml's, or the only nick that has sub-accounts."""
    speakers = speakers_below(head.lines)
    nicks = {nick.partition(":")[0] for nick in speakers if ":" in nick}
    shops = (shop, *nicks) if len(nicks) == 1 and not {shop} & {*nicks, *speakers} else (shop,)
    others = Counter(n for n in speakers if n.partition(":")[0] not in shops and not _NOBODY.match(n)).most_common()
    if len(others) > 1 and len(others) == len({n for n in speakers if not _NOBODY.match(n)}):
        says = Say(f"里面没有「{shop}」的账号说话", f"no account of «{shop}» speaks in it")
        fix = Say(
            "把 huitou.toml 的 [shop] name 改成客服名字里冒号前的店名，再导入。",
            "Set name under [shop] in huitou.toml to what stands before the colon of the accounts, then import.",
        )
        raise FileRefused(head.path, says, fix)
    sole = others[0][0] if others and others[0][1] >= _MOSTLY * sum(n for _, n in others) else None
    return Form(False, shops, sole, sole, below=True)


def _named(head: Head, *, old: bool) -> list[str]:
    """The lines that may name an account or the buyer: the first, in 即时消息 also the second; "" for what names nobody."""
    lines = [line.strip().lstrip("\ufeff").removeprefix("cntaobao").replace("：", ":") for line in (*head.lines[:2], "", "")]
    return [line if len(line) <= _LONGEST else "" for line in lines[: 1 if old else 2]]


def _own(head: Head, named: list[str], shop: str) -> str | None:
    """The nick of the shop as the file names it: one whose sub-accounts speak, else one that speaks itself."""
    nicks = [line.partition(":")[0].strip() for line in named]
    if shop in nicks:
        return shop
    with_accounts = [nick for nick in nicks if nick and _speaks(head, rf"{re.escape(nick)}:[^:\s]+[:：(]")]
    likely = [line.partition(":")[0] for line in named if ":" in line] + nicks[:1]
    speaking = [nick for nick in likely if nick and _speaks(head, rf"{re.escape(nick)}[:：(]")]
    return next(iter(with_accounts + speaking), None)


def _speaks(head: Head, speaker: str) -> bool:
    begins = re.compile(rf"(?:{STAMP} +)?(?:cntaobao)?{speaker}")
    return any(begins.match(line) for line in head.lines[1:])


def _refuse_another_shop(head: Head, shops: tuple[str, ...], *, old: bool) -> None:
    """Raise FileRefused where no account of the shop speaks, but accounts of another: their words would be taken for the
    buyer's."""
    account = _OLD_ACCOUNT if old else _INSTANT_ACCOUNT
    buyers = {line.strip("- ").removeprefix("cntaobao") for line in head.lines if line.startswith("-" * 20)}
    speaking = {found[2] for line in head.lines if (found := account.match(line)) and found[1] not in buyers}
    if len(speaking) != 1 or any(_speaks(head, rf"{re.escape(shop)}[:(]") for shop in shops):
        return
    (other,) = speaking
    says = Say(
        f"里面说话的客服是「{other}:…」，huitou.toml 里的店名是「{shops[0]}」",
        f"its accounts are «{other}:…», huitou.toml names the shop «{shops[0]}»",
    )
    fix = Say(
        "把 huitou.toml 的 [shop] name 改成这个店名，再导入。", "Set name under [shop] in huitou.toml to that nick, then import."
    )
    raise FileRefused(head.path, says, fix)
