"""What of a bundle stands in the contracts' storage, and where: the facts that one block hash makes certain."""

from collections.abc import Mapping

from .abi import checksum_address
from .storage_layout import Place, variable

SERIAL_MASK = 2**32 - 1
MAX_KEYS = 1024
"""Former keys of one platform that are looked at; nobody rotates so often."""


def head(platform: bytes, index: int) -> Place:
    """Head of a batch."""
    return variable("EvidenceLog", "_heads").at(platform, index)


def current_key(platform: bytes) -> Place:
    """The platform's evidence key and since when it holds."""
    return variable("EntityRegistry", "_evidenceKeys").at(platform)


def former_keys(platform: bytes) -> Place:
    """The evidence keys before, in order of the moment from which each held."""
    return variable("EntityRegistry", "_formerKeys").at(platform).member("_checkpoints")


def entity_of_number(number: int) -> Place:
    """Registry id of the entity that a voucher names by number."""
    return variable("EntityRegistry", "_idOf").at(number)


def voucher(voucher_id: int) -> Place:
    """A voucher."""
    return variable("VoucherLedger", "_ledger").member("vouchers").at(voucher_id)


def redemption(group: int, settlement_key: bytes) -> Place:
    """The redemption of a trade within a group of programmes."""
    return variable("VoucherLedger", "_ledger").member("redemptions").at(group, settlement_key)


def key_at(platform: bytes, moment: int, words: Mapping[int, int]) -> str:
    """The key that was in force, as EntityRegistry.evidenceKeyAt decides.

    Args:
        words: of the registry; those that `key_slots` names.

    Raises:
        LookupError: a word is missing.
        ValueError: there was no key.
    """
    current = current_key(platform).read_members(words)
    found = current["key"] if current["key"] and moment >= current["since"] else 0
    if not found:
        for item in former_keys(platform).items(_former_count(platform, words)):
            checkpoint = item.read_members(words)
            if checkpoint["_key"] <= moment:
                found = checkpoint["_value"]
    if not found:
        raise ValueError("the platform had no evidence key when the batch was appended")
    return checksum_address(found.to_bytes(20, "big"))


def key_slots(platform: bytes, former: int) -> list[int]:
    """Slots of a platform's evidence keys: of all, so that none can be left out."""
    array = former_keys(platform)
    return [current_key(platform).slot, array.slot, *(item.slot for item in array.items(former))]


def _former_count(platform: bytes, words: Mapping[int, int]) -> int:
    count = words[former_keys(platform).slot]
    if count > MAX_KEYS:
        raise ValueError(f"the platform has more than {MAX_KEYS} former keys")
    return count
