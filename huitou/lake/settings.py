"""What huitou.toml says: the shop, its rule pack, accounts, markers, goods groups, goals, and the language model it may ask."""

import ipaddress
import json
import math
import re
import tomllib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from huitou.errors import Say, SettingsError
from huitou.tables import key63

AgentRole = Literal["presale", "insale", "aftersale", "robot", "platform"]
DriftPolicy = Literal["evolve", "freeze", "discard_row", "discard_value"]

_SECTIONS: dict[str, tuple[str, ...] | None] = {
    "shop": ("name", "platform", "timezone", "currency", "rules", "industry"),
    "agents": None,
    "chats": ("colleagues", "blocked", "auto_reply_markers"),
    "products": ("groups",),
    "goals": None,
    "drift": None,
    "engine": ("memory_gib",),
    "llm": (
        "url", "model", "key_variable", "send_outside", "chats_a_call", "calls_a_run", "characters_a_run", "timeout_s", "below",
    ),
}  # fmt: skip


_USUAL_ZONE = "Asia/Shanghai"


def _is_zone(name: str) -> bool:
    """Whether a name is one of `_time_zones`, of which the usual one is not looked for among all."""
    with suppress(ZoneInfoNotFoundError):
        return bool(name == _USUAL_ZONE and ZoneInfo(name)) or name in _time_zones()
    return False


@cache
def _time_zones() -> frozenset[str]:
    """Every IANA name that this machine knows; the look through its folders is most of the work of reading settings."""
    return frozenset(available_timezones())


@dataclass(frozen=True, slots=True)
class LanguageModelSettings:
    """Section [llm]: an OpenAI-compatible address that may be asked about masked chats, and how much may be asked in one run.

    `key_variable` names the environment variable that holds the key; None: the address needs none. A reading whose certainty,
    0 … 1, is under `below` is one of the hard rest.
    """

    url: str
    model: str
    key_variable: str | None = None
    send_outside: bool = False
    chats_a_call: int = 1
    calls_a_run: int = 200
    characters_a_run: int = 1_000_000
    timeout_s: float = 60.0
    below: float = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """huitou.toml as data. Everything but the shop's name has a default; a wrong value is a `SettingsError`."""

    shop: str
    platform: str = "tmall"
    timezone: str = _USUAL_ZONE
    currency: str = "CNY"
    rules: str = "tmall-2025"
    industry: str | None = None
    agent_roles: dict[str, AgentRole] = field(default_factory=dict)
    colleagues: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    auto_reply_markers: tuple[str, ...] = ("^_^",)
    product_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    goals: dict[str, float] = field(default_factory=dict)
    memory_gib: float | None = None
    drift: dict[str, DriftPolicy] = field(default_factory=dict)
    llm: LanguageModelSettings | None = None

    @property
    def shop_key(self) -> int:
        """63-bit key of platform and shop name; the same in every table."""
        return key63(self.platform, self.shop)


def read_settings(file: Path) -> Settings:
    """Parse and check huitou.toml. Raises SettingsError that names the key and the allowed values."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(
            file, "", Say("编码不对，读不出文字", "cannot be read: the file has another encoding"),
            Say("另存为 UTF-8。", "Save it as UTF-8."),
        ) from None  # fmt: skip
    return parse_settings(text, file)


def parse_settings(text: str, file: Path) -> Settings:
    """The settings in a text; `file` is named in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        says = Say(f"不是有效的 TOML（{error}）", f"is not valid TOML: {error}")
        raise SettingsError(
            file, "", says, Say("改正那一行；文字要加引号。", "Correct that line; texts stand in quotes.")
        ) from None
    return _Reader(file, data).settings()


class _Reader:
    """Takes one parsed file apart; each wrong value is a sentence."""

    def __init__(self, file: Path, data: dict[str, Any]) -> None:
        self._file = file
        self._data = data

    def settings(self) -> Settings:
        for section, value in self._data.items():
            self._known(section, section, _SECTIONS)
            if not isinstance(value, dict):
                raise self._wrong(
                    section, Say("不是一个小节", "is not a section"), Say(f"写成 [{section}]。", f"Write it as [{section}].")
                )
            keys = _SECTIONS[section]
            for key in value if keys is not None else ():
                self._known(f"{section}.{key}", key, keys or ())
        return Settings(
            shop=self._shop(),
            platform=self._slug("platform", "tmall"),
            timezone=self._timezone(),
            currency=self._currency(),
            rules=self._slug("rules", "tmall-2025"),
            industry=self._text("shop", "industry", "") or None,
            agent_roles=self._roles(),
            colleagues=self._texts("colleagues", ()),
            blocked=self._texts("blocked", ()),
            auto_reply_markers=self._texts("auto_reply_markers", ("^_^",)),
            product_groups=self._groups(),
            goals={key: self._number(f"goals.{key}", value) for key, value in self._section("goals").items()},
            memory_gib=self._memory(),
            drift=self._drift(),
            llm=self._llm(),
        )

    def _section(self, name: str) -> dict[str, Any]:
        section: dict[str, Any] = self._data.get(name, {})
        return section

    def _wrong(self, key: str, says: Say, fix: Say) -> SettingsError:
        return SettingsError(self._file, key, says, fix)

    def _known(self, key: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            raise self._wrong(key, Say("不是 huitou.toml 的设置项", "is no key of huitou.toml"), _nearest(name, known))

    def _shop(self) -> str:
        name = self._text("shop", "name", "").strip()
        if not name:
            fix = Say('在 [shop] 下写上店铺名称：name = "…"。', 'Write the shop\'s name under [shop]: name = "…".')
            raise self._wrong("shop.name", Say("没有填写", "is missing"), fix)
        return name

    def _text(self, section: str, key: str, default: str) -> str:
        value = self._section(section).get(key, default)
        if not isinstance(value, str):
            fix = Say(f'加上引号：{key} = "…"。', f'Write it in quotes: {key} = "…".')
            raise self._wrong(f"{section}.{key}", Say(f"是 {value!r}，不是文字", f"is {value!r}, not a text"), fix)
        return value

    def _texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return self._list(f"chats.{key}", self._section("chats").get(key, list(default)))

    def _list(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            short = key.split(".")[-1]
            fix = Say(f'写成 {short} = ["…", "…"]。', f'Write {short} = ["…", "…"].')
            raise self._wrong(key, Say(f"是 {value!r}，不是文字的列表", f"is {value!r}, not a list of texts"), fix)
        return tuple(value)

    def _slug(self, key: str, default: str) -> str:
        value = self._text("shop", key, default)
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
            fix = Say(
                f"用小写字母、数字、“-”和“_”，例如 {default}。", f"Use small letters, digits, '-' and '_', such as {default}."
            )
            raise self._wrong(f"shop.{key}", Say(f"是 {value!r}", f"is {value!r}"), fix)
        return value

    def _timezone(self) -> str:
        name = self._text("shop", "timezone", _USUAL_ZONE)
        if not _is_zone(name):
            says = Say(f"是 {name!r}，没有这个时区", f"is {name!r}, which is no time zone")
            near = get_close_matches(name, _time_zones(), n=1) or [_USUAL_ZONE]
            fix = Say(f"用 IANA 时区名，例如 {near[0]}。", f"Use an IANA name such as {near[0]}.")
            raise self._wrong("shop.timezone", says, fix)
        return name

    def _currency(self) -> str:
        code = self._text("shop", "currency", "CNY")
        if not re.fullmatch(r"[A-Z]{3}", code):
            fix = Say("用三个大写字母的 ISO 4217 代码，例如 CNY。", "Use a three-letter ISO 4217 code such as CNY.")
            raise self._wrong("shop.currency", Say(f"是 {code!r}", f"is {code!r}"), fix)
        return code

    def _roles(self) -> dict[str, AgentRole]:
        roles = self._section("agents")
        allowed = get_args(AgentRole)
        for account, role in roles.items():
            if role not in allowed:
                fix = Say(f"可用：{'、'.join(allowed)}。", f"Use one of: {', '.join(allowed)}.")
                raise self._wrong(f"agents.{account}", Say(f"是 {role!r}", f"is {role!r}"), fix)
        return dict(roles)

    def _drift(self) -> dict[str, DriftPolicy]:
        policies, allowed = self._section("drift"), get_args(DriftPolicy)
        for source, policy in policies.items():
            if policy not in allowed:
                says = Say(f"是 {policy!r}", f"is {policy!r}")
                raise self._wrong(
                    f"drift.{source}", says, Say(f"可用：{'、'.join(allowed)}。", f"Use one of: {', '.join(allowed)}.")
                )
        return dict(policies)

    def _groups(self) -> dict[str, tuple[str, ...]]:
        groups = self._section("products").get("groups", {})
        if not isinstance(groups, dict):
            fix = Say("写成 [products.groups]。", "Write it as [products.groups].")
            raise self._wrong("products.groups", Say(f"是 {groups!r}，不是小节", f"is {groups!r}, not a section"), fix)
        return {name: self._list(f"products.groups.{name}", words) for name, words in groups.items()}

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            short = key.split(".")[-1]
            fix = Say(f"写成 {short} = 0.5，不加引号。", f"Write {short} = 0.5, without quotes.")
            raise self._wrong(key, Say(f"是 {value!r}，不是数值", f"is {value!r}, not a number"), fix)
        return float(value)

    def _memory(self) -> float | None:
        value = self._section("engine").get("memory_gib")
        if value is None:
            return None
        gib = self._number("engine.memory_gib", value)
        if gib < 0.5:
            says = Say(f"是 {gib:g}，太少", f"is {gib:g}, too little")
            raise self._wrong("engine.memory_gib", says, Say("至少 0.5（GiB）。", "Use at least 0.5 (GiB)."))
        return gib

    def _llm(self) -> LanguageModelSettings | None:
        """None without an address: nothing is asked."""
        section, default = self._section("llm"), LanguageModelSettings("", "")
        url = self._text("llm", "url", "").strip().rstrip("/")
        outside = section.get("send_outside", False)
        if not isinstance(outside, bool):
            says = Say(f"是 {outside!r}", f"is {outside!r}")
            raise self._wrong("llm.send_outside", says, Say("写 true 或 false。", "Write true or false."))
        if not url:
            return None
        self._address(url, outside)
        model = self._text("llm", "model", "").strip()
        if not model:
            fix = Say('写上模型的名称：model = "…"。', 'Write the model\'s name: model = "…".')
            raise self._wrong("llm.model", Say("没有填写", "is missing"), fix)
        variable = self._text("llm", "key_variable", "")
        if variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", variable):
            says = Say("不是环境变量的名称", "is no name of an environment variable")
            fix = Say(
                "这里写变量名，密钥本身放进环境变量。", "Name the variable here; the key itself belongs into the environment."
            )
            raise self._wrong("llm.key_variable", says, fix)
        return LanguageModelSettings(
            url, model, variable or None, outside,
            int(self._between("chats_a_call", default.chats_a_call, 1, 20)),
            int(self._between("calls_a_run", default.calls_a_run, 0, 1e6)),
            int(self._between("characters_a_run", default.characters_a_run, 0, 1e9)),
            self._between("timeout_s", default.timeout_s, 0.1, 600),
            self._between("below", default.below, 0, 1),
        )  # fmt: skip

    def _address(self, url: str, outside: bool) -> None:
        try:
            parts = urlsplit(url)
            host, inside = parts.hostname, is_inside(url)
            plain = parts.scheme == "https" or (parts.scheme == "http" and inside)
            right = bool(plain and host and not (parts.username or parts.password or parts.query or parts.fragment))
        except ValueError:
            right, host, inside = False, None, False
        if not right:
            fix = Say(
                "写 https://…/v1；只有本机或内网地址可以用 http，密钥不写在网址里。",
                "Write https://…/v1; http only on this machine or in its own network, and no key in the address.",
            )
            raise self._wrong("llm.url", Say("不是可用的地址", "is no address that can be used"), fix)
        if not inside and not outside:
            says = Say(f"是外部地址（{host}）", f"is an address outside ({host})")
            fix = Say(
                "若同意把打码后的聊天发给它，写 send_outside = true。",
                "If masked chats may be sent there, write send_outside = true.",
            )
            raise self._wrong("llm.url", says, fix)

    def _between(self, key: str, default: float, low: float, high: float) -> float:
        value = self._number(f"llm.{key}", self._section("llm").get(key, default))
        if not low <= value <= high:
            fix = Say(f"写 {low:g} 到 {high:g} 之间的数。", f"Use a number from {low:g} to {high:g}.")
            raise self._wrong(f"llm.{key}", Say(f"是 {value:g}", f"is {value:g}"), fix)
        return value


def is_inside(url: str) -> bool:
    """Whether an address is this machine or its own network, by name or number only: nothing is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (address.is_private and not address.is_link_local and not address.is_unspecified)


def _nearest(name: str, known: Collection[str]) -> Say:
    near = get_close_matches(name, known, n=1)
    if near:
        return Say(f"是不是 {near[0]}？", f"Did you mean {near[0]}?")
    return Say(f"可用：{'、'.join(known)}。", f"Known: {', '.join(known)}.")


def render_settings(settings: Settings) -> str:
    """huitou.toml with every key shown and explained in both languages; reading it back gives the same settings."""

    def line(key: str, value: object, example: str) -> str:
        empty = value is None or value == {}
        return f"# {key} = {example}" if empty else f"{key} = {_toml(value)}"

    return _TEMPLATE.format(
        name=line("name", settings.shop, ""),
        platform=line("platform", settings.platform, ""),
        timezone=line("timezone", settings.timezone, ""),
        currency=line("currency", settings.currency, ""),
        rules=line("rules", settings.rules, ""),
        industry=line("industry", settings.industry, '"clothing"'),
        agents=_lines(settings.agent_roles) or '# "小美" = "presale"',
        colleagues=line("colleagues", list(settings.colleagues), ""),
        blocked=line("blocked", list(settings.blocked), ""),
        markers=line("auto_reply_markers", list(settings.auto_reply_markers), ""),
        groups=_lines(settings.product_groups) or '# "男包" = ["单肩包", "斜挎包"]',
        drift=_lines(settings.drift) or '# "tmall.orders" = "freeze"',
        goals=_lines(settings.goals) or "# inquiry_conversion = 0.45",
        memory=line("memory_gib", settings.memory_gib, "4"),
        llm=_llm_lines(settings.llm),
    )


def _llm_lines(llm: LanguageModelSettings | None) -> str:
    shown = llm or LanguageModelSettings("http://127.0.0.1:11434/v1", "qwen3:8b")
    values = {key: getattr(shown, key) for key in _SECTIONS["llm"] or ()}
    lines = [f"{key} = {_toml('HUITOU_LLM_KEY' if value is None else value)}" for key, value in values.items()]
    missing = {"key_variable"} if shown.key_variable is None else set()
    return "\n".join(f"# {line}" if llm is None or line.split(" ")[0] in missing else line for line in lines)


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"{_toml(key)} = {_toml(value)}" for key, value in values.items())


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


_TEMPLATE = """\
# Huitou 回头 · 店铺设置 / shop settings

[shop]
# 店铺名称 / the shop's name
{name}
# 平台：tmall、taobao、jd、pdd、douyin、shopify… / platform
{platform}
# 时区，按它划分日期 / time zone; days are counted in it
{timezone}
# 币种 / currency (ISO 4217)
{currency}
# 规则包：响应时长、询单窗口、归属等口径 / rule pack: response hours, inquiry window, attribution…
{rules}
# 行业，用来选同行参考值 / trade, to choose peers' reference values
{industry}

[agents]
# 客服账号的分工：presale 售前、insale 售中、aftersale 售后、robot 机器人、platform 平台助手
# what an account does: presale, insale, aftersale, robot, platform
{agents}

[chats]
# 同事账号，与他们的聊天不计入接待 / accounts of colleagues; chats with them are no receptions
{colleagues}
# 屏蔽的买家 / buyers to leave out
{blocked}
# 含这些字符的客服消息算自动回复 / an agent's message with one of these is an auto-reply
{markers}

[products.groups]
# 商品分组：组名 = 标题中的词 / groups of goods: name = words in the title
{groups}

[goals]
# 本店目标：指标 = 数值（比率写小数）/ the shop's own goals: metric = number (shares as fractions)
{goals}

[drift]
# 导出的列或取值变了怎么办，按来源写，all 指全部：evolve 照常导入（默认）、freeze 整个文件不收、
# discard_row 搁置变了的行、discard_value 丢掉读不出的值
# when an export's columns or values change, by source or for all: evolve (default), freeze, discard_row, discard_value
{drift}

[engine]
# 计算最多用多少内存（GiB）；不写则为本机内存的 60%，最多 5 / memory for computing; default 60 % of the machine's, at most 5
{memory}

[llm]
# 可选的大模型（需另装 huitou[llm]），默认不用。填了 url 才会问它：只发打码后的文字，只收编码和消息号，只作提议。
# key_variable 是存放密钥的环境变量名；send_outside = true 表示同意发到外部地址；below 以下的把握才去问
# an optional language model (extra huitou[llm]), off by default: asked only where url is set, told masked text only, believed
# only codes and message numbers, as proposals. key_variable names the environment variable with the key; send_outside = true
# agrees to an address outside; only readings less certain than below are asked about
{llm}
"""
