"""Bodies of effect reports."""

from typing import Annotated, Literal

from pydantic import Field

from app.schema import MAX_FEN, OrganisationNumber, Schema

ApplicationField = Literal[
    "large_model",
    "manufacturing",
    "health",
    "finance",
    "transport",
    "education",
    "science",
    "government",
    "media",
    "energy",
    "agriculture",
    "other",
]
"""Where compute is used (应用领域): 大模型, 制造, 医疗, 金融, 交通, 教育, 科研, 政务, 文化传媒, 能源, 农业, 其他."""

Tflops = Annotated[int, Field(ge=0, lt=2**48, description="TFLOPS at FP16, owned and rented, on average over a year.")]
Revenue = Annotated[int, Field(ge=0, le=MAX_FEN, description="Revenue of a year in fen.")]


class NewEffect(Schema):
    """What an organisation reports of one year.

    Attributes:
        year: Calendar year of China Standard Time that is over, or the one that runs.
        purpose: Where the compute was used, in words.
        capacity_before_tflops: Of the year before the first subsidy, as `revenue_before_fen`; null where not known.
    """

    programme_id: Annotated[int, Field(ge=1, le=65535)]
    uscc: OrganisationNumber
    year: Annotated[int, Field(ge=2000, le=2200)]
    field: ApplicationField
    purpose: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    capacity_tflops: Tflops
    capacity_before_tflops: Tflops | None = None
    revenue_fen: Revenue
    revenue_before_fen: Revenue | None = None


class EffectView(NewEffect):
    """A report of effect; of several for one programme, organisation and year the highest number counts."""

    id: str
    number: int
    reported_at: int


class EffectPage(Schema):
    """A page of reports that count; `next` is the cursor of the page after it."""

    items: list[EffectView]
    next: str | None
