"""The three contracts as Python sees them: where they are, what they are asked, what they answer.

Their libraries Programmes, Issuing and Lifecycle are linked: they run in the ledger's name, so their events and errors
count as the ledger's. Errors pass from contract to contract, so all of them are in one table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, get_args

from . import artifacts
from .abi import AbiError, ErrorCodec, EventCodec, Function, checksum_address, to_bytes
from .contract_error import PANIC_REASONS, ContractError
from .packed_events import event_codec
from .rpc import RpcClient, RpcError

ContractName: TypeAlias = Literal["EntityRegistry", "EvidenceLog", "VoucherLedger"]
CONTRACT_NAMES: tuple[ContractName, ...] = get_args(ContractName)
LEDGER_LIBRARIES = ("Programmes", "Issuing", "Lifecycle")

_ERROR = ErrorCodec({"name": "Error", "inputs": [{"name": "message", "type": "string"}]})
_PANIC = ErrorCodec({"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]})


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded log.

    Attributes:
        contract: whose event it is.
        name: as declared.
        args: by name, structs as dicts.
        block_number: of the log's block; None where the log stands in none.
        block_hash: 32 bytes, None likewise.
        tx_hash: 32 bytes, None likewise.
        tx_index: position of the transaction in its block.
        log_index: position of the log in its block.
        removed: the node took the log back (reorganisation).
    """

    contract: ContractName
    name: str
    args: dict[str, Any]
    block_number: int | None = None
    block_hash: bytes | None = None
    tx_hash: bytes | None = None
    tx_index: int | None = None
    log_index: int | None = None
    removed: bool = False


@dataclass(frozen=True)
class Contracts:
    """A deployment: addresses (EIP-55) on one chain."""

    chain_id: int
    registry: str
    evidence: str
    ledger: str

    def __post_init__(self) -> None:
        for name in ("registry", "evidence", "ledger"):
            object.__setattr__(self, name, checksum_address(getattr(self, name)))

    @property
    def addresses(self) -> dict[ContractName, str]:
        """Contract name to address."""
        return {"EntityRegistry": self.registry, "EvidenceLog": self.evidence, "VoucherLedger": self.ledger}

    def name_at(self, address: str) -> ContractName | None:
        """The contract at an address in any spelling; None for another one."""
        wanted = address.lower()
        return next((name for name, own in self.addresses.items() if own.lower() == wanted), None)

    def decode_event(self, log: Mapping[str, Any]) -> Event | None:
        """An event from a log as a node sends it; None if it is not one of these contracts.

        Raises:
            AbiError: one of these contracts logged what its ABI does not hold.
        """
        contract = self.name_at(log["address"])
        return None if contract is None else decode_event(contract, log)

    def read(
        self,
        rpc: RpcClient,
        contract: ContractName,
        function: str,
        args: Sequence[Any] | Mapping[str, Any] = (),
        *,
        block: str = "latest",
        sender: str | None = None,
    ) -> Any:
        """`eth_call` of a function.

        Args:
            block: tag or 0x-number.
            sender: the caller that the contract sees.

        Returns:
            As `decode_result`.

        Raises:
            ContractError: the contract refused.
            RpcError, RpcUnavailable: the node did.
        """
        call = {"to": self.addresses[contract], "data": "0x" + encode_call(contract, function, args).hex()}
        if sender is not None:
            call["from"] = sender
        try:
            answer = rpc.call("eth_call", call, block)
        except RpcError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error
        return decode_result(contract, function, answer)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Contracts":
        """The deployment that `to_dict` gave."""
        return cls(**content)


@cache
def functions(contract: ContractName) -> dict[str, Function]:
    """Functions of a contract by signature, and by name where that is unique."""
    found: dict[str, Function] = {}
    overloaded: set[str] = set()
    for entry in artifacts.load(contract).abi:
        if entry["type"] == "function":
            function = Function(entry)
            if function.name in found:
                overloaded.add(function.name)
            found[function.name] = found[function.signature] = function
    return {name: function for name, function in found.items() if name not in overloaded}


@cache
def events(contract: ContractName) -> dict[str, EventCodec]:
    """Events that come from a contract's address, by name."""
    return {entry["name"]: event_codec(entry) for entry in _entries(_surfacing(contract), "event")}


@cache
def errors() -> dict[bytes, ErrorCodec]:
    """Every error that the contracts can end with, by selector."""
    names = [name for contract in CONTRACT_NAMES for name in _surfacing(contract)]
    codecs = [_ERROR, _PANIC, *(ErrorCodec(entry) for entry in _entries(names, "error"))]
    return {codec.selector: codec for codec in codecs}


def encode_call(contract: ContractName, function: str, args: Sequence[Any] | Mapping[str, Any] = ()) -> bytes:
    """Call data.

    Args:
        function: name, or signature where the name is overloaded.
        args: in order or by name; structs likewise; bytes as bytes, addresses as 0x-hex.

    Raises:
        AbiError: no such function, or arguments that do not fit it.
    """
    return _function(contract, function).encode_call(args)


def decode_call(contract: ContractName, data: bytes | str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a call, from its data.

    Raises:
        AbiError: not a call of this contract.
    """
    raw = to_bytes(data)
    function = _functions_by_selector(contract).get(raw[:4])
    if function is None:
        raise AbiError(f"{contract} has no function 0x{raw[:4].hex()}")
    return function.name, function.inputs.decode_named(raw[4:])


def decode_result(contract: ContractName, function: str, data: bytes | str) -> Any:
    """What a function returned: the value, a list where there are several, None where there is none; structs as dicts.

    Raises:
        AbiError: no such function, or bytes that do not decode; an address without a contract answers nothing at all.
    """
    return _function(contract, function).decode_result(to_bytes(data))


def decode_event(contract: ContractName, log: Mapping[str, Any]) -> Event:
    """An event of a contract.

    Args:
        log: as a node sends it; only `topics` and `data` must be there.

    Raises:
        AbiError: not an event of this contract.
    """
    topics = [to_bytes(topic) for topic in log["topics"]]
    codec = _events_by_topic(contract).get(topics[0]) if topics else None
    if codec is None:
        raise AbiError(f"{contract} has no event {topics[0].hex() if topics else 'without a topic'}")
    return Event(
        contract=contract,
        name=codec.name,
        args=codec.decode(topics, to_bytes(log["data"])),
        block_number=_number(log.get("blockNumber")),
        block_hash=_bytes(log.get("blockHash")),
        tx_hash=_bytes(log.get("transactionHash")),
        tx_index=_number(log.get("transactionIndex")),
        log_index=_number(log.get("logIndex")),
        removed=bool(log.get("removed", False)),
    )


def event_topic(contract: ContractName, event: str) -> str:
    """First topic of an event's logs, as 0x-hex."""
    return "0x" + events(contract)[event].topic.hex()


def decode_error(data: bytes | str) -> ContractError:
    """The error behind revert data; never fails, since a refusal must be reported whatever it looks like."""
    try:
        raw = to_bytes(data)
    except ValueError:
        return ContractError("Unknown", {"data": str(data)})
    if not raw:
        return ContractError("Reverted", {})
    codec = errors().get(raw[:4])
    if codec is None:
        return ContractError("Unknown", {"data": raw}, raw)
    try:
        arguments = codec.decode(raw[4:])
    except AbiError:
        return ContractError("Unknown", {"data": raw}, raw)
    if codec is _PANIC:
        arguments["reason"] = PANIC_REASONS.get(arguments["code"], "unknown")
    return ContractError(codec.name, arguments, raw)


def refusal_of(error: RpcError) -> ContractError | None:
    """The contract's refusal inside a node's error; None where the node itself refused.

    Nodes differ: revert data stands in `data` as hex (geth, anvil), behind a word ("Reverted 0x…", OpenEthereum) or in
    an object's `data` (others); without a reason only the message says so.
    """
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    if isinstance(data, str) and "0x" in data:
        return decode_error(data[data.index("0x") :])
    return ContractError("Reverted", {}) if "revert" in error.message.lower() else None


@cache
def _functions_by_selector(contract: ContractName) -> dict[bytes, Function]:
    return {function.selector: function for function in functions(contract).values()}


@cache
def _events_by_topic(contract: ContractName) -> dict[bytes, EventCodec]:
    return {codec.topic: codec for codec in events(contract).values()}


def _surfacing(contract: ContractName) -> tuple[str, ...]:
    """Artifacts whose events and errors come from the contract's address."""
    return (contract, *LEDGER_LIBRARIES) if contract == "VoucherLedger" else (contract,)


def _entries(names: Sequence[str], kind: str) -> Iterator[dict[str, Any]]:
    return (entry for name in names for entry in artifacts.load(name).abi if entry["type"] == kind)


def _function(contract: ContractName, name: str) -> Function:
    try:
        return functions(contract)[name]
    except KeyError:
        raise AbiError(f"{contract} has no function {name}, or several of that name") from None


def _number(value: str | int | None) -> int | None:
    return int(value, 16) if isinstance(value, str) else value


def _bytes(value: str | bytes | None) -> bytes | None:
    return None if value is None else to_bytes(value)
