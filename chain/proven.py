"""A bundle's events, read from receipts that its block headers prove."""

from functools import cached_property

from .bundle_format import Bundle, EventRef, RedemptionPart
from .contracts import ContractName, Event
from .receipts import ProvenReceipt, verify_proof
from .report import Refused


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

    @property
    def redemption(self) -> RedemptionPart:
        """The part about the redemption.

        Raises:
            Refused: there is none.
        """
        if self.bundle.redemption is None:
            raise Refused("the bundle has no redemption")
        return self.bundle.redemption
