"""A policy in plain Chinese or English, with its worked examples; their answers come from the engine."""

import json
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from app.policies.compiled import CompiledPolicy, compiled
from app.policies.model import Bilingual, Conflict, Default, Example, ProgrammePart, RatePart, TierPart
from app.policies.question import ask
from app.policies.quote import Quotation, quote
from app.policies.wording import BASIS_EN, BASIS_ZH, percent, yuan

Language: TypeAlias = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "version": ("第 {n} 版", "version {n}"),
    "programme": ("项目", "Programme"),
    "mode": ("方式", "How"),
    "apply": ("先申领,经审核发券后交易、兑现", "apply, get the voucher after review, then trade and redeem"),
    "automatic": ("免申即享:平台订单触发自动发券", "no application: the platform's order triggers the issue"),
    "instant": ("即领即享:即时发券,结算时抵扣", "issued at once, deducted at settlement, in several parts"),
    "after_trade": ("先交易,后线上申领", "trade first, claim online afterwards"),
    "trade_time": ("按交易发生时间先后顺序兑付,兑完即止", "paid in order of trade time until the money is used up"),
    "rounds": ("兑付轮次", "Rounds"),
    "round_begins": (
        "每个交易日为一轮,该日后满 {days} 天开始,按交易时间先后兑付,最后一笔可部分兑付",
        "the trades of a day are one round; it begins {days} days after the day is over and pays in order of trade "
        "time, the last in part",
    ),
    "round_late": (
        "迟到的存证:若尚无更晚的交易已兑付则照常兑付,否则不予兑付,其发票可用于同组其他项目",
        "late evidence is paid if no later trade was paid yet, and refused else; its invoice may be used under another "
        "programme of the group",
    ),
    "round_overdue": (
        "待核查或未上链的申领最多使后续交易等待 {days} 个工作日,期满让位,轮次继续",
        "a claim that is held, or whose evidence is not anchored, keeps later trades waiting for {days} working days "
        "at most; then the round goes on",
    ),
    "budget": ("资金", "Budget"),
    "unstated": ("未载明总额", "no total stated"),
    "from_to": ("{first} 至 {last}", "{first} to {last}"),
    "tiers": ("档次", "Tiers"),
    "rate": ("{what}:{basis}的 {rate}", "{what}: {rate} of the {basis}"),
    "period_cap": ("每期不超过 {cap}", "at most {cap} in a period"),
    "total_cap": ("政策期累计不超过 {cap}", "at most {cap} over the whole term"),
    "no_cap": ("不设上限", "no cap"),
    "agreement_only": ("以单独批准的比例为准", "by the rate that was granted"),
    "conditions": ("条件", "Conditions"),
    "excluded": ("不适用:{text}", "Not if: {text}"),
    "standing": ("非失信被执行人,未列入税收违法黑名单", "not a dishonest judgment debtor, not on the tax blacklist"),
    "unrelated": ("买卖双方无关联关系", "buyer and supplier unrelated"),
    "regions": ("交付地:{regions}", "place of delivery: {regions}"),
    "platforms": ("交易平台:{platforms}", "traded through: {platforms}"),
    "suppliers": ("供应商须入库备案", "supplier on the programme's list"),
    "price_fair": ("签约价格不超过市场公允价格范围", "price at signing within the fair market range"),
    "buyer_paid": ("费用已支付", "the fee is paid"),
    "one_claim": ("同一合同只享受一次", "one contract, one claim"),
    "excluded_items": ("不含:{items}", "not for: {items}"),
    "contracts": ("合同签订于 {first} 至 {last}", "contract signed {first} to {last}"),
    "agreements": ("另有协议的,按协议比例执行(不超过 {rate})", "a separate agreement's rate overrides, up to {rate}"),
    "claims_until": ("申领截至 {day}", "claims until {day}"),
    "stages": ("审核", "Review"),
    "stage": ("{title}({required} 人){documents}", "{title} ({required}){documents}"),
    "example": ("算例", "Worked example"),
    "open": ("政策未载明、由本文件设定", "Left open by the sources, set by this file"),
    "default": ("{field}: {chosen}。{why}", "{field}: {chosen}. {why}"),
    "conflicts": ("来源不一致之处", "Where the sources contradict each other"),
    "conflict": ("{field}: 取 {taken};另一说 {other}。{why}", "{field}: taken {taken}; the other says {other}. {why}"),
    "quotes": ("依据", "Sources"),
    "compute": ("算力", "compute"),
    "data": ("数据交易产品", "data-trade products"),
    "deployment": ("算力部署", "deployed capacity"),
    "investment": ("投资", "investment"),
    "project_cost": ("项目算力成本", "compute cost of a project"),
    "general": ("通算", "general"),
    "intelligent": ("智算", "intelligent"),
    "super": ("超算", "super"),
    "domestic": ("国产", "domestic"),
    "not_domestic": ("非国产", "not domestic"),
    "answer": ("补贴 {amount}", "subsidy {amount}"),
}


def explain(content: bytes, language: Language) -> str:
    """The policy for people, as plain text of several lines.

    Raises:
        PolicyError: the file cannot be used.
    """
    return "\n".join(_Explainer(compiled(content), language).lines())


def asked(example: Example) -> dict[str, Any]:
    """The question of a worked example as JSON; YAML's dates are texts there."""
    members = {"claimant": example.claimant, "trade": example.trade, "used": example.used}
    content: dict[str, Any] = json.loads(json.dumps(members, default=str))
    return content


def answer_of(policy: CompiledPolicy, example: Example) -> Quotation:
    """What the engine says to a worked example."""
    return quote(policy, ask(asked(example)))


class _Explainer:
    def __init__(self, policy: CompiledPolicy, language: Language) -> None:
        self._compiled = policy
        self._policy = policy.policy
        self._zh = language == "zh"

    def lines(self) -> Iterator[str]:
        policy = self._policy
        yield f"{self._text(policy.title)} ({policy.policy}, {self._word('version', n=policy.version)})"
        yield self._text(policy.summary).strip()
        for part in policy.programmes:
            yield ""
            yield from self._programme(part)
        for heading, items in (
            ("open", [self._default(one) for one in policy.defaults]),
            ("conflicts", [self._conflict(one) for one in policy.conflicts]),
            ("quotes", [f"“{one.quote}” → {', '.join(one.gives)}" for one in policy.sources]),
        ):
            if items:
                yield ""
                yield self._word(heading)
                yield from (f"  - {item}" for item in items)

    def _default(self, one: Default) -> str:
        return self._word("default", field=one.field, chosen=self._text(one.chosen), why=self._text(one.why))

    def _conflict(self, one: Conflict) -> str:
        taken, other, why = (self._text(text) for text in (one.taken, one.other, one.why))
        return self._word("conflict", field=one.field, taken=taken, other=other, why=why)

    def _programme(self, part: ProgrammePart) -> Iterator[str]:
        yield f"{self._word('programme')}: {self._text(part.title)} ({part.name})"
        order = [self._word("trade_time")] if part.order == "trade_time" else []
        yield f"  {self._word('mode')}: {self._join([self._word(part.mode), *order])}"
        if (going := part.trade_rounds) is not None:
            rounds = (
                self._word("round_begins", days=going.delay_days),
                self._word("round_late"),
                self._word("round_overdue", days=going.hold_days),
            )
            yield f"  {self._word('rounds')}: {self._join(rounds)}"
        yield f"  {self._word('budget')}: {self._join(self._budgets(part))}"
        yield f"  {self._word('tiers')}:"
        for tier in part.tiers:
            yield f"    - {self._tier(part, tier)}"
        yield f"  {self._word('conditions')}: {self._join(self._conditions(part))}"
        yield f"  {self._word('stages')}: {' → '.join(self._stages(part))}"
        for example in part.examples:
            yield f"  {self._word('example')}: {self._text(example.title)}"
            yield from (f"    {line}" for line in self._answer(example))

    def _budgets(self, part: ProgrammePart) -> Iterator[str]:
        for index, budget in enumerate(part.budgets):
            days = [one for one in part.periods if one.budget == index]
            span = self._word("from_to", first=days[0].first, last=days[-1].last) if days else "-"
            amount = self._word("unstated") if budget.amount_fen is None else yuan(budget.amount_fen)
            yield f"{span} {amount}"

    def _tier(self, part: ProgrammePart, tier: TierPart) -> str:
        basis = (BASIS_ZH if self._zh else BASIS_EN)[part.basis]
        items = [
            self._word("rate", what=self._product(rate), basis=basis, rate=percent(rate.rate_bps))
            if rate.rate_bps
            else self._word("agreement_only")
            for rate in tier.rates
        ]
        if tier.period_cap_fen is not None:
            items.append(self._word("period_cap", cap=yuan(tier.period_cap_fen)))
        if tier.total_cap_fen is not None:
            items.append(self._word("total_cap", cap=yuan(tier.total_cap_fen)))
        if tier.period_cap_fen is None and tier.total_cap_fen is None:
            items.append(self._word("no_cap"))
        return f"{self._text(tier.title)} [{tier.name}]: {self._join(items)}"

    def _product(self, rate: RatePart) -> str:
        words = [self._word(rate.kind)]
        if rate.kind == "compute" and len(rate.compute_types) < 3:
            words.append("/".join(self._word(one) for one in rate.compute_types))
        if rate.domestic_chip is not None:
            words.append(self._word("domestic" if rate.domestic_chip else "not_domestic"))
        return words[0] if len(words) == 1 else f"{words[0]} ({', '.join(words[1:])})"

    def _conditions(self, part: ProgrammePart) -> Iterator[str]:
        scope = part.scope
        yield from (self._text(rule.text) for rule in part.eligible)
        yield from (self._word("excluded", text=self._text(rule.text)) for rule in part.excluded)
        yield self._word("standing")
        yield self._word("unrelated")
        if scope.regions:
            yield self._word("regions", regions=", ".join(scope.regions))
        if scope.platforms is not None:
            yield self._word("platforms", platforms=", ".join(scope.platforms))
        if scope.suppliers == "listed":
            yield self._word("suppliers")
        for holds, word in (
            (part.price_fair, "price_fair"),
            (part.buyer_paid, "buyer_paid"),
            (part.one_claim_per_contract, "one_claim"),
        ):
            if holds:
                yield self._word(word)
        if scope.excluded_items:
            yield self._word("excluded_items", items=", ".join(scope.excluded_items))
        yield self._word("contracts", first=part.window.contracts.first, last=part.window.contracts.last)
        yield self._word("claims_until", day=part.window.claims_until)
        if part.agreements is not None:
            yield self._word("agreements", rate=percent(part.agreements.max_rate_bps))

    def _stages(self, part: ProgrammePart) -> Iterator[str]:
        for stage in part.stages:
            names = self._join(self._text(self._policy.documents[name]) for name in stage.documents)
            documents = f": {names}" if names else ""
            yield self._word("stage", title=self._text(stage.title), required=stage.required, documents=documents)

    def _answer(self, example: Example) -> Iterator[str]:
        answer = answer_of(self._compiled, example)
        for one in answer.reasons:
            yield one.text_zh if self._zh else one.text_en
        amount = "?" if answer.subsidy_fen is None else yuan(answer.subsidy_fen)
        yield f"= {self._word('answer', amount=amount)}"

    def _text(self, text: Bilingual) -> str:
        return text.zh if self._zh else text.en

    def _word(self, key: str, **values: object) -> str:
        return _WORDS[key][0 if self._zh else 1].format_map(values)

    def _join(self, items: Any) -> str:
        return (";" if self._zh else "; ").join(items)
