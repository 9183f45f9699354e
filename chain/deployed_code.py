"""Whether the code at a deployment's addresses is the code that this package ships."""

from . import artifacts
from .abi import checksum_address, to_bytes
from .contracts import CONTRACT_NAMES, LEDGER_LIBRARIES, ContractName, Contracts
from .rpc import RpcClient


class CodeMismatch(Exception):
    """An address holds other code than our artifact, or the contracts are not wired to each other."""


def check_code(rpc: RpcClient, contracts: Contracts, block: str = "latest") -> None:
    """Compare the three contracts and the ledger's libraries, immutables masked, and how they are wired.

    Immutables need no mask of trust: what they hold is asked of the code just found to be ours.

    Args:
        block: tag or 0x-number of the state to look at.

    Raises:
        CodeMismatch: the text names address and reason.
        RpcError, RpcUnavailable: the node does not answer.
    """
    addresses = {name: contracts.addresses[name] for name in CONTRACT_NAMES}
    codes = {name: _code(rpc, address, block) for name, address in addresses.items()}
    for name, code in codes.items():
        _require(name, addresses[name], code)
    libraries = artifacts.load("VoucherLedger").linked_libraries(codes["VoucherLedger"])
    for library in LEDGER_LIBRARIES:
        address = checksum_address(libraries[library])
        _require(library, address, _code(rpc, address, block))
    wires: tuple[tuple[ContractName, str, str], ...] = (
        ("EvidenceLog", "REGISTRY", contracts.registry),
        ("VoucherLedger", "REGISTRY", contracts.registry),
        ("VoucherLedger", "EVIDENCE", contracts.evidence),
    )
    for name, getter, wanted in wires:
        found = contracts.read(rpc, name, getter, block=block)
        if found != wanted:
            raise CodeMismatch(f"{name} at {addresses[name]} uses {found}, not {wanted}")


def has_code(rpc: RpcClient, name: str, address: str, block: str = "latest") -> bool:
    """Whether an artifact's code is at an address.

    Raises:
        CodeMismatch: other code is there.
    """
    code = _code(rpc, address, block)
    if code:
        _require(name, address, code)
    return bool(code)


def require_code(rpc: RpcClient, name: str, address: str) -> None:
    """Check that an artifact's code is at an address.

    Raises:
        CodeMismatch: other code is there, or none.
    """
    _require(name, address, _code(rpc, address, "latest"))


def _code(rpc: RpcClient, address: str, block: str) -> bytes:
    return to_bytes(rpc.call("eth_getCode", address, block))


def _require(name: str, address: str, code: bytes) -> None:
    if not code:
        raise CodeMismatch(f"there is no contract at {address}, where {name} should be")
    if not artifacts.load(name).is_code(code):
        raise CodeMismatch(f"the code at {address} is not the {name} of this version")
