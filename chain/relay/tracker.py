"""From broadcast to final: receipts, confirmations, reorganisations, and transactions that are sent again."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence

from chain.keys import Signer
from chain.sql import reading

from . import repository
from .equipment import Equipment
from .head import Head
from .lease import Lease, locked
from .models import ChainTransaction, OperationStatus, TransactionStatus
from .replacing import Replacer
from .settling import Settler, place_of, receipts_of

_log = logging.getLogger(__name__)

_RECEIPTS_AT_ONCE = 400


class Tracker:
    """Follows the signed transactions of one key at a time."""

    def __init__(
        self,
        equipment: Equipment,
        settler: Settler,
        replacer: Replacer,
        *,
        confirmations: int,
        finality_depth: int,
        lost_after: float,
    ) -> None:
        """Follow nothing yet.

        Args:
            confirmations: blocks that must hold a transaction, its own included, before its operations end.
            finality_depth: blocks after which a transaction is not watched any more.
            lost_after: seconds until a nonce that was used by none of our transactions counts as somebody else's.
        """
        self._sessions = equipment.sessions
        self._rpc = equipment.rpc
        self._broadcaster = equipment.broadcaster
        self._settler = settler
        self._replacer = replacer
        self._confirmations = confirmations
        self._finality_depth = finality_depth
        self._lost_after = lost_after
        self._missing_since: dict[tuple[bytes, int], float] = {}
        self._final_up_to: dict[bytes, int] = {}

    def follow(self, lease: Lease, signer: Signer, head: Head, mined_nonces: int, *, recheck: bool) -> tuple[bool, int]:
        """Bring what is known of the key's transactions up to date.

        Args:
            mined_nonces: the key's transaction count on the chain.
            recheck: look up mined transactions again, as the chain may have changed behind them.

        Returns:
            Whether anything changed, and the number of nonces in flight.

        Raises:
            RpcError, RpcUnavailable, LeaseLost.
        """
        changed = self._recheck(lease) if recheck else False
        with reading(self._sessions) as session:
            rows = repository.open_transactions(session, lease.address)
            waiting = repository.mined_unfinished(session, lease.address, head.number - self._confirmations + 1)
            undo = repository.to_undo(session, lease.address, time.time())
        used = [row for row in rows if row.nonce < mined_nonces]
        changed |= self._collect(lease, [*waiting, *used][:_RECEIPTS_AT_ONCE], head)
        pending = [row for row in rows if row.nonce >= mined_nonces]
        self._replacer.attend(lease, signer, head, pending=pending, mined_nonces=mined_nonces, undo=undo)
        self._make_final(lease, head)
        return changed, len({row.nonce for row in rows})

    def _recheck(self, lease: Lease) -> bool:
        """Look up the receipts of mined transactions again: what lost its block goes back to the node, same bytes."""
        with reading(self._sessions) as session:
            rows = repository.mined(session, lease.address)
        changed = False
        for start in range(0, len(rows), _RECEIPTS_AT_ONCE):
            part = rows[start : start + _RECEIPTS_AT_ONCE]
            receipts = receipts_of(self._rpc, part)
            moved = [row for row in part if place_of(receipts.get(row.hash)) != (row.block_number, row.block_hash)]
            if moved:
                self._orphan(lease, moved)
                changed = True
        return changed

    def _orphan(self, lease: Lease, rows: Sequence[ChainTransaction]) -> None:
        with self._sessions.begin() as session:
            locked(session, lease)
            nonces = {row.nonce for row in rows}
            orphaned = {row.hash for row in rows}
            noops = {row.nonce for row in rows if row.noop}
            for row in repository.siblings(session, lease.address, nonces):
                # What a no-op undid stays undone: only the no-op goes out again.
                if row.hash in orphaned or (row.status == TransactionStatus.DROPPED and row.nonce not in noops):
                    row.status, row.waiting_since = TransactionStatus.SIGNED, time.time()
                    row.block_number = row.block_hash = row.reverted = None
                    self._broadcaster.forget(row.hash)
            for members in repository.carried(session, lease.address, nonces, lock=True).values():
                for operation in members:
                    repository.finish(operation, OperationStatus.SENT)
        for one in rows:
            _log.warning("0x%s lost its block in a reorganisation; sending it again", one.hash.hex())

    def _collect(self, lease: Lease, rows: Sequence[ChainTransaction], head: Head) -> bool:
        """Take in the receipts of transactions whose nonce is used."""
        if not rows:
            return False
        receipts = receipts_of(self._rpc, rows)
        by_nonce: dict[int, list[ChainTransaction]] = defaultdict(list)
        for row in rows:
            by_nonce[row.nonce].append(row)
        found = {nonce: next((row for row in many if row.hash in receipts), None) for nonce, many in by_nonce.items()}
        lost = [
            nonce
            for nonce, row in found.items()
            # What was mined once and is not now was orphaned: `_recheck` has it.
            if row is None
            and all(one.status == TransactionStatus.SIGNED for one in by_nonce[nonce])
            and self._is_lost(lease.address, nonce)
        ]
        settled = [row for row in found.values() if row is not None]
        self._settler.settle(lease, settled, receipts, head)
        self._settler.give_up(lease, lost)
        for nonce in [row.nonce for row in settled] + lost:
            self._missing_since.pop((lease.address, nonce), None)
            for row in by_nonce[nonce]:
                self._broadcaster.forget(row.hash)
        return bool(settled or lost)

    def _is_lost(self, address: bytes, nonce: int) -> bool:
        """Whether a used nonce has been without a receipt for so long that it is not the node that lags."""
        since = self._missing_since.setdefault((address, nonce), time.monotonic())
        return time.monotonic() - since > self._lost_after

    def _make_final(self, lease: Lease, head: Head) -> None:
        up_to = head.number - self._finality_depth
        if up_to <= self._final_up_to.get(lease.address, -1):
            return
        with self._sessions.begin() as session:
            locked(session, lease)
            repository.make_final(session, lease.address, up_to)
        # Not at every block: each is a write.
        self._final_up_to[lease.address] = up_to + self._finality_depth // 4
