"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import errors
from app.applications.drafts_router import queries as draft_queries
from app.applications.drafts_router import router as drafts
from app.applications.queries import queries as application_queries
from app.applications.router import router as applications
from app.auth.router import router as api_keys
from app.checks.router import imports as check_tables
from app.checks.router import queries as check_queries
from app.checks.router import router as holds
from app.claims.router import queries as claim_queries
from app.claims.router import router as claims
from app.console.router import router as console
from app.documents.router import queries as document_queries
from app.documents.router import router as documents
from app.documents.router import uploads
from app.effects.router import queries as effect_queries
from app.effects.router import router as effects
from app.entities.router import imports as entity_imports
from app.entities.router import queries as entity_queries
from app.entities.router import router as entities
from app.events.router import router as events
from app.events.stream import Streams
from app.evidence.intake import Intake
from app.evidence.router import erasures as evidence_erasures
from app.evidence.router import queries as evidence_queries
from app.evidence.router import router as evidence
from app.gateway import Gateway
from app.health import router as health
from app.indexer.router import router as indexer
from app.operations.router import commands as operation_commands
from app.operations.router import router as operations
from app.orders.router import queries as order_queries
from app.orders.router import router as orders
from app.policies.router import router as policies
from app.programmes.router import queries as programme_queries
from app.programmes.router import router as programmes
from app.reports.router import router as reports
from app.settlement.router import queries as settlement_queries
from app.settlement.router import router as settlement
from app.signers.router import router as signers
from app.vouchers.router import queries as voucher_queries
from app.vouchers.router import router as vouchers
from app.webhooks.router import queries as webhook_queries
from app.webhooks.router import router as webhooks

ROUTERS = (
    evidence,  # first, since a request is compared with one path after another: nothing is posted as often
    health,
    indexer,
    api_keys,
    entities,
    entity_imports,
    entity_queries,
    policies,
    programmes,
    programme_queries,
    applications,
    application_queries,
    drafts,
    draft_queries,
    documents,
    document_queries,
    uploads,
    orders,
    order_queries,
    effects,
    effect_queries,
    evidence_erasures,
    evidence_queries,
    claims,
    claim_queries,
    holds,
    check_queries,
    check_tables,
    vouchers,
    voucher_queries,
    settlement,
    settlement_queries,
    reports,
    operations,
    events,
    signers,
    webhooks,
    webhook_queries,
    operation_commands,
    console,
)


def create_app(gateway: Gateway) -> FastAPI:
    """The application on top of a running gateway."""
    intake = Intake(gateway)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await intake.close()

    app = FastAPIOffline(
        lifespan=lifespan,
        title="Suanquan 算券",
        version="0.1.0",
        description="Trusted compute-voucher service (可信算力券服务平台). Amounts are in fen, rates in basis points, "
        "instants in Unix seconds.",
    )
    app.state.gateway = gateway
    app.state.streams = Streams(gateway)
    app.state.intake = intake
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
