"""From the projection's events to ours, reorganisations included.

`chain_events` is the outbox of the chain: the indexer writes it with the rows it changes, so this costs the indexer
nothing. Whatever stands there and was not recorded is recorded; whatever was recorded as open and does not
stand there any more is reversed. Comparing, not being told, makes this the same after a kill, a rebuild of the
projection, or a reorganisation that came and went between two looks.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import and_, exists, select, update
from sqlalchemy.orm import Session

from app.events.catalogue import CHAIN_TYPES, EVERYONE, PUBLIC
from app.events.models import STANDING_FINAL, STANDING_OPEN, STANDING_REVERSED, Event, Publication
from app.events.recorder import record
from app.indexer.models import ChainBlock, ChainEvent, IndexState, Redemption
from app.indexer.projector import occurrence_id

AT_ONCE = 500
_RECORDED = and_(
    Event.block_hash == ChainEvent.block_hash,
    Event.log_index == ChainEvent.log_index,
    Event.standing != STANDING_REVERSED,
)


def moved(session: Session, publication: Publication, key: tuple[int, str]) -> bool:
    """Whether the projection is somewhere else than what was recorded, at the same height or above."""
    state = session.get(IndexState, key)
    if state is None or state.block_number < publication.block_number:
        return False
    return publication.chain_cursor < _end_of(state) or publication.block_hash != state.block_hash


def take_in(session: Session, publication: Publication, key: tuple[int, str]) -> None:
    """Records what is new on chain, and reverses what is gone. The caller holds the publication's lock."""
    # Shared with other readers; the indexer waits for the moment, so that all of this sees one state.
    state = session.get(IndexState, key, with_for_update={"read": True}, populate_existing=True)
    if state is None or state.block_number < publication.block_number:
        # A projection that is lower than it was is taking blocks back or is being rebuilt: what is gone shows once it
        # is as high again.
        return
    if not _is_below(session, publication):
        _reverse(session, publication.block_number, state)
        publication.chain_cursor = occurrence_id(publication.final_block + 1, 0) - 1
    _record_new(session, publication, state)
    _make_final(session, publication, state)


def _is_below(session: Session, publication: Publication) -> bool:
    """Whether the block up to which events are recorded is still on the chain. Empty blocks that became final are
    forgotten by the indexer; looking again finds nothing new there."""
    if publication.block_hash is None:
        return True
    block = session.get(ChainBlock, publication.block_number)
    return block is not None and block.hash == publication.block_hash


def _record_new(session: Session, publication: Publication, state: IndexState) -> None:
    query = (
        select(ChainEvent)
        .where(
            ChainEvent.id > publication.chain_cursor,
            ChainEvent.block_number <= state.block_number,
            ChainEvent.event.in_(CHAIN_TYPES),
            ~exists().where(_RECORDED),
        )
        .order_by(ChainEvent.id)
        .limit(AT_ONCE)
    )
    found = session.scalars(query).all()
    redemptions = _redemptions(session, found)
    timestamps = _timestamps(session, found)
    for one in found:
        is_final = one.block_number <= state.final_block_number
        kind = CHAIN_TYPES[one.event]
        record(
            session,
            kind,
            _data(one, is_final=is_final),
            parties=_parties(one, kind, redemptions.get(one.redemption_id or 0)),
            occurred_at=timestamps.get(one.block_number),
            standing=STANDING_FINAL if is_final else STANDING_OPEN,
            block_number=one.block_number,
            block_hash=one.block_hash,
            log_index=one.log_index,
        )
    if len(found) == AT_ONCE:
        last = found[-1]
        publication.chain_cursor = last.id
        publication.block_number, publication.block_hash = last.block_number, last.block_hash
    else:
        publication.chain_cursor = _end_of(state)
        publication.block_number, publication.block_hash = state.block_number, state.block_hash


def _make_final(session: Session, publication: Publication, state: IndexState) -> None:
    up_to = min(state.final_block_number, publication.block_number)
    if up_to <= publication.final_block:
        return
    session.flush()
    # What was recorded before a reorganisation that nobody saw, as no process ran, is gone by now.
    _reverse(session, up_to, state)
    session.execute(
        update(Event)
        .where(Event.standing == STANDING_OPEN, Event.block_number <= up_to)
        .values(standing=STANDING_FINAL)
        .execution_options(synchronize_session=False)
    )
    publication.final_block = up_to


def _reverse(session: Session, up_to: int, state: IndexState) -> None:
    """Tells that open events are gone, the newest first, as one would take them back."""
    gone = (
        select(Event)
        .where(Event.standing == STANDING_OPEN, Event.block_number <= up_to, ~exists(ChainEvent.id).where(_RECORDED))
        .order_by(Event.id.desc())
    )
    for one in session.scalars(gone).all():
        one.standing = STANDING_REVERSED
        record(
            session,
            f"{one.type}.reversed",
            {**one.data, "reverses": one.uid},
            parties=[party.party for party in one.parties],
            occurred_at=state.timestamp,
        )
    session.flush()


def _end_of(state: IndexState) -> int:
    """Highest id that a chain event in the projection can have."""
    return occurrence_id(state.block_number + 1, 0) - 1


def _data(one: ChainEvent, *, is_final: bool) -> dict[str, object]:
    return {
        "event": one.event,
        "args": one.args,
        "voucher_id": one.voucher_id,
        "redemption_id": one.redemption_id,
        "programme_id": one.programme_id,
        "entity_id": None if one.entity_id is None else f"0x{one.entity_id.hex()}",
        "chain": {
            "contract": one.contract,
            "block_number": one.block_number,
            "block_hash": f"0x{one.block_hash.hex()}",
            "tx_hash": f"0x{one.tx_hash.hex()}",
            "log_index": one.log_index,
            "final": is_final,
        },
    }


def _parties(one: ChainEvent, kind: str, redemption: Redemption | None) -> Iterator[bytes]:
    if kind in PUBLIC:
        yield EVERYONE
    if one.entity_id is not None:
        yield one.entity_id
    if redemption is not None:
        yield from (redemption.entity_id, redemption.platform_id, redemption.supplier_id)


def _redemptions(session: Session, found: Sequence[ChainEvent]) -> dict[int, Redemption]:
    ids = {one.redemption_id for one in found if one.redemption_id is not None}
    return {row.id: row for row in session.scalars(select(Redemption).where(Redemption.id.in_(ids)))} if ids else {}


def _timestamps(session: Session, found: Sequence[ChainEvent]) -> dict[int, int]:
    numbers = {one.block_number for one in found}
    rows = session.scalars(select(ChainBlock).where(ChainBlock.number.in_(numbers))) if numbers else ()
    return {block.number: block.timestamp for block in rows}
