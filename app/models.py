"""Every module that declares tables, in one place: importing this fills `chain.sql.Base.metadata`."""

from app import deployment
from app.applications import models as applications
from app.applications import rollups as application_rollups
from app.auth import models as auth
from app.checks import models as checks
from app.claims import models as claims
from app.documents import models as documents
from app.effects import models as effects
from app.entities import models as entities
from app.events import models as events
from app.evidence import models as evidence
from app.idempotency import models as idempotency
from app.indexer import models as indexer
from app.orders import models as orders
from app.programmes import models as programmes
from app.signers import models as signers
from app.webhooks import models as webhooks
from chain.relay import models as relay

MODULES = (
    relay,
    indexer,
    applications,
    application_rollups,
    auth,
    checks,
    claims,
    deployment,
    documents,
    effects,
    entities,
    events,
    evidence,
    idempotency,
    orders,
    programmes,
    signers,
    webhooks,
)
