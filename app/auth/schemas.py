"""Bodies of API keys."""

from typing import Annotated, Literal

from pydantic import Field

from app.schema import Schema

Subject = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z:_-]*$")]


class NewApiKey(Schema):
    """A key to make.

    Attributes:
        subject: What it acts for: the USCC of a platform or enterprise, the signer name of a reviewer.
    """

    role: Literal["platform", "enterprise", "reviewer"]
    subject: Subject


class ApiKeyCreated(Schema):
    """A new key, shown this once."""

    api_key: str
    role: str
    subject: str
