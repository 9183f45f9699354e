"""That the contracts' storage in one block says what the bundle says: its facts need that block's hash, no more."""

from collections.abc import Mapping

from . import state_facts as facts
from .contracts import ContractName
from .enums import RedemptionState
from .evidence_checks import is_contract, key_in_force
from .proven import ProvenBundle
from .redemption_checks import issued, outcome, redeemed
from .report import Checklist, Refused


def check_state(proven: ProvenBundle, checklist: Checklist) -> None:
    """Take the steps."""
    checklist.take("state", lambda: _complete(proven))
    checklist.take("anchored state", lambda: _anchored(proven))
    checklist.take("key state", lambda: _key(proven))
    if proven.bundle.redemption is not None:
        checklist.take("redemption state", lambda: _redemption(proven))


def redemption_at_block(proven: ProvenBundle) -> tuple[RedemptionState, int]:
    """State of the redemption in the proved block, and what was recovered of it by then, in fen."""
    word = _redemption_word(proven)
    return RedemptionState(word["state"]), word["recoveredFen"]


def _words(proven: ProvenBundle, contract: ContractName) -> Mapping[int, int]:
    found = proven.state.get(proven.contracts.addresses[contract])
    if found is None:
        raise Refused(f"the bundle proves nothing of the {contract}'s storage")
    return found.words


def _complete(proven: ProvenBundle) -> str:
    """That just what the facts need is proved: what nobody reads could be changed unseen."""
    batch, redemption = proven.bundle.proof.batch, proven.bundle.redemption
    registry = _words(proven, "EntityRegistry")
    former = facts.former_keys(batch.platform).read(registry)
    wanted = {
        proven.contracts.evidence: {facts.head(batch.platform, batch.index).slot},
        proven.contracts.registry: set(facts.key_slots(batch.platform, min(former, facts.MAX_KEYS))),
    }
    if redemption is not None:
        voucher = facts.voucher(redemption.voucher_id)
        number = voucher.member("entity").read(_words(proven, "VoucherLedger"))
        wanted[proven.contracts.registry].add(facts.entity_of_number(number).slot)
        spent = facts.redemption(redemption.group, proven.bundle.trade.settlement_key)
        wanted[proven.contracts.ledger] = {voucher.slot, spent.slot}
    key, _ = key_in_force(proven)
    if is_contract(proven, key):
        wanted[key] = set()
    found = {address: list(account.words) for address, account in proven.state.items()}
    if found != {address: sorted(slots) for address, slots in wanted.items()}:
        raise Refused("other storage is proved than the facts need, or not in order of slot")
    return f"{sum(map(len, wanted.values()))} words are proved from block {proven.block_number}"


def _anchored(proven: ProvenBundle) -> str:
    batch = proven.bundle.proof.batch
    place = facts.head(batch.platform, batch.index)
    if place.read(_words(proven, "EvidenceLog")) != int.from_bytes(batch.head(), "big"):
        raise Refused("the log holds another head for the batch")
    return f"block {proven.block_number} holds the batch's head"


def _key(proven: ProvenBundle) -> str:
    batch = proven.bundle.proof.batch
    key = facts.key_at(batch.platform, batch.appended_at, _words(proven, "EntityRegistry"))
    stated, _ = key_in_force(proven)
    if key != stated:
        raise Refused(f"the platform's key when the batch was appended was {key}, not {stated}")
    return f"{key} was the platform's key"


def _redemption_word(proven: ProvenBundle) -> dict[str, int]:
    place = facts.redemption(proven.redemption.group, proven.bundle.trade.settlement_key)
    return place.read_members(_words(proven, "VoucherLedger"))


def _redemption(proven: ProvenBundle) -> str:
    part, word = proven.redemption, _redemption_word(proven)
    quote = redeemed(proven)["quote"]
    _require(
        "redemption",
        word,
        {
            "voucherId": part.voucher_id,
            "serial": part.redemption_id & facts.SERIAL_MASK,
            "amountFen": quote["amountFen"],
            "period": quote["period"],
            "redeemedAt": proven.timestamp(part.redeemed),
        },
    )
    state, recovered_fen = outcome(proven)
    if word["state"] != state and state is not RedemptionState.PROVISIONAL:
        raise Refused(f"the ledger has it {RedemptionState(word['state']).name}, the bundle {state.name}")
    if word["recoveredFen"] < recovered_fen:
        raise Refused(f"the ledger has {word['recoveredFen']} fen recovered, the bundle {recovered_fen}")
    order = issued(proven)
    voucher = facts.voucher(part.voucher_id).read_members(_words(proven, "VoucherLedger"))
    _require("voucher", voucher, {name: order[name] for name in ("tier", "faceFen", "validUntil")})
    holder = facts.entity_of_number(voucher["entity"]).read(_words(proven, "EntityRegistry"))
    if holder != int.from_bytes(proven.bundle.trade.buyer, "big"):
        raise Refused("the voucher's holder is not the trade's buyer")
    now = RedemptionState(word["state"]).name.lower().replace("_", " ")
    return f"{now}, {word['amountFen']} fen, {word['recoveredFen']} fen recovered, for voucher {part.voucher_id}"


def _require(what: str, found: Mapping[str, int], stated: Mapping[str, int]) -> None:
    for name, value in stated.items():
        if found[name] != value:
            raise Refused(f"the ledger's {what} has {name} {found[name]}, the bundle {value}")
