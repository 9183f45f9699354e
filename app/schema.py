"""What all request and response bodies share."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from stdnum.cn import uscc as uscc_number

MAX_FEN = 2**48 - 1
"""Largest amount of a budget on chain, in fen."""


MAKER = re.compile(r"maker:[0-9A-Za-z-]{4,40}")


class Schema(BaseModel):
    """A body: unknown members are refused, and nothing is converted on the quiet ("12" is not 12)."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_bytes="utf8")


def _check_uscc(value: str) -> str:
    if not uscc_number.is_valid(value) or value != uscc_number.compact(value):
        raise PydanticCustomError(
            "uscc", "not a valid 统一社会信用代码: 18 upper-case characters, the last being the check character"
        )
    return value


def _check_organisation(value: str) -> str:
    if MAKER.fullmatch(value):
        return value
    return _check_uscc(value)


Uscc = Annotated[str, AfterValidator(_check_uscc)]
"""A 统一社会信用代码 (GB 32100-2015), check character included."""
OrganisationNumber = Annotated[str, AfterValidator(_check_organisation)]
"""A USCC or, for makers (创客), who are not legal persons, `maker:` and a document number of up to 40 characters."""
Hex32 = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
"""32 bytes in lower-case hex."""
HexAddress = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
"""An EVM address."""
Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
"""An amount in fen."""
PositiveFen = Annotated[int, Field(gt=0, le=MAX_FEN)]
"""An amount in fen, above zero."""
UnixSeconds = Annotated[int, Field(ge=0, lt=2**32)]
"""An instant in Unix seconds."""
Region = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", examples=["410100"])]
"""Six-digit GB/T 2260 code."""
