"""Personal data in free text becomes tokens before anything is stored: 「我电话13800000000」 → 「我电话〔手机〕」.

Vectorised: one multi-pattern look at every text finds the few that can hold anything, and only those pass the rules. Where a
digit run can be read two ways (an order number or a bank card), the nearest label decides; what stays unclear is masked all
the same. Prices, sizes, times, dates and quantities stay. Masking twice changes nothing.
"""

from dataclasses import dataclass

import polars as pl

PHONE, LANDLINE, ID_CARD, BANK_CARD = "〔手机〕", "〔电话〕", "〔身份证〕", "〔银行卡〕"
EMAIL, CONTACT, ADDRESS, NAME = "〔邮箱〕", "〔微信〕", "〔地址〕", "〔姓名〕"
ORDER_NO, TRACKING_NO, ITEM_LINK, NICK = "〔订单号〕", "〔运单号〕", "〔商品链接〕", "〔昵称〕"
TOKENS = (PHONE, LANDLINE, ID_CARD, BANK_CARD, EMAIL, CONTACT, ADDRESS, NAME, ORDER_NO, TRACKING_NO, ITEM_LINK, NICK)

Rules = tuple[tuple[str, str], ...]
"""Pattern and what it becomes, in the order in which they are applied."""

_ITEM_PAGE = r"(?:item|detail|goods)\.html?\?(?:[!-~]*?[&?])?(?:item_?|goods_)?id="
ITEM_ID = rf"(?i){_ITEM_PAGE}([0-9]{{5,20}})"
"""An item's id inside its link; group 1 is the id. The first link of a text counts."""

_LINK = rf"(?i)(?:https?:)?//[!-~]*?{_ITEM_PAGE}[0-9]{{5,20}}[!-~]*"
_BARE_LINK = rf"(?i)[a-z0-9.\-]+/(?:[a-z0-9/\-]*/)?{_ITEM_PAGE}[0-9]{{5,20}}[!-~]*"

# Digits as people type them, ASCII or full-width; what they put between groups, invisible characters included.
_D = "[0-9０-９]"
_NOT_D = "(^|[^0-9０-９])"
_SEP = r"[ \t\u{a0}\u{3000}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{feff}.\-\u{2010}-\u{2015}\u{2212}－—_·•/*~]"
_ONE, _THREE_NINE = "[1１]", "[3-9３-９]"
_WORD = "[零〇○Oo一壹幺二贰两三叁四肆五伍六陆七柒八捌九玖]"
_WORD_D = "[0-9０-９零〇○Oo一壹幺二贰两三叁四肆五伍六陆七柒八捌九玖]"
_WORD_3_9 = "[3-9３-９三叁四肆五伍六陆七柒八捌九玖]"
_IS = r"(?:[号码：:是为=，,\s]|就是|改成|换成|给你|发你|如下|【|\[|\(|（){0,4}"


def _n(count: str) -> str:
    return f"{_D}{{{count}}}"


def _groups(*sizes: int) -> str:
    """A mainland mobile number written in groups of these sizes (the first two digits are 1 and 3–9)."""
    first = f"{_ONE}{_THREE_NINE}{_n(str(sizes[0] - 2)) if sizes[0] > 2 else ''}"
    return first + "".join(f"{_SEP}{{1,3}}{_n(str(size))}" for size in sizes[1:])


_GROUPS = (
    ((3, 4, 4), (3, 3, 5), (4, 4, 3), (4, 3, 4), (3, 8), (7, 4)),
    ((5, 6), (6, 5), (3, 2, 2, 2, 2), (3, 4, 2, 2), (5, 3, 3)),
)
_EXTENSION = rf"(?:\s?(?:[\-－—转#,，]|分机|转接){{1,2}}{_n('3,4')})?"
_PREFIX = rf"(?:[+＋]?[8８][6６]{_SEP}{{0,2}}|[(（][+＋]?[8８][6６][)）]{_SEP}{{0,2}}|0)?"
_BIRTH = "(?:[1１][9９]|[2２][0０])[0-9０-９]{2}(?:[0０][1-9１-９]|[1１][0-2０-２])(?:[0-2０-２][0-9０-９]|[3３][01０１])"
_SHORT_BIRTH = "[0-9０-９]{2}(?:[0０][1-9１-９]|[1１][0-2０-２])(?:[0-2０-２][1-9１-９]|[1-3１-３][0０]|[3３][1１])"

_COURIERS = "SF|YTO?|JDV?[A-Z]?|ZTO|STO|YD|YUNDA|EMS|DPK|DPL|JTSD|JT|YZ|HTKY|BEST|ZJS|UC|DBL|TT|LP|QFKD|FAST|HT"
_EMAILS: Rules = ((r"[A-Za-z0-9._%+\-]+\s?[@＠]\s?[A-Za-z0-9\-]+(?:[.。．点]\s?[A-Za-z0-9\-]{2,})+", EMAIL),)
# Labelled numbers come first: the label knows better than the length.
_LABELLED: Rules = (
    (rf"(订单(?:编?号|[iI][dD])?{_IS}){_n('8,24')}", "${1}" + ORDER_NO),
    (
        rf"((?:运单|快递|物流|退货|退回|寄回|回寄|面单|[^订]单){_SEP}?(?:编?号)?{_IS})[A-Za-z]{{0,5}}{_n('10,20')}[A-Za-z]{{0,2}}",
        "${1}" + TRACKING_NO,
    ),
    (rf"^(单号{_IS})[A-Za-z]{{0,5}}{_n('8,20')}[A-Za-z]{{0,2}}", "${1}" + TRACKING_NO),
    (
        rf"((?:银行|储蓄|借记|信用)卡{_IS}|卡号{_IS}|账[号户]{_IS}|帐[号户]{_IS})(?:{_D}{_SEP}?){{11,21}}{_D}",
        "${1}" + BANK_CARD,
    ),
)
_COURIER_NUMBERS: Rules = (
    (
        rf"(?i)(?-u:\b)(?:{_COURIERS}){_n('9,18')}[A-Z]{{0,2}}(?-u:\b)",
        TRACKING_NO,
    ),
    (rf"(?-u:\b)[A-Z]{{2}}{_n('9')}CN(?-u:\b)", TRACKING_NO),
)
_GROUPED: Rules = (
    (rf"{_NOT_D}[1-9１-９]{_n('5')}{_SEP}{{1,2}}{_BIRTH}{_SEP}{{1,2}}{_n('3')}[0-9０-９XxＸｘ]", "${1}" + ID_CARD),
    (rf"{_NOT_D}[3-6３-６]{_n('3')}(?:{_SEP}{{1,2}}{_n('4')}){{2,3}}{_SEP}{{1,2}}{_n('1,4')}", "${1}" + BANK_CARD),
    (rf"{_NOT_D}[3-6３-６]{_n('5')}{_SEP}{{1,2}}{_n('7,13')}", "${1}" + BANK_CARD),
)
# An id card by its date, then by length; 12 digits and more are never a price or a quantity.
_RUNS: Rules = (
    (rf"{_NOT_D}[1-9１-９]{_n('5')}{_BIRTH}{_n('3')}[XxＸｘ]", "${1}" + ID_CARD),
    (rf"{_NOT_D}[1-9１-９]{_n('5')}{_BIRTH}{_n('4')}([^0-9０-９]|$)", "${1}" + ID_CARD + "${2}"),
    (rf"{_NOT_D}{_n('17')}[XxＸｘ]", "${1}" + ID_CARD),
    (rf"{_NOT_D}[1-9１-９]{_n('5')}{_SHORT_BIRTH}{_n('3')}([^0-9０-９]|$)", "${1}" + ID_CARD + "${2}"),
    (rf"{_NOT_D}[6６][2２]{_n('14,17')}([^0-9０-９]|$)", "${1}" + BANK_CARD + "${2}"),
    (rf"{_NOT_D}{_PREFIX}{_ONE}{_THREE_NINE}{_n('9')}([^0-9０-９]|$)", "${1}" + PHONE + "${2}"),
    (rf"{_n('15,')}", ORDER_NO),
    (rf"{_NOT_D}0{_n('9,11')}([^0-9０-９]|$)", "${1}" + LANDLINE + "${2}"),
    (rf"{_n('13,')}", BANK_CARD),
    (rf"{_n('12,')}", TRACKING_NO),
)
_PHONES: Rules = (
    *((rf"{_NOT_D}{_PREFIX}(?:{'|'.join(_groups(*sizes) for sizes in some)})", "${1}" + PHONE) for some in _GROUPS),
    (rf"{_NOT_D}{_PREFIX}{_ONE}{_SEP}{{1,2}}{_THREE_NINE}(?:{_SEP}{{1,2}}{_D}){{9}}", "${1}" + PHONE),
)
_WORDED: Rules = (
    (rf"{_NOT_D}{_PREFIX}[一壹幺]{_SEP}?{_WORD_3_9}(?:{_SEP}?{_WORD_D}){{9}}", "${1}" + PHONE),
    (rf"{_NOT_D}{_PREFIX}{_ONE}{_SEP}?{_WORD_3_9}{_SEP}?{_WORD_D}(?:{_SEP}?{_WORD}){{8}}", "${1}" + PHONE),
)
_LANDLINES: Rules = (
    (rf"{_NOT_D}[(（]?[0０]{_n('2,3')}[)）]?{_SEP}{{0,2}}[1-9１-９]{_n('6,7')}", "${1}" + LANDLINE),
    (rf"{_NOT_D}[48][0０]{{2}}{_SEP}{_n('3,4')}{_SEP}{_n('3,4')}", "${1}" + LANDLINE),
)
_AFTER_PHONES: Rules = (
    (rf"({PHONE}|{LANDLINE}){_EXTENSION}", "${1}"),
    (rf"(?:[+＋][8８][6６]{_SEP}{{0,2}}){PHONE}", PHONE),
)

_APP = (
    r"(?:微信|薇信|威信|维信|徽信|[vｖ]信|(?-u:\b)(?:vx|wx|weixin|wechat|qq)|加v|加微|ｑｑ|扣扣"
    "|企鹅号|q号|旺旺号|支付宝账号|小红书号|抖音号)"
)
_CONTACTS: Rules = (
    (rf"(?i)({_APP}\s*(?:账号|帐号|群|id)?\s*(?:[号：:是为=]|就是|号码)+\s*)[a-z0-9][a-z0-9_\-]{{4,24}}", "${1}" + CONTACT),
    (rf"(?i)({_APP}\s*)(?:[a-z][a-z\-]*[0-9_][a-z0-9_\-]{{1,20}}|[1-9][0-9]{{5,10}})", "${1}" + CONTACT),
    (rf"(?i)[a-z0-9][a-z0-9_\-]{{4,24}}(\s?(?:是|就是|这是|这个是)?我的?(?:{_APP}))", CONTACT + "${1}"),
)

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾"
    "|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_N = "[0-9０-９一二三四五六七八九十百零〇A-Za-z甲乙丙丁]"
_HAN = r"\p{Han}"
_OF = "(?:省|市|自治区|特别行政区|壮族自治区|回族自治区|维吾尔自治区)"
_REGION = (
    rf"(?:(?:{_PROVINCES}){_OF}?\s?)?"
    rf"(?:{_HAN}{{2,7}}?(?:市|自治州|地区|盟)\s?)?(?:{_HAN}{{1,7}}?(?:区|县|市|旗)\s?)?(?:{_HAN}{{1,7}}?(?:镇|乡|街道|开发区)\s?)?"
)
_STREET = (
    "(?:路|街|大道|道|巷|弄|胡同|里弄|支路|条|村|屯|庄|组|小区|花园|公寓|家园|花苑|苑|新村|大厦|广场|宿舍|校区|大学|学院|医院"
    "|园区|工业园|科技园|中心|城|府|邸|湾|园|郡|居|庭|坊|里)"
)
_UNIT = rf"(?:{_N}{{1,6}}[\-－]?{_N}{{0,4}}\s?(?:号楼|号院|号门|号|弄|栋|幢|座|楼|单元|层|室|户|房|组|队|门)\s?)"
_ADDRESSES: Rules = (
    (
        r"((?:收货|收件|退货|寄件|详细|新|邮寄|家庭)?(?:地址|住址)(?:改成|改为|换成|是|为)?\s?[：:]\s?)"
        rf"(?:[^\n〔〕，。；;！？!?：:/]{{0,20}}?(?:{_PROVINCES}|[省市区县镇乡村路街道巷弄号栋幢座楼室园苑城府]|单元|小区|{_D}))+[0-9A-Za-z\-]{{0,6}}",
        "${1}" + ADDRESS,
    ),
    (
        rf"(?:{_PROVINCES}){_OF}?[\s,，]?(?:{_HAN}{{1,9}}?(?:市|自治州|地区|盟|区|县|旗)[\s,，]?){{1,3}}"
        rf"(?:{_HAN}{{1,9}}?(?:镇|乡|街道|开发区)[\s,，]?)?[{_HAN}A-Za-z0-9０-９（）()\-－#]{{0,30}}?"
        rf"(?:{_STREET}[\s,，]?(?:[{_HAN}A-Za-z]{{0,12}}?{_UNIT}+)+[0-9０-９]{{0,4}}|{_UNIT}{{1,5}}[0-9０-９]{{0,4}}|{_STREET}{_n('1,5')}(?:[\-－]{_n('1,4')}){{0,3}})",
        ADDRESS,
    ),
    (
        rf"{_REGION}{_HAN}{{1,10}}(?:路|街|大道|巷|弄|胡同|小区|花园|公寓|家园|花苑|新村|大厦|宿舍|号院|村)\s?{_UNIT}+(?:[{_HAN}]{{0,10}}?{_UNIT}+)*[0-9０-９]{{0,4}}",
        ADDRESS,
    ),
    (rf"{_n('1,3')}(?:号楼|栋|幢|座|号院)\s?(?:{_N}{{1,2}}(?:单元|门|座)\s?)?{_n('3,5')}(?:室|户|房|号)?", ADDRESS),
    (
        rf"{_n('1,3')}(?:号楼|栋|幢|号院|座)\s?{_n('1,2')}(?:单元|门)(?:\s?{_n('1,2')}(?:楼|层))?(?:\s?{_n('1,4')}(?:室|户|号)?)?",
        ADDRESS,
    ),
)  # fmt: skip

_SURNAME = (
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹"
    "孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐庞颜庄聂章鲁岳翟殷詹申欧耿关焦俞左甘祝包宁尚符舒柯纪童毕单裴霍成苗谷盛曲冉]"
)
_FULL_NAME = (
    rf"(?:(?:(?:欧阳|上官|司马|诸葛|夏侯|慕容)|{_SURNAME})(?:{_HAN}{{1,2}}|[*＊某×xX]{{1,2}})"
    rf"|谢(?:[{_HAN}--谢]{_HAN}?|[*＊某×xX]{{1,2}}))"  # 「谢谢」 is no name
)
_WHO = "(?:收货人|收件人|收货姓名|收件姓名|联系人|寄件人|姓名|真实姓名|名字)"
_NAMES: Rules = (
    (rf"({_WHO}\s?[：:]\s?){_SURNAME}{_HAN}{{1,2}}?(电话|手机|联系|地址|号码|收)", "${1}" + NAME + "${2}"),
    (rf"({_WHO}\s?[：:]\s?)(?:[{_HAN}·*＊]{{1,6}}|[A-Za-z ]{{2,20}})($|[\s,，。;；|/〔])", "${1}" + NAME + "${2}"),
    (rf"({_WHO}\s?[：:]\s?){_FULL_NAME}", "${1}" + NAME),
    (rf"({_WHO}(?:改成|改为|换成|写|叫|是|为|\s){{1,2}}){_FULL_NAME}", "${1}" + NAME),
    (rf"({_WHO}){_FULL_NAME}($|[\s,，。；;、])", "${1}" + NAME + "${2}"),
    (rf"(^|[\n,，。;；：: \t、]){_FULL_NAME}([\s,，、：:]{{0,3}}(?:{PHONE}|{LANDLINE}))", "${1}" + NAME + "${2}"),
    (rf"((?:{PHONE}|{LANDLINE})[\s,，、]{{0,3}}){_FULL_NAME}($|[\s,，、])", "${1}" + NAME + "${2}"),
    (rf"({ADDRESS}[ \t\n]{{1,3}}){_FULL_NAME}($|[\s,，、])", "${1}" + NAME + "${2}"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Stage:
    """Rules that only texts matching `when` can need. Most texts need few: what is looked for rarely is compiled rarely."""

    when: str
    rules: Rules


_LINKS = _Stage(r"(?i)(?:item|detail|goods)\.html?\?", ((_LINK, ITEM_LINK), (_BARE_LINK, ITEM_LINK)))
_NUMBERS = rf"(?:{_D}[^0-9０-９\n]{{0,3}}){{6}}|[@＠]|(?:{_WORD_D}{_SEP}?){{11}}"
_OTHERS = (
    _Stage(rf"(?i){_APP}", _CONTACTS),
    _Stage(rf"地址|住址|{_N}\s?(?:号|栋|幢|座|单元|室|弄|组|队|户|房)|{_STREET}\s?{_D}", _ADDRESSES),
    _Stage(rf"{_WHO}|{PHONE}|{LANDLINE}|{ADDRESS}", _NAMES),
)
_STAGES = (
    _LINKS,
    _Stage("[@＠]", _EMAILS),
    _Stage(rf"[单递流货回寄卡账帐](?s:.)*{_n('8')}|[卡账帐](?s:.)*{_D}{_SEP}", _LABELLED),
    _Stage(rf"[A-Za-z]{_n('9')}", _COURIER_NUMBERS),
    _Stage(rf"{_D}{_SEP}{{1,2}}{_D}", _GROUPED),
    _Stage(_n("10"), _RUNS),
    _Stage(rf"{_D}{_SEP}{{1,3}}{_D}", _PHONES),
    _Stage(rf"(?:{_WORD_D}{_SEP}?){{11}}", _WORDED),
    _Stage(rf"{_n('6')}|[48][0０]{{2}}{_SEP}", _LANDLINES),
    _Stage(f"{PHONE}|{LANDLINE}", _AFTER_PHONES),
    *_OTHERS,
)
_ANY = "|".join(f"(?:{when})" for when in (_LINKS.when, _NUMBERS, *(stage.when for stage in _OTHERS)))
"""What a text holds that any stage could change: one look costs as much as one stage's. A text that only a token of an
earlier stage calls for was changed by that stage, so this look has found it."""


def mask(texts: pl.Series) -> pl.Series:
    """The same texts with personal data replaced by `TOKENS`; nulls stay null, length and order stay.

    Texts without a digit run, an @, an address or a contact word come back untouched, character for character.
    """
    hit = texts.str.contains(_ANY).arg_true()
    if not len(hit):
        return texts
    some = texts.gather(hit)
    for stage in _STAGES:
        some = _replaced(some, stage)
    return texts.clone().scatter(hit, some)  # scatter writes in place


def _replaced(texts: pl.Series, stage: _Stage) -> pl.Series:
    hit = texts.str.contains(stage.when).arg_true()
    if not len(hit):
        return texts
    some = texts.gather(hit)
    for pattern, token in stage.rules:
        some = some.str.replace_all(pattern, token)
    return texts.scatter(hit, some)
