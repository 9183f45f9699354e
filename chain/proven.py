"""A bundle's events, read from receipts that its block headers prove."""

from functools import cached_property

from eth_hash.auto import keccak

from .abi import checksum_address
from .bundle_format import Bundle, EventRef, RedemptionPart
from .contracts import ContractName, Event
from .receipts import ProvenReceipt, header_number, parent_hash, verify_proof
from .report import Refused
from .state_proofs import ProvenAccount, state_root, verify_account


class ProvenBundle:
    """A bundle whose receipts are proved when an event is first asked for."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.contracts = bundle.deployment()

    @cached_property
    def receipts(self) -> list[ProvenReceipt]:
        """The receipts.

        Raises:
            ReceiptProofError: one of them is not proved.
        """
        return [verify_proof(part.proof()) for part in self.bundle.receipts]

    def event(self, ref: EventRef, contract: ContractName, *names: str) -> Event:
        """An event of one of the contracts.

        Raises:
            Refused: the log is another one, or of another contract.
            ReceiptProofError: a receipt is not proved.
        """
        receipt = self.receipts[ref.receipt]
        wanted = " or ".join(names)
        if not receipt.succeeded or ref.log >= len(receipt.logs):
            raise Refused(f"the transaction failed, or has no log {ref.log} to be a {wanted}")
        log = receipt.logs[ref.log]
        event = self.contracts.decode_event(log.as_rpc())
        if event is None or event.contract != contract:
            raise Refused(f"the {wanted} was logged by {log.address}, which is not the bundle's {contract}")
        if event.name not in names:
            raise Refused(f"the log is a {event.name}, not a {wanted}")
        return event

    def place(self, ref: EventRef) -> tuple[int, int, int]:
        """Where an event stands: block, transaction, log. Places compare by time."""
        return self.receipts[ref.receipt].block_number, self.bundle.receipts[ref.receipt].index, ref.log

    def timestamp(self, ref: EventRef) -> int:
        """Unix seconds of an event's block."""
        return self.receipts[ref.receipt].timestamp

    @cached_property
    def state(self) -> dict[str, ProvenAccount]:
        """Storage that the bundle proves, by address in EIP-55 form.

        Raises:
            StateProofError: a proof does not hold.
        """
        root = state_root(self.bundle.state.header)
        accounts = self.bundle.state.accounts
        return {checksum_address(one.address): verify_account(root, one) for one in accounts}

    @property
    def block_number(self) -> int:
        """Number of the block whose hash is left to trust."""
        return header_number(self.bundle.state.header)

    @property
    def block_hash(self) -> bytes:
        """Hash of that block."""
        return keccak(self.bundle.state.header)

    @cached_property
    def bound_blocks(self) -> set[bytes]:
        """Hashes of the blocks that the headers in the bundle lead to from that block.

        Raises:
            Refused: one of them is not the parent of the one after it.
        """
        child, found = self.bundle.state.header, {self.block_hash}
        for header in self.bundle.state.ancestors:
            if keccak(header) != parent_hash(child):
                raise Refused("a header is not that of the block before")
            found.add(keccak(header))
            child = header
        return found

    @property
    def redemption(self) -> RedemptionPart:
        """The part about the redemption.

        Raises:
            Refused: there is none.
        """
        if self.bundle.redemption is None:
            raise Refused("the bundle has no redemption")
        return self.bundle.redemption
