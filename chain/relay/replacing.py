"""Transactions that the node does not mine: sent again, with higher fees, or replaced by a no-op."""

import logging
import time
from collections.abc import Collection, Sequence

from chain.keys import Signer
from chain.sql import reading

from . import repository
from .equipment import Equipment
from .fees import Fees
from .head import Head
from .lease import Lease, locked
from .models import ChainTransaction, Operation, OperationStatus
from .node_errors import NodeRefusal
from .outcome import node_error
from .parcels import parcel
from .settling import UNSENDABLE
from .signing import sign, sign_noop

_log = logging.getLogger(__name__)

_UNSENDABLE = (NodeRefusal.OTHER, NodeRefusal.REVERTED)
# Enough to find whether any operation is older than the one at the head.
_OLDEST = 1


class Replacer:
    """Sees to it that the transactions of a key, in the order of their nonces, are mined."""

    def __init__(self, equipment: Equipment, *, stuck_after: float, max_bumps: int) -> None:
        """Replace nothing yet.

        Args:
            stuck_after: seconds until fees are raised; each raise doubles the wait.
            max_bumps: raises at most.
        """
        self._sessions = equipment.sessions
        self._rpc = equipment.rpc
        self._contracts = equipment.contracts
        self._broadcaster = equipment.broadcaster
        self._simulation = equipment.simulation
        self._fees = equipment.fees
        self._stuck_after = stuck_after
        self._max_bumps = max_bumps
        self._hole_since: dict[bytes, float] = {}

    def attend(
        self,
        lease: Lease,
        signer: Signer,
        head: Head,
        *,
        pending: Sequence[ChainTransaction],
        mined_nonces: int,
        undo: Collection[int],
    ) -> None:
        """Do what the unmined transactions of a key need now.

        Args:
            pending: by nonce, replacements after what they replace.
            mined_nonces: the key's transaction count on the chain.
            undo: nonces whose operations shall not take effect any more.

        Raises:
            RpcError, RpcUnavailable, LeaseLost.
        """
        newest = {row.nonce: row for row in pending}
        if not newest:
            return
        first = newest.get(mined_nonces)
        if first is None:
            self._fill(lease, signer, head, range(mined_nonces, min(newest)))
        else:
            self._hole_since.pop(lease.address, None)
        for nonce in sorted(undo & newest.keys()):
            if not newest[nonce].noop:
                _log.info("nonce %d of 0x%s is to be undone", nonce, lease.address.hex())
                newest[nonce] = self._with_noop(lease, signer, head, newest[nonce], None) or newest[nonce]
        self._resend(lease, signer, head, list(newest.values()), mined_nonces)
        if first is not None and newest[mined_nonces] is first:
            self._unstick(lease, signer, head, first)

    def _resend(
        self, lease: Lease, signer: Signer, head: Head, newest: Sequence[ChainTransaction], mined_nonces: int
    ) -> None:
        """Send what is due again. What the contract would refuse by now, since the state moved in a reorganisation or
        an outage, is replaced by a no-op, which costs less; what operations moved away from, too."""
        due = [row for row in newest if self._broadcaster.due(row.hash)]
        if not due:
            return
        with reading(self._sessions) as session:
            raw = repository.raw_bytes(session, [row.id for row in due])
            carried = repository.carried(session, lease.address, [row.nonce for row in due])
            oldest = repository.oldest_unfinished(session, _OLDEST)
        first = due[0]
        if first.nonce == mined_nonces and not first.noop and first.nonce in carried:
            operations = carried[first.nonce]
            objection = self._simulation.objection(signer.address, parcel(operations))
            if objection is not None:
                ending = self._simulation.ending(operations[0], objection, oldest)
                if ending is None:
                    return
                if ending[0] == OperationStatus.REFUSED:
                    self._with_noop(lease, signer, head, first, ending[1])
                    due.remove(first)
        hollow = [row for row in due if not row.noop and row.nonce not in carried]
        for row in hollow:
            self._with_noop(lease, signer, head, row, None)
        self._broadcaster.send([(row.hash, raw[row.id]) for row in due if row not in hollow])

    def _unstick(self, lease: Lease, signer: Signer, head: Head, first: ChainTransaction) -> None:
        """Replace the transaction that all later ones wait for, where it has waited too long."""
        refused = self._broadcaster.refusal(first.hash)
        if refused is not None and refused.kind in _UNSENDABLE:
            # More money would not help.
            if not first.noop and time.monotonic() - refused.since > self._stuck_after:
                self._with_noop(lease, signer, head, first, node_error(UNSENDABLE, refused.message))
            return
        underpriced = refused is not None and refused.kind is NodeRefusal.UNDERPRICED
        waited = time.time() - first.waiting_since
        late = waited > self._stuck_after * 2**first.bumps
        if not (underpriced or late) or first.bumps >= self._max_bumps:
            return
        with reading(self._sessions) as session:
            operations = repository.carried(session, lease.address, [first.nonce]).get(first.nonce)
        if first.noop or operations is None:
            self._with_noop(lease, signer, head, first, None)
            return
        fees = self._raised(first, head)
        if fees is None:
            return
        call = parcel(operations)
        row = sign(
            signer,
            self._contracts.chain_id,
            to=call.to,
            data=call.data,
            gas_limit=first.gas_limit,
            nonce=first.nonce,
            fees=fees,
            bumps=first.bumps + 1,
        )
        self._persist_and_send(lease, row, None)

    def _with_noop(
        self, lease: Lease, signer: Signer, head: Head, row: ChainTransaction, error: dict[str, object] | None
    ) -> ChainTransaction | None:
        """Replace a transaction by a no-op; None where that would cost more than is allowed.

        Args:
            error: why; what the operations end with if the no-op is mined.
        """
        fees = self._raised(row, head)
        if fees is None:
            return None
        noop = sign_noop(signer, self._contracts.chain_id, nonce=row.nonce, fees=fees, bumps=row.bumps + 1)
        self._persist_and_send(lease, noop, error)
        return noop

    def _fill(self, lease: Lease, signer: Signer, head: Head, nonces: range) -> None:
        """Use up nonces that no transaction of ours is known for, where that does not change for a while: everything
        above waits for them."""
        since = self._hole_since.setdefault(lease.address, time.monotonic())
        if time.monotonic() - since < self._stuck_after:
            return
        with reading(self._sessions) as session:
            if repository.siblings(session, lease.address, nonces):
                # Ours after all; a reorganisation took it, and it is looked up again.
                return
        fees = self._fees.market(self._rpc, head.base_fee_wei)
        for nonce in nonces:
            self._persist_and_send(lease, sign_noop(signer, self._contracts.chain_id, nonce=nonce, fees=fees), None)

    def _raised(self, row: ChainTransaction, head: Head) -> Fees | None:
        fees = self._fees.raised(Fees(row.max_fee_wei, row.tip_wei), self._rpc, head.base_fee_wei)
        if fees is None:
            _log.warning("nonce %d of 0x%s waits at the highest fee allowed", row.nonce, row.signer.hex())
        return fees

    def _persist_and_send(self, lease: Lease, row: ChainTransaction, error: dict[str, object] | None) -> None:
        broadcast = (row.hash, row.raw)
        what = "a no-op" if row.noop else "it"
        _log.warning(
            "nonce %d of 0x%s: sending %s at %d wei per gas", row.nonce, row.signer.hex(), what, row.max_fee_wei
        )
        with self._sessions.begin() as session:
            locked(session, lease)
            session.add(row)
            if error is not None:
                for operation in _sent(repository.carried(session, lease.address, [row.nonce], lock=True), row.nonce):
                    operation.error = error
        self._broadcaster.send([broadcast])


def _sent(carried: dict[int, list[Operation]], nonce: int) -> list[Operation]:
    return [one for one in carried.get(nonce, ()) if one.status == OperationStatus.SENT]
