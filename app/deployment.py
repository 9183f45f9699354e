"""Where this service's contracts are: one row, so that all gateways on a database speak to the same deployment."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Json


class Deployment(Base):
    """The deployment, and the journal that lets an interrupted one go on.

    Attributes:
        journal: Steps that were taken, as chain.deploy keeps them.
        contracts: Addresses and chain id once all steps are done, else null.
        start_block: Block from which the indexer reads.
    """

    __tablename__ = "deployments"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    journal: Mapped[dict[str, object]] = mapped_column(Json)
    contracts: Mapped[dict[str, object] | None] = mapped_column(Json)
    start_block: Mapped[int | None] = mapped_column(BigInteger)
