"""The contracts' enums and flags, under their Solidity names. The numbers are part of the wire format."""

from enum import Enum, IntEnum, IntFlag

from eth_hash.auto import keccak


class EntityKind(IntEnum):
    """Kind of organisation; a maker (创客) is not a legal person."""

    ENTERPRISE = 0
    RESEARCH_INSTITUTE = 1
    UNIVERSITY = 2
    INTERMEDIARY = 3
    MAKER = 4
    PLATFORM = 5
    SUPPLIER = 6


class Standing(IntEnum):
    """Whether an organisation may take part (信用状态)."""

    GOOD = 0
    DISHONEST = 1
    TAX_BLACKLISTED = 2


class KeyPurpose(IntEnum):
    """What a key of an entity is for."""

    ACCOUNT = 0
    EVIDENCE = 1


class EntityRoles(IntFlag):
    """The parts an entity may play."""

    BUYER = 1
    SUPPLIER = 2
    PLATFORM = 4


class TradeKind(IntEnum):
    """What was bought."""

    COMPUTE = 0
    DATA = 1
    DEPLOYMENT = 2
    INVESTMENT = 3
    PROJECT_COST = 4


class ComputeType(IntEnum):
    """通算 general, 智算 intelligent, 超算 super; none where the trade is not one of compute."""

    NONE = 0
    GENERAL = 1
    INTELLIGENT = 2
    SUPER = 3


class TradeAttributes(IntFlag):
    """Flags of a trade."""

    DOMESTIC_CHIP = 1
    BUYER_PAID = 2
    UNIFIED_DISPATCH = 4
    CUSTODY_SIGNED = 8


class ProgrammeStatus(IntEnum):
    """State of a programme."""

    NONE = 0
    DRAFT = 1
    PUBLISHED = 2
    TERMINATED = 3


class Funding(IntEnum):
    """When a voucher takes hold of budget."""

    RESERVED_AT_ISSUE = 0
    FIRST_COME = 1


class Basis(IntEnum):
    """What the rate applies to."""

    SETTLED = 0
    CONTRACT = 1


class Limit(IntEnum):
    """Which limit cut a subsidy."""

    NONE = 0
    SUPPORT_CEILING = 1
    VOUCHER_FACE = 2
    PERIOD_CAP = 3
    TOTAL_CAP = 4
    BUDGET = 5


class VoucherState(IntEnum):
    """What is stored of a voucher's state."""

    NONE = 0
    LIVE = 1
    FROZEN = 2
    EXPIRED = 3
    CANCELLED = 4


class VoucherStatus(IntEnum):
    """What a voucher is at a moment."""

    NONE = 0
    ISSUED = 1
    PARTLY_REDEEMED = 2
    FULLY_REDEEMED = 3
    FROZEN = 4
    EXPIRED = 5
    CANCELLED = 6


class RedemptionState(IntEnum):
    """State of a redemption."""

    NONE = 0
    PROVISIONAL = 1
    WRITTEN_OFF = 2
    REJECTED = 3


class Role(Enum):
    """Roles of officers (contracts/src/libraries/Roles.sol); the value is the 32-byte role id of AccessControl."""

    OPERATOR = keccak(b"OPERATOR_ROLE")
    REVIEWER = keccak(b"REVIEWER_ROLE")
    FINANCE = keccak(b"FINANCE_ROLE")
    REGULATOR = keccak(b"REGULATOR_ROLE")
    REGISTRAR = keccak(b"REGISTRAR_ROLE")
    RELAYER = keccak(b"RELAYER_ROLE")


# Caps and periods that do not bind (contracts/src/libraries/Rules.sol).
NO_CAP = 2**48 - 1
NO_PERIOD = 255

BY_SOLIDITY_NAME: dict[str, type[IntEnum]] = {
    enum.__name__: enum
    for enum in (
        EntityKind,
        Standing,
        KeyPurpose,
        TradeKind,
        ComputeType,
        ProgrammeStatus,
        Funding,
        Basis,
        Limit,
        VoucherState,
        VoucherStatus,
        RedemptionState,
    )
}
