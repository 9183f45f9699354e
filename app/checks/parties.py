"""standing and related-party: who may take part, and whether buyer and supplier are strangers. Answer: reject.

The contract refuses both by what its registry says. The imported blacklists (失信被执行人, 税收违法黑名单) speak of
years, and are known here before anyone sets a standing on chain.
"""

import msgspec

from app.checks.outcome import OK, Outcome, reject
from app.policies.checks import Check


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation in a trade.

    Attributes:
        role: buyer, supplier or platform.
        known: Whether the registry has it.
        standing: Of the registry: good, dishonest, tax_blacklisted.
        blacklists: Imported lists that it stood on in the year of the claim, by calendar of China.
    """

    role: str
    known: bool
    standing: str = "good"
    standing_until_at: int = 2**40 - 1
    frozen: bool = False
    blacklists: list[str] = []


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All parties of a trade, and when they are looked at."""

    parties: list[Party]
    looked_at: int


def standing(trade: Standing, _limits: Check) -> Outcome:
    """The first party that may not take part."""
    for party in trade.parties:
        found = _excluded(party, trade.looked_at)
        if found:
            return found
    return OK


def _excluded(party: Party, at: int) -> Outcome | None:
    if not party.known:
        return reject(
            "unknown", "{role} 未登记", "The {role} is not registered", error="EntityRegistry_Unknown", role=party.role
        )
    if party.frozen:
        return reject(
            "frozen", "{role} 已被冻结", "The {role} is frozen", error="EntityRegistry_Frozen", role=party.role
        )
    if at > party.standing_until_at:
        return reject(
            "lapsed",
            "{role} 的信用状态已于 {until_at} 过期",
            "The standing of the {role} held until {until_at}",
            error="EntityRegistry_StandingLapsed",
            role=party.role,
            until_at=party.standing_until_at,
        )
    if party.standing != "good":
        return reject(
            "excluded",
            "{role} 信用状态为 {standing}",
            "The standing of the {role} is {standing}",
            error="EntityRegistry_Excluded",
            role=party.role,
            standing=party.standing,
        )
    if party.blacklists:
        return reject(
            "blacklisted",
            "{role} 在申领年度内列入名单:{lists}",
            "The {role} stands on a blacklist in the year of the claim: {lists}",
            role=party.role,
            lists=party.blacklists,
        )
    return None


class RelatedParty(msgspec.Struct, frozen=True, kw_only=True):
    """Registry ids in hex; controllers null where there is none.

    Attributes:
        buyer_supplies: Whether the buyer is on the programme's list of suppliers.
    """

    buyer: str
    supplier: str
    platform: str
    buyer_controller: str | None
    supplier_controller: str | None
    buyer_supplies: bool = False


def related_party(trade: RelatedParty, _limits: Check) -> Outcome:
    """One organisation in two parts, one controller behind both, or a supplier who claims."""
    same = trade.buyer_controller is not None and trade.buyer_controller == trade.supplier_controller
    if trade.buyer in (trade.supplier, trade.platform):
        code, zh, en = "same", "买方同时是供应商或平台", "The buyer is the supplier or the platform itself"
    elif same:
        code, zh, en = "controller", "买方与供应商同受一方控制", "One controller stands behind buyer and supplier"
    elif trade.buyer_supplies:
        code, zh, en = (
            "claimant_supplies",
            "买方本身是项目名录内供应商",
            "The buyer is itself a supplier in the programme",
        )
    else:
        return OK
    return reject(code, zh, en, error="VoucherLedger_RelatedParties", buyer=trade.buyer, supplier=trade.supplier)
