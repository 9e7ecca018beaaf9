"""Invented buyers: everything about one follows from seed and number, so that none has to be remembered."""

from dataclasses import dataclass
from functools import lru_cache

from huitou.demo.chance import Dice
from huitou.demo.phrases import phrases

_SPACE, _STEP, _SHIFT = 10**9, 618_033_989, 271_828_183  # a bijection on numbers, so that no two nicks are alike


@dataclass(frozen=True, slots=True)
class Buyer:
    """One invented buyer. `clear` tells that the platform did not mask this one's name, phone and address."""

    number: int
    nick: str
    province: str
    city: str
    name: str
    phone: str
    address: str
    clear: bool


@lru_cache(maxsize=512)
def buyer(seed: int, number: int) -> Buyer:
    """The buyer with this number (0 …)."""
    dice, data = Dice(seed, "buyer", number), phrases("people")
    unique = (number * _STEP + _SHIFT + seed) % _SPACE
    place = dice.weighted((p, p["share"]) for p in data["provinces"])
    city, *districts = dice.pick(place["cities"])
    clear = dice.chance(0.06)
    surname = dice.pick(data["surnames"])
    given = dice.pick(data["given_two"]) if dice.chance(0.6) else dice.pick(data["given_one"])
    head, tail = 130 + int(dice.random() * 69), int(dice.random() * 10_000)
    street = _street(dice)
    area = f"{place['name']} {city} {dice.pick(districts)}"
    return Buyer(
        number,
        _nick(dice, unique),
        place["name"],
        city,
        surname + given if clear else surname + "*" * len(given),
        f"{head}{int(dice.random() * 10_000):04d}{tail:04d}" if clear else f"{head}****{tail:04d}",
        f"{area} {street}(000000)" if clear else f"{area} ***",
        clear,
    )


def _nick(dice: Dice, unique: int) -> str:
    data, kind = phrases("people"), dice.random()
    if kind < 0.45:
        return f"tb{unique:09d}"
    if kind < 0.60:
        return f"t_{unique:09d}_{int(dice.random() * 100):02d}"
    if kind < 0.75:
        return f"{dice.pick(data['nick_latin'])}{unique}"
    return f"{dice.pick(data['nick_heads'])}{dice.pick(data['nick_tails'])}{unique}"


def clear_phone(seed: int, number: int) -> str:
    """An invented phone number as a buyer would type it into a chat."""
    dice = Dice(seed, "phone", number)
    return f"1{dice.pick('3578')}{int(dice.random() * 10**9):09d}"


def clear_address(seed: int, number: int) -> str:
    """An invented address as a buyer or agent would type it into a chat, with a name."""
    dice, data, who = Dice(seed, "address", number), phrases("people"), buyer(seed, number)
    return f"{who.city}{_street(dice)} {dice.pick(data['surnames'])}{dice.pick(data['given_two'])}"


def _street(dice: Dice) -> str:
    data = phrases("people")
    street, home = f"{dice.pick(data['streets'])}路{dice.randrange(1, 281)}号", dice.pick(data["streets"])
    return f"{street}{home}{dice.pick(data['places'])}{dice.randrange(1, 21)}栋{dice.randrange(101, 1901)}室"


def masked(nick: str) -> str:
    """The nick as reviews show it: ``t**5``."""
    return f"{nick[0]}**{nick[-1]}"
