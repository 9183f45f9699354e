"""The indexer: keeps the projection where the chain is.

One step: read the next blocks ─► decode ─► project ─► rows, block hashes and checkpoint in one transaction. When the
chain changed behind us, a step takes back the blocks that are gone instead, again in one transaction. Every process may
run one: whoever commits second finds the checkpoint moved and reads it anew.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from chain.abi import AbiError
from chain.contracts import Contracts
from chain.headers import Header
from chain.logs import Batch, DeepReorganisation, LogReader, Rollback
from chain.raw_log import RawLog
from chain.rpc import RpcClient, RpcError, RpcUnavailable

from . import entity_events, evidence_events, programme_events, voucher_events
from .bulk import insert_rows
from .collector import without_collector
from .models import PROJECTION, ChainBlock, ChainEvent, IndexState, ParkedEvent, ProjectionUndo
from .projected import OWN
from .projector import EventReader, Occurrence, occurrence_id, preload, project, projector_version
from .rows import Rows
from .tables import Model, table_info
from .undo import Removed, prune, roll_back

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
_HALTED_SECONDS = 10.0
# Importing these registered their handlers.
HANDLERS = (entity_events, evidence_events, programme_events, voucher_events)


_ALL_TABLES: tuple[Model, ...] = (*PROJECTION, ProjectionUndo, ChainBlock)

AfterRollback: TypeAlias = Callable[[Session, Removed], None]
"""Told, in the transaction of a rollback, which rows are gone."""


class CheckpointMoved(Exception):
    """Another indexer was faster; nothing was written."""


class Indexer:
    """Follows one deployment on one chain."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rpc: RpcClient,
        contracts: Contracts,
        start_block: int,
        *,
        deployment_id: int = OWN,
        finality_depth: int = 64,
        first_range: int = 500,
        up_to: int | None = None,
        after_rollback: Sequence[AfterRollback] = (),
    ) -> None:
        """Read nothing yet.

        Args:
            start_block: block in which the first contract was deployed, or an earlier one.
            deployment_id: number under which the rows are kept.
            finality_depth: blocks on top of a block after which no reorganisation is expected to touch it.
            first_range: blocks of history asked for at first.
            up_to: last block to project, for a state of the past; None for all that come.
            after_rollback: what others keep of the projection's rows is mended here.
        """
        self._sessions = sessions
        self._contracts = contracts
        self._start_block = start_block
        self._deployment_id = deployment_id
        self._after_rollback = after_rollback
        self._events = EventReader(contracts)
        self._rows = Rows(deployment_id)
        self._reader = LogReader(
            rpc,
            contracts.addresses.values(),
            start_block=start_block,
            finality_depth=finality_depth,
            first_range=first_range,
            up_to=up_to,
        )
        self._window: list[Header] | None = None
        self._poked = threading.Event()
        self.halted: str | None = None
        """Why the indexer stands still and a person must look; None while all is well."""

    @property
    def block_number(self) -> int:
        """Newest block in the projection, as far as this process knows; one before the first if there is none."""
        window = self._window
        return window[-1].number if window else self._start_block - 1

    def poke(self) -> None:
        """Let `run` look at once, for example because a transaction was mined."""
        self._poked.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; outages of node and database are waited out."""
        delay = POLL_SECONDS
        while not stop.is_set():
            try:
                busy = self.step()
                delay, self.halted = POLL_SECONDS, None
            except DeepReorganisation as error:
                busy, delay = False, _HALTED_SECONDS
                if self.halted is None:
                    _log.critical("the projection stands still: %s", error)
                self.halted = str(error)
            except (RpcUnavailable, RpcError, DBAPIError) as error:
                busy, delay = False, min(delay * 2, 2.0)
                _log.warning("waiting %.1f s: %s", delay, error)
            if not busy:
                self._poked.wait(delay)
                self._poked.clear()

    def step(self) -> bool:
        """Take in the next blocks, or take some back.

        Returns:
            Whether anything changed, so that another step is worth while at once.

        Raises:
            DeepReorganisation: a person must look.
            RpcError, RpcUnavailable: the node is of no use now; nothing is lost.
        """
        try:
            if self._window is None:
                self._retry_parked()
                self._window = self._load_window()
            found = self._reader.read(self._window)
            if isinstance(found, Rollback):
                self._window = self._take_back(self._window, found)
            elif found is not None:
                self._window = self._take_in(self._window, found)
        except CheckpointMoved as error:
            _log.info("%s", error)
            self._forget()
            return True
        except BaseException:
            self._forget()
            raise
        return found is not None

    def catch_up(self) -> int:
        """Steps until there is nothing new; returns the newest block's number."""
        while self.step():
            pass
        return self.block_number

    def rebuild(self) -> None:
        """Empty the projection; the next steps make it anew from the chain."""
        self._forget()
        with self._sessions.begin() as session:
            self._empty(session)

    def _empty(self, session: Session) -> None:
        state = session.get(IndexState, self._key, with_for_update=True)
        if state is not None:
            session.delete(state)
            session.flush()
        for model in _ALL_TABLES:
            table = table_info(model).table
            session.execute(delete(table).where(table.c.deployment_id == self._deployment_id))

    def _forget(self) -> None:
        """What is known of the database may not be so any more."""
        self._window = None
        self._rows = Rows(self._deployment_id)

    # Writing

    def _take_in(self, window: Sequence[Header], batch: Batch) -> list[Header]:
        try:
            with self._sessions.begin() as session:
                state = self._checkpoint(session, window)
                self._apply(session, batch, careful=False)
                return self._advance(session, state, window, batch)
        except (DataError, IntegrityError) as error:
            # One event is poison: find it, at the price of a savepoint for each.
            _log.warning("blocks %d to %d one by one: %s", batch.headers[0].number, batch.headers[-1].number, error)
            self._rows = Rows(self._deployment_id)
        with self._sessions.begin() as session:
            state = self._checkpoint(session, window)
            self._apply(session, batch, careful=True)
            return self._advance(session, state, window, batch)

    def _apply(self, session: Session, batch: Batch, *, careful: bool) -> None:
        with without_collector():
            self._project(session, batch, careful=careful)

    def _project(self, session: Session, batch: Batch, *, careful: bool) -> None:
        timestamps = {header.number: header.timestamp for header in batch.headers}
        rows = self._rows
        rows.begin(session)
        decoded = [(log, self._decode(log, timestamps)) for log in batch.logs]
        preload(rows, [event for _, event in decoded if isinstance(event, Occurrence)])
        block = -1
        for log, event in decoded:
            if event is None:
                continue
            number = log.block
            if number != block:
                block = number
                rows.begin_block(number, can_be_undone=number > batch.final_up_to)
            if isinstance(event, Exception):
                self._park(session, log, event)
                continue
            rows.begin_event()
            try:
                if careful:
                    with session.begin_nested():
                        project(rows, event)
                        rows.flush()
                else:
                    project(rows, event)
            # A defect of ours in one handler must not stop all others: the event is kept and reported.
            except Exception as error:
                if careful:
                    rows.discard()
                    rows.begin_block(number, can_be_undone=number > batch.final_up_to)
                elif isinstance(error, DBAPIError):
                    raise
                else:
                    rows.drop_event()
                self._park(session, log, error)
        rows.flush()

    def _decode(self, log: RawLog, timestamps: dict[int, int]) -> Occurrence | Exception | None:
        try:
            return self._events.read(log, timestamps[log.block])
        except AbiError as error:
            return error

    def _advance(
        self, session: Session, state: IndexState | None, window: Sequence[Header], batch: Batch
    ) -> list[Header]:
        with_events = {log.block for log in batch.logs}
        kept = [one for one in batch.headers if one.number >= batch.final_up_to or one.number in with_events]
        if batch.headers[-1] not in kept:
            kept.append(batch.headers[-1])
        insert_rows(
            session.connection(),
            table_info(ChainBlock),
            self._deployment_id,
            [
                {"number": one.number, "hash": one.hash, "parent_hash": one.parent_hash, "timestamp": one.timestamp}
                for one in kept
            ],
        )
        tip = batch.headers[-1]
        if state is None:
            state = IndexState(
                chain_id=self._contracts.chain_id, deployment=self._contracts.ledger, final_block_number=-1
            )
            session.add(state)
        state.block_number, state.block_hash, state.timestamp = tip.number, tip.hash, tip.timestamp
        state.final_block_number = final = max(state.final_block_number, batch.final_up_to)
        # One final block stays, as the ground that a reorganisation is taken back to.
        changeable = [one for one in [*window, *batch.headers] if one.number >= final] or [tip]
        dropped = [one.number for one in window if one.number < changeable[0].number]
        if dropped:
            prune(session, self._deployment_id, final)
            here = ChainEvent.deployment_id == self._deployment_id
            eventful = select(ChainEvent.block_number).where(here, ChainEvent.block_number.in_(dropped))
            session.execute(
                delete(ChainBlock).where(
                    ChainBlock.deployment_id == self._deployment_id,
                    ChainBlock.number.in_(dropped),
                    ChainBlock.number.not_in(eventful),
                )
            )
        return changeable

    def _take_back(self, window: Sequence[Header], rollback: Rollback) -> list[Header]:
        ancestor = rollback.ancestor
        above = self._start_block - 1 if ancestor is None else ancestor.number
        _log.warning("reorganisation: taking back blocks %d to %d", above + 1, window[-1].number)
        with self._sessions.begin() as session:
            state = self._checkpoint(session, window)
            removed = roll_back(session, self._deployment_id, above)
            for mend in self._after_rollback:
                mend(session, removed)
            if state is not None and ancestor is None:
                session.delete(state)
            elif state is not None and ancestor is not None:
                state.block_number, state.block_hash = ancestor.number, ancestor.hash
                state.timestamp = ancestor.timestamp
        self._rows = Rows(self._deployment_id)
        return [header for header in window if header.number <= above]

    def _checkpoint(self, session: Session, window: Sequence[Header]) -> IndexState | None:
        """The checkpoint, locked, after making sure that it is where we think it is."""
        state = session.get(IndexState, self._key, with_for_update=True)
        tip = window[-1].hash if window else None
        if (None if state is None else state.block_hash) != tip:
            raise CheckpointMoved("another indexer moved the checkpoint")
        return state

    def _retry_parked(self) -> None:
        """Project anew if another version parked events: what one of them holds may change all that came after it."""
        with self._sessions.begin() as session:
            parked = select(ParkedEvent.id).where(
                ParkedEvent.deployment_id == self._deployment_id, ParkedEvent.parked_by != projector_version()
            )
            if session.scalars(parked.limit(1)).first() is not None:
                _log.warning("another version parked events: the projection is made anew")
                self._empty(session)

    def _load_window(self) -> list[Header]:
        """The headers of the blocks that can still be taken back, the newest one always among them."""
        with self._sessions() as session:
            state = session.get(IndexState, self._key)
            if state is None:
                return []
            first = min(state.final_block_number, state.block_number)
            blocks = session.scalars(
                select(ChainBlock)
                .where(
                    ChainBlock.deployment_id == self._deployment_id,
                    ChainBlock.number >= first,
                    ChainBlock.number <= state.block_number,
                )
                .order_by(ChainBlock.number)
            )
            return [Header(one.number, one.hash, one.parent_hash, one.timestamp) for one in blocks]

    @property
    def _key(self) -> tuple[int, str]:
        return self._contracts.chain_id, self._contracts.ledger

    def _park(self, session: Session, log: RawLog, error: Exception) -> None:
        _log.error("parked log %d of block %d: %s: %s", log.index, log.block, type(error).__name__, error)
        session.add(
            ParkedEvent(
                deployment_id=self._deployment_id,
                id=occurrence_id(log.block, log.index),
                block_number=log.block,
                tx_hash=bytes.fromhex(log.transaction_hash.removeprefix("0x")),
                log=msgspec.to_builtins(log),
                reason=f"{type(error).__name__}: {error}".replace("\0", "\N{REPLACEMENT CHARACTER}"),
                parked_by=projector_version(),
            )
        )
