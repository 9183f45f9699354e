"""Deploys the contracts and grants the roles, once, however often it is interrupted.

Every transaction is noted in a journal, with its nonce, before it is sent. A nonce is used once, and the address of a
new contract follows from deployer and nonce, so whatever happened to an earlier run shows on chain: a noted step is
looked for, sent again under its own nonce, or, if another transaction took that nonce, begun anew.

    Programmes ─┐
    Issuing    ─┤
    Lifecycle  ─┼─────────────────► VoucherLedger ─► roles
    EntityRegistry ─► EvidenceLog ──┘
"""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from . import artifacts
from .abi import Parameters, checksum_address
from .contracts import Contracts, encode_call, refusal_of
from .deployed_code import check_code, has_code
from .enums import Role
from .keys import Signer
from .relay.fees import market_fees
from .rpc import RpcClient, RpcError

Journal: TypeAlias = dict[str, Any]
Save: TypeAlias = Callable[[Journal], None]

NO_CONTRACT = "0x" + "00" * 20
# A handover of the admin role can be seen, and undone, for two days.
DEFAULT_ADMIN_DELAY_SECONDS = 2 * 86_400
DEFAULT_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.02
_MAX_POLL_SECONDS = 1.0
# The estimate is made against the state of now; a block later a slot may cost more.
_GAS_MARGIN_PERCENT = 20


class DeployError(Exception):
    """The deployment cannot go on; the text says why and what to do. What was done stays in the journal."""


@dataclass(frozen=True)
class _Step:
    """One transaction.

    Attributes:
        name: key in the journal.
        data: creation code or call data.
        artifact: what is created; None for a call.
        to: called contract; None where one is created.
        holds: whether a call has had its effect.
        value_wei: sent along.
    """

    name: str
    data: bytes
    artifact: str | None = None
    to: str | None = None
    holds: Callable[[], bool] = field(default=lambda: False)
    value_wei: int = 0


def deploy(
    rpc: RpcClient,
    deployer: Signer,
    *,
    roles: Mapping[Role, Sequence[str]],
    journal: Journal | None = None,
    save: Save = lambda _: None,
    admin: str | None = None,
    admin_delay_seconds: int = DEFAULT_ADMIN_DELAY_SECONDS,
    predecessor: str = NO_CONTRACT,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> tuple[Contracts, int]:
    """Deploy what is not deployed yet, and grant the roles that are not granted yet.

    Args:
        rpc: any node; the deployer needs money there, unless gas is free.
        deployer: sends every transaction.
        roles: role to the addresses that get it. Reviewers and finance must not share one.
        journal: what `save` was last given; None or empty begins anew. Nothing in it is secret.
        save: makes a copy of the journal durable; called before each transaction is sent and after it was mined.
        admin: admin of the registry, if it is not the deployer; it then grants the roles itself, so `roles` is empty.
        admin_delay_seconds: see EntityRegistry's constructor.
        predecessor: ledger that the new one follows.
        timeout_seconds: how long one transaction may take to be mined.

    Returns:
        The contracts, and the first block in which one of them stands.

    Raises:
        DeployError: see there.
        CodeMismatch: an address in the journal holds other code than this version's.
        RpcError, RpcUnavailable: the node refused or does not answer; call again with the saved journal.
    """
    owner = checksum_address(admin or deployer.address)
    if roles and owner != checksum_address(deployer.address):
        raise DeployError("the deployer is not the admin and cannot grant roles: leave them to the admin")
    run = _Run(rpc, deployer, dict(journal or {}), save, timeout_seconds)
    made = run.together(
        [
            _creation("Programmes"),
            _creation("Issuing"),
            _creation("Lifecycle"),
            _registry(admin_delay_seconds, owner),
        ]
    )
    made |= run.together([_creation("EvidenceLog", [made["EntityRegistry"]])])
    arguments = [made["EntityRegistry"], made["EvidenceLog"], checksum_address(predecessor)]
    made |= run.together([_creation("VoucherLedger", arguments, libraries=made)])
    contracts = Contracts(run.chain_id, made["EntityRegistry"], made["EvidenceLog"], made["VoucherLedger"])
    check_code(rpc, contracts)
    run.together([_grant(rpc, contracts, role, account) for role, accounts in roles.items() for account in accounts])
    return contracts, run.first_block(["EntityRegistry", "EvidenceLog", "VoucherLedger"])


def admit(
    rpc: RpcClient,
    admin: Signer,
    contracts: Contracts,
    *,
    roles: Mapping[Role, Sequence[str]],
    gift_wei: int = 0,
    journal: Journal | None = None,
    save: Save = lambda _: None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Grant roles to accounts that came later, as `deploy` does: once, however often it is interrupted.

    Args:
        admin: of the registry; on our own chain it gives from what it has.
        gift_wei: sent to each account that has nothing.

    Raises:
        DeployError: see there.
        RpcError, RpcUnavailable: as for `deploy`.
    """
    run = None
    for role, accounts in roles.items():
        for account in accounts:
            run = run or _Run(rpc, admin, dict(journal or {}), save, timeout_seconds)
            gifts = [_gift(rpc, account, gift_wei)] if gift_wei else []
            run.together([_grant(rpc, contracts, role, account), *gifts])


def deploy_log(
    rpc: RpcClient,
    deployer: Signer,
    *,
    relayers: Sequence[str],
    journal: Journal | None = None,
    save: Save = lambda _: None,
    admin_delay_seconds: int = DEFAULT_ADMIN_DELAY_SECONDS,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> tuple[Contracts, int]:
    """Deploy an EvidenceLog, with a registry for its roles, on a chain that only anchors; as `deploy`.

    Args:
        relayers: who may append.

    Returns:
        The contracts, the ledger's address being zero, and the first block in which one of them stands.
    """
    run = _Run(rpc, deployer, dict(journal or {}), save, timeout_seconds)
    made = run.together([_registry(admin_delay_seconds, checksum_address(deployer.address))])
    made |= run.together([_creation("EvidenceLog", [made["EntityRegistry"]])])
    contracts = Contracts(run.chain_id, made["EntityRegistry"], made["EvidenceLog"], NO_CONTRACT)
    run.together([_grant(rpc, contracts, Role.RELAYER, account) for account in relayers])
    return contracts, run.first_block(["EntityRegistry", "EvidenceLog"])


class _Run:
    """One attempt at the deployment."""

    def __init__(self, rpc: RpcClient, deployer: Signer, journal: Journal, save: Save, timeout_seconds: float) -> None:
        self._rpc = rpc
        self._deployer = deployer
        self._save = save
        self._timeout_seconds = timeout_seconds
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        identity = {
            "chain_id": self.chain_id,
            "genesis": rpc.call("eth_getBlockByNumber", "0x0", False)["hash"],
            "deployer": checksum_address(deployer.address),
        }
        self._journal = deepcopy(journal) or {**identity, "steps": {}}
        for name, value in identity.items():
            if self._journal.get(name) != value:
                raise DeployError(
                    f"the journal's {name} is {self._journal.get(name)}, here it is {value}: "
                    "name the node and key of the journal, or begin with an empty journal"
                )

    def together(self, steps: Sequence[_Step]) -> dict[str, str]:
        """Do steps that do not need each other; returns the addresses of what they created."""
        unsettled = [step for step in steps if not self._settled(step)]
        for step in unsettled:
            self._send(step)
        for step in unsettled:
            self._wait(step)
        return {step.name: self._steps[step.name]["address"] for step in steps if step.artifact}

    def first_block(self, names: Sequence[str]) -> int:
        """Number of the earliest block of these steps."""
        return min(int(self._steps[name]["block"]) for name in names)

    @property
    def _steps(self) -> dict[str, dict[str, Any]]:
        steps: dict[str, dict[str, Any]] = self._journal["steps"]
        return steps

    def _settled(self, step: _Step) -> bool:
        """Whether the step had its effect; one that a former run sent is looked for."""
        noted = self._steps.get(step.name)
        if noted is None:
            return step.artifact is None and step.holds()
        if noted["block"] is not None:
            if self._still_mined(step, noted):
                return True
            noted["block"] = None  # a reorganisation took it back
        # In this order: a nonce that is spent and has no receipt was spent on something else.
        spent = self._nonce("latest") > noted["nonce"]
        if self._mined(step):
            return True
        if spent and not (step.artifact and has_code(self._rpc, step.artifact, noted["address"])):
            del self._steps[step.name]
        return False

    def _send(self, step: _Step) -> None:
        noted = self._steps.get(step.name)
        nonce = self._next_nonce() if noted is None else int(noted["nonce"])
        if noted is None:
            noted = {"nonce": nonce, "hashes": [], "block": None}
            if step.artifact:
                noted["address"] = created_address(self._deployer.address, nonce)
            self._steps[step.name] = noted
        raw = self._deployer.sign_transaction(self._fields(step, nonce))
        tx_hash = "0x" + keccak(raw).hex()
        if tx_hash not in noted["hashes"]:
            noted["hashes"].append(tx_hash)
        self._store()
        try:
            self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            # Refused because the same, or another of ours under this nonce, is there already?
            if self._nonce("latest") <= nonce and not self._known(noted["hashes"]):
                raise DeployError(f"the node refused {step.name}: {error.message}") from error

    def _wait(self, step: _Step) -> None:
        deadline = time.monotonic() + self._timeout_seconds
        pause = _POLL_SECONDS
        while not self._mined(step):
            if time.monotonic() > deadline:
                raise DeployError(
                    f"{step.name} was sent but not mined within {self._timeout_seconds:g} s; run again to go on waiting"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _MAX_POLL_SECONDS)

    def _still_mined(self, step: _Step, noted: dict[str, Any]) -> bool:
        if step.artifact:
            return has_code(self._rpc, step.artifact, noted["address"])
        # A role that was granted and then revoked stays revoked.
        return step.holds() or any(self._rpc.call("eth_getTransactionReceipt", one) for one in noted["hashes"])

    def _mined(self, step: _Step) -> bool:
        """Note and check the receipt, if there is one."""
        noted = self._steps[step.name]
        for tx_hash in noted["hashes"]:
            receipt = self._rpc.call("eth_getTransactionReceipt", tx_hash)
            # Nodes may show a receipt before the state of its block, above all several behind one address.
            if receipt is None or int(receipt["blockNumber"], 16) > int(self._rpc.call("eth_blockNumber"), 16):
                continue
            if int(receipt["status"], 16) != 1:
                del self._steps[step.name]
                self._store()
                raise DeployError(f"{step.name} failed in transaction {tx_hash}: {self._reason(step)}")
            if step.artifact and not has_code(self._rpc, step.artifact, noted["address"]):
                raise DeployError(f"{step.name} was mined but {noted['address']} has no code")
            noted["block"] = int(receipt["blockNumber"], 16)
            self._store()
            return True
        return False

    def _call_of(self, step: _Step) -> dict[str, Any]:
        call = {"from": self._deployer.address, "data": "0x" + step.data.hex(), "value": hex(step.value_wei)}
        return call if step.to is None else {**call, "to": step.to}

    def _reason(self, step: _Step) -> str:
        """Why the step fails now, which is most likely why it failed."""
        try:
            self._rpc.call("eth_call", self._call_of(step), "latest")
        except RpcError as error:
            return str(refusal_of(error) or error.message)
        return "it would not fail now; run again"

    def _fields(self, step: _Step, nonce: int) -> dict[str, Any]:
        call = self._call_of(step)
        try:
            gas = int(self._rpc.call("eth_estimateGas", call), 16)
        except RpcError as error:
            raise DeployError(f"{step.name} would fail: {refusal_of(error) or error.message}") from error
        base_fee = self._rpc.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas")
        fees = market_fees(self._rpc, None if base_fee is None else int(base_fee, 16))
        fields: dict[str, Any] = {
            "chainId": self.chain_id,
            "nonce": nonce,
            "gas": gas + gas * _GAS_MARGIN_PERCENT // 100,
            "value": step.value_wei,
            "data": call["data"],
            **fees.fields(),
        }
        return fields if step.to is None else {**fields, "to": step.to}

    def _known(self, hashes: Sequence[str]) -> bool:
        return any(self._rpc.call("eth_getTransactionByHash", tx_hash) is not None for tx_hash in hashes)

    def _next_nonce(self) -> int:
        """The first that neither the chain nor a noted step has."""
        noted = [int(step["nonce"]) + 1 for step in self._steps.values() if step["block"] is None]
        return max([self._nonce("pending"), *noted])

    def _nonce(self, block: str) -> int:
        return int(self._rpc.call("eth_getTransactionCount", self._deployer.address, block), 16)

    def _store(self) -> None:
        self._save(deepcopy(self._journal))


def created_address(deployer: str, nonce: int) -> str:
    """Address of the contract that a transaction of this nonce creates (Yellow Paper, section 7)."""
    creator = bytes.fromhex(deployer.removeprefix("0x"))
    return checksum_address(keccak(rlp.encode([creator, nonce]))[12:])


def _creation(
    name: str,
    arguments: Sequence[Any] = (),
    *,
    order: Sequence[str] = (),
    libraries: Mapping[str, str] | None = None,
) -> _Step:
    """The step that creates a contract; `order` names the arguments where they could be taken for each other."""
    artifact = artifacts.load(name)
    inputs: list[dict[str, Any]] = next(
        (entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), []
    )
    values = dict(zip(order, arguments, strict=True)) if order else arguments
    return _Step(name, artifact.link(libraries or {}) + Parameters(inputs).encode(values), artifact=name)


def _registry(admin_delay_seconds: int, admin: str) -> _Step:
    return _creation("EntityRegistry", [admin_delay_seconds, admin], order=("adminDelay", "admin"))


def _grant(rpc: RpcClient, contracts: Contracts, role: Role, account: str) -> _Step:
    holder = checksum_address(account)
    return _Step(
        f"{role.name} {holder}",
        encode_call("EntityRegistry", "grantRole", [role.value, holder]),
        to=contracts.registry,
        holds=lambda: bool(contracts.read(rpc, "EntityRegistry", "hasRole", [role.value, holder])),
    )


def _gift(rpc: RpcClient, account: str, value_wei: int) -> _Step:
    holder = checksum_address(account)
    return _Step(
        f"gift {holder}",
        b"",
        to=holder,
        holds=lambda: int(rpc.call("eth_getBalance", holder, "latest"), 16) > 0,
        value_wei=value_wei,
    )
