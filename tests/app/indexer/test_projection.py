"""The projection says what the contracts say, to the last fen."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer, projection_digest
from app.indexer.models import (
    Approver,
    Budget,
    ChainEvent,
    Entity,
    EntityUse,
    EvidenceBatch,
    EvidenceKey,
    ListedPlatform,
    ListedSupplier,
    OfficerRole,
    ParkedEvent,
    Period,
    Programme,
    Redemption,
    Refusal,
    Stage,
    Tier,
    Voucher,
)
from app.indexer.voucher_events import TOTAL
from chain.enums import NO_PERIOD, EntityKind, ProgrammeStatus, RedemptionState, Role, Standing, VoucherState
from chain.rpc import RpcClient
from tests.chain.ledger_world import OFFICERS, World, budgets, digest


def indexed(world: World, make: sessionmaker[Session], **options: Any) -> Indexer:
    indexer = Indexer(make, world.rpc, world.contracts, world.start_block, **options)
    indexer.catch_up()
    return indexer


def test_every_figure_is_the_contracts(told: World, make: sessionmaker[Session]) -> None:
    indexed(told, make)
    with make() as session:
        assert session.scalars(select(ParkedEvent)).all() == []
        programmes = session.scalars(select(Programme).order_by(Programme.id)).all()
        assert [programme.id for programme in programmes] == [1, 2]
        for programme in programmes:
            _compare_programme(told, session, programme)
        assert {
            (row.programme_id, row.index): {
                "amountFen": row.amount_fen,
                "reservedFen": row.reserved_fen,
                "redeemedFen": row.redeemed_fen,
                "writtenOffFen": row.written_off_fen,
                "recoveredFen": row.recovered_fen,
            }
            for row in session.scalars(select(Budget))
        } == budgets(told, [1, 2])
        vouchers = session.scalars(select(Voucher)).all()
        assert len(vouchers) == 5
        for voucher in vouchers:
            _compare_voucher(told, session, voucher)
        redemptions = session.scalars(select(Redemption)).all()
        assert {one.state for one in redemptions} == {"provisional", "written_off", "rejected"}
        for redemption in redemptions:
            _compare_redemption(told, redemption)
        for entity in session.scalars(select(Entity)):
            _compare_entity(told, entity)
        _compare_use(told, session)


def _compare_programme(world: World, session: Session, row: Programme) -> None:
    real = world.read("VoucherLedger", "programme", row.id)
    assert row.status == ProgrammeStatus(real["status"]).name.lower()
    assert row.group_id == real["group"]
    assert row.last_traded_at == real["lastTradedAt"]
    assert row.published_at is not None
    assert (row.terminated_at is not None) == (row.status == "terminated")
    assert "\0" not in row.policy_uri
    for period in session.scalars(select(Period).where(Period.programme_id == row.id)):
        assert world.read("VoucherLedger", "period", row.id, period.index) == {
            "startsAt": period.starts_at,
            "endsAt": period.ends_at,
            "budget": period.budget_index,
        }
    for tier in session.scalars(select(Tier).where(Tier.programme_id == row.id)):
        kept = world.read("VoucherLedger", "tier", row.id, tier.index)
        assert tier.rate_bps == kept["rateBps"]
        assert (tier.name, tier.period_cap_fen, tier.total_cap_fen) == ("enterprise", kept["periodCapFen"], None)


def _compare_voucher(world: World, session: Session, row: Voucher) -> None:
    real = world.read("VoucherLedger", "voucher", row.id)
    assert row.state == VoucherState(real["state"]).name.lower()
    assert (row.programme_id, row.tier) == (real["programmeId"], real["tier"])
    assert (NO_PERIOD if row.period is None else row.period) == real["period"]
    assert (row.issued_at, row.valid_until) == (real["issuedAt"], real["validUntil"])
    assert (row.face_fen, row.redeemed_fen, row.written_off_fen) == (
        real["faceFen"],
        real["redeemedFen"],
        real["writtenOffFen"],
    )
    assert row.entity_id == world.read("EntityRegistry", "idOf", real["entity"])
    assert row.redeemed_fen + row.returned_fen <= row.face_fen
    assert row.state in ("live", "frozen") or row.returned_fen > 0


def _compare_redemption(world: World, row: Redemption) -> None:
    real = world.read("VoucherLedger", "redemption", row.id, row.settlement_key)
    assert row.state == RedemptionState(real["state"]).name.lower()
    assert (row.voucher_id, row.period) == (real["voucherId"], real["period"])
    assert (row.redeemed_at, row.written_off_at or 0) == (real["redeemedAt"], real["writtenOffAt"])
    assert (row.amount_fen, row.recovered_fen) == (real["amountFen"], real["recoveredFen"])
    used_by = world.read("VoucherLedger", "settlement", row.programme_id, row.settlement_key)
    assert used_by == (row.id if row.state != "rejected" or row.trade_barred else 0)


def _compare_entity(world: World, row: Entity) -> None:
    real = world.read("EntityRegistry", "entity", row.id)
    assert bytes.fromhex(real["account"].removeprefix("0x")) == row.account
    assert (row.kind, row.roles, row.region) == (EntityKind(real["kind"]).name.lower(), real["roles"], real["region"])
    assert (row.standing, row.standing_until) == (Standing(real["standing"]).name.lower(), real["standingUntil"])
    assert (row.controller or bytes(16), row.number) == (real["controller"], real["number"])
    assert row.frozen == real["frozen"]


def _compare_use(world: World, session: Session) -> None:
    rows = session.scalars(select(EntityUse)).all()
    assert rows
    for row in rows:
        period_fen, total_fen = world.read("VoucherLedger", "used", row.programme_id, row.entity_id, max(0, row.period))
        assert row.redeemed_fen == (total_fen if row.period == TOTAL else period_fen)


def test_lists_keys_roles_and_refusals_are_there(told: World, make: sessionmaker[Session]) -> None:
    indexed(told, make)
    with make() as session:
        assert {row.supplier_id for row in session.scalars(select(ListedSupplier))} == {digest("supplier")}
        assert {row.platform_id for row in session.scalars(select(ListedPlatform))} == {digest("platform")}
        reviewer = bytes.fromhex(told.signers["reviewer"].address.removeprefix("0x"))
        assert {(row.programme_id, row.account) for row in session.scalars(select(Approver))} == {
            (1, reviewer),
            (2, reviewer),
        }
        assert {row.name for row in session.scalars(select(Stage))} == {"review"}
        keys = session.scalars(select(EvidenceKey).order_by(EvidenceKey.valid_from)).all()
        # On a fast chain both keys are of one second; then the later one counts.
        assert [row.custodial for row in keys] in ([True, False], [False])
        for row in keys:
            assert int.from_bytes(row.key, "big") == int(
                told.read("EntityRegistry", "evidenceKeyAt", row.entity_id, row.valid_from), 16
            )
        roles = {(row.role, row.account) for row in session.scalars(select(OfficerRole))}
        for role, name in OFFICERS.items():
            assert (role.name.lower(), bytes.fromhex(told.signers[name].address.removeprefix("0x"))) in roles
        assert len(roles) == len(Role) + 1
        batches = session.scalars(select(EvidenceBatch).order_by(EvidenceBatch.index)).all()
        assert [batch.from_sequence for batch in batches] == list(range(1, len(batches) + 1))
        for batch in batches:
            assert told.read("EvidenceLog", "headAt", batch.platform_id, batch.index) == batch.head
        refusals = session.scalars(select(Refusal).order_by(Refusal.id)).all()
        assert [(row.kind, row.code) for row in refusals] == [
            ("issue", "VoucherLedger_BudgetExhausted"),
            ("redemption", "VoucherLedger_SettlementUsed"),
        ]
        assert refusals[0].args["leftFen"] == 10_000_000 - 1_000_000 - 700_000
        assert refusals[1].settlement_key is not None


def test_history_of_a_voucher_has_every_step_with_its_transaction(told: World, make: sessionmaker[Session]) -> None:
    indexed(told, make)
    with make() as session:
        voucher_id = (1 << 32) + 2
        history = session.scalars(
            select(ChainEvent).where(ChainEvent.voucher_id == voucher_id).order_by(ChainEvent.id)
        ).all()
        assert [row.event for row in history] == ["VoucherIssued", "Redeemed", "VoucherFrozen", "VoucherUnfrozen"]
        for row in history:
            receipt = told.rpc.call("eth_getTransactionReceipt", "0x" + row.tx_hash.hex())
            assert int(receipt["blockNumber"], 16) == row.block_number
            assert (row.programme_id, row.entity_id) == (1, digest("other buyer"))


def test_rows_are_the_same_after_a_rebuild_and_whatever_the_chunk_size(
    told: World, make: sessionmaker[Session], node_rpc: RpcClient
) -> None:
    digests = set()
    for first_range, finality_depth in ((500, 64), (1, 0), (7, 3), (500, 0)):
        indexer = Indexer(
            make,
            node_rpc,
            told.contracts,
            told.start_block,
            first_range=first_range,
            finality_depth=finality_depth,
        )
        indexer.rebuild()
        indexer.catch_up()
        with make() as session:
            digests.add(projection_digest(session))
    assert len(digests) == 1
