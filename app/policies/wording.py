"""The reasons of a quotation, in Chinese and English."""

from typing import NamedTuple

TEXTS: dict[str, tuple[str, str]] = {
    # Why it is not subsidised
    "dishonest": ("申领主体为失信被执行人", "The claimant is listed as a dishonest judgment debtor (失信被执行人)"),
    "tax_blacklisted": ("申领主体列入税收违法黑名单", "The claimant is on the tax blacklist (税收违法黑名单)"),
    "related_party": ("买卖双方存在关联关系", "Buyer and supplier are related"),
    "kind_out_of_scope": ("交易类型 {kind} 不在支持范围", "Trades of kind {kind} are not in scope"),
    "product_out_of_scope": ("该类算力不在支持范围", "This kind of compute is not in scope"),
    "supplier_not_listed": ("供应商未入库备案", "The supplier is not on the programme's list"),
    "platform_not_listed": (
        "须通过 {platforms} 交易,而不是 {platform}",
        "The trade must go through {platforms}, not {platform}",
    ),
    "region_out_of_scope": (
        "交付地 {region} 不在 {regions} 范围内",
        "The place of delivery {region} is not within {regions}",
    ),
    "below_minimum": ("结算额低于 {least}", "The amount settled is below {least}"),
    "not_paid": ("申领主体尚未支付自付部分", "The buyer has not paid its own share"),
    "price_not_fair": ("签约价格超出市场公允价格范围", "The price at signing is outside the fair market range"),
    "outside_periods": ("交易时间不在政策期内", "The trade lies in no period of the policy"),
    "contract_date": (
        "合同签订日期不在 {first} 至 {last} 内",
        "The contract was not signed between {first} and {last}",
    ),
    "no_tier": ("不符合任何档次的条件", "The claimant belongs to no tier"),
    "no_policy": ("没有适用的政策", "No policy applies"),
    # What is not known
    "unknown": ("未提供 {field},无法判断", "{field} is not known, and the answer depends on it"),
    # How it came about
    "tier": (
        "适用档次:{title_zh},按{basis_zh} {basis} 的 {rate} 计算,应补 {share}",
        "Tier: {title_en}; {rate} of {basis}, the {basis_en}, is {share}",
    ),
    "higher_tier": (
        "同时符合 {tiers},按就高原则取 {tier}",
        "Belongs to {tiers}; the one that gives most counts (就高): {tier}",
    ),
    "agreement": ("另有协议,按协议比例 {rate} 执行", "A separate agreement overrides: {rate}"),
    "agreement_cut": (
        "协议比例 {agreed} 超过政策上限,按 {rate} 执行",
        "The agreed {agreed} is above what the policy allows: {rate}",
    ),
    "agreement_not_provided": (
        "本政策未规定单独协议,协议比例不适用",
        "The policy knows no separate agreements; the agreed rate does not count",
    ),
    "agreement_not_presented": (
        "未提交单独协议,按档次计算",
        "No separate agreement was presented; the tier's rate counts",
    ),
    "used_not_given": (
        "未提供已用额度,按首次申领计算",
        "Nothing was said of earlier payments; answered as for a first claim",
    ),
    "limited_by_support_ceiling": (
        "各级财政支持合计以 {ceiling} 为限,尚余 {left}",
        "All public support together is limited to {ceiling}, of which {left} is left",
    ),
    "limited_by_period_cap": (
        "每期上限 {cap},尚余 {left}",
        "The cap of the period is {cap}, of which {left} is left",
    ),
    "limited_by_total_cap": (
        "政策期累计上限 {cap},尚余 {left}",
        "The cap over the whole term is {cap}, of which {left} is left",
    ),
    "limited_by_budget": ("资金预算 {cap},尚余 {left}", "The budget is {cap}, of which {left} is left"),
    "nothing_to_pay": ("无可补贴金额", "Nothing is left to be paid"),
    "higher_policy": (
        "就高不重复:{policy} 给予 {subsidy},为最高;其次 {next}",
        "Of several the one that gives most (就高不重复): {policy} gives {subsidy}; next: {next}",
    ),
    "undecided": ("资料不足,未能比较:{others}", "Not compared, as too little is known: {others}"),
}
BASIS_ZH = {"settled": "实际结算额", "rent_incurred": "实际发生租金", "contract_value": "合同金额"}
BASIS_EN = {"settled": "amount settled", "rent_incurred": "rent incurred", "contract_value": "contract value"}


class Reason(NamedTuple):
    """A reason: a stable code, and the text in both languages."""

    code: str
    text_zh: str
    text_en: str


def reason(code: str, **values: object) -> Reason:
    """A reason of TEXTS with its values filled in."""
    zh, en = TEXTS[code]
    return Reason(code, zh.format_map(values), en.format_map(values))


def unknown(field: str) -> Reason:
    """The reason for a field that is missing; its code ends in the field."""
    zh, en = TEXTS["unknown"]
    return Reason(f"unknown.{field}", zh.format(field=field), en.format(field=field))


def yuan(fen: int) -> str:
    """An amount for people, to the fen: ¥1,234.50."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def percent(bps: int) -> str:
    """A rate for people: 30%, 12.5%."""
    return f"{bps / 100:g}%"
