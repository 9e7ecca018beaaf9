"""huitou.toml: written with every key, read back the same, and each mistake a sentence that names the key."""

import stat
from pathlib import Path

import pytest

from huitou.errors import HuitouError, NotAWorkspace, SettingsError
from huitou.lake import Workspace
from huitou.lake.settings import LanguageModelSettings, Settings, read_settings
from huitou.tables import key63


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    more = {
        "timezone": "Asia/Urumqi", "agent_roles": {"小\"美": "presale"}, "blocked": ("a\\b",),
        "goals": {"inquiry_conversion": 0.45}, "product_groups": {"男包": ("单肩包", "斜挎包")}, "industry": "bags",
        "llm": LanguageModelSettings("https://models.example/v1", "m", "KEY", True, 4, 10, 2000, 5.5, 0.25),
    }  # fmt: skip
    ws = Workspace.create(tmp_path, shop="青麓", platform="jd", **more)
    assert ws.settings == Settings(shop="青麓", platform="jd", **more)  # type: ignore[arg-type]
    assert Workspace.open(tmp_path).settings == ws.settings
    assert ws.settings.shop_key == key63("jd", "青麓")


def test_every_setting_is_shown(tmp_path: Path) -> None:
    Workspace.create(tmp_path, shop="青麓")
    text = (tmp_path / "huitou.toml").read_text(encoding="utf-8")
    for key in ("platform", "timezone", "currency", "rules", "industry", "[agents]", "colleagues", "blocked",
                "auto_reply_markers", "[products.groups]", "[goals]", "memory_gib", "[llm]", "send_outside"):  # fmt: skip
        assert key in text


@pytest.mark.parametrize(
    ("toml", "says", "fix"),
    [
        ('[shop]\nname = ""', "shop.name is missing", "under [shop]"),
        ('[shop]\nname = "a"\ncurency = "CNY"', "shop.curency is no key", "Did you mean currency?"),
        ('[shp]\nname = "a"', "shp is no key", "Did you mean shop?"),
        ('[shop]\nname = "a"\ntimezone = "Asia/Shangai"', "no time zone", "Asia/Shanghai"),
        ('[shop]\nname = "a"\ncurrency = "yuan"', "shop.currency is 'yuan'", "ISO 4217"),
        ('[shop]\nname = "a"\nrules = 3', "shop.rules is 3, not a text", "in quotes"),
        ('[shop]\nname = "a"\n[agents]\n"小美" = "boss"', "agents.小美 is 'boss'", "presale, insale, aftersale, robot, platform"),
        ('[shop]\nname = "a"\n[chats]\nblocked = "x"', "not a list of texts", "blocked = ["),
        ('[shop]\nname = "a"\n[goals]\nx = "0.5"', "goals.x is '0.5', not a number", "without quotes"),
        ('[shop]\nname = "a"\n[products.groups]\nbag = 1', "products.groups.bag is 1", "bag = ["),
        ('[shop]\nname = "a', "not valid TOML", "quotes"),
        ('[shop]\nname = "a"\n[llm]\nurl = "http://models.example/v1"\nmodel = "m"', "llm.url is no address", "Write https://"),
        (
            '[shop]\nname = "a"\n[llm]\nurl = "https://models.example/v1"\nmodel = "m"',
            "an address outside (models.example)",
            "send_outside = true",
        ),
        ('[shop]\nname = "a"\n[llm]\nurl = "http://[::1"', "llm.url is no address", "Write https://"),
        ('[shop]\nname = "a"\n[llm]\nurl = "https://me:secret@127.0.0.1/v1"', "llm.url is no address", "no key in the address"),
        ('[shop]\nname = "a"\n[llm]\nurl = "http://127.0.0.1:1/v1"', "llm.model is missing", "model ="),
        (
            '[shop]\nname = "a"\n[llm]\nurl = "http://10.0.0.9/v1"\nmodel = "m"\nkey_variable = "sk-123"',
            "no name of an environment variable",
            "the key itself",
        ),
        ('[shop]\nname = "a"\n[llm]\nurl = "http://10.0.0.9/v1"\nmodel = "m"\nbelow = 2', "llm.below is 2", "from 0 to 1"),
        ('[shop]\nname = "a"\n[llm]\nsend_outside = "yes"', "llm.send_outside is 'yes'", "true or false"),
    ],
)
def test_a_wrong_value_is_a_sentence(tmp_path: Path, toml: str, says: str, fix: str) -> None:
    file = tmp_path / "huitou.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    assert says in caught.value.text("en")
    assert fix in caught.value.text("en")
    assert caught.value.text("zh").endswith("。") or caught.value.text("zh").endswith("？")


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspace):
        Workspace.open(tmp_path)


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    Workspace.create(tmp_path, shop="青麓")
    key = (tmp_path / "workspace.key").read_bytes()
    with pytest.raises(HuitouError, match="already"):
        Workspace.create(tmp_path, shop="别家")
    assert Workspace.open(tmp_path).settings.shop == "青麓"
    assert (tmp_path / "workspace.key").read_bytes() == key
    assert stat.S_IMODE((tmp_path / "workspace.key").stat().st_mode) == 0o600
