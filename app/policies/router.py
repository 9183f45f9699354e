"""`POST /v1/quotes`. Rules are public: asking needs no key, and nothing is kept."""

from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example

from app.errors import Invalid
from app.policies.best import ALL, best_of
from app.policies.compiled import compiled
from app.policies.explain import asked
from app.policies.files import parse, shipped
from app.policies.quote import quote as quotation
from app.policies.schemas import BestView, QuotationView, QuoteRequest
from app.programmes.service import find_policy_text
from app.route import BoundedRoute, QuerySession

router = APIRouter(prefix="/v1", tags=["policies"], route_class=BoundedRoute)

EXAMPLES = {
    name: Example(summary=f"{part.title.zh}: {one.title.zh} / {one.title.en}", value={"policy": name, **asked(one)})
    for name, content in shipped().items()
    for part in parse(content).programmes[:1]
    for one in part.examples[:1]
}
"""The worked example of each policy."""


@router.post("/quotes")
def quote(
    body: Annotated[QuoteRequest, Body(openapi_examples=EXAMPLES)], session: QuerySession
) -> BestView | QuotationView:
    """What a trade is subsidised with under a policy, and why. What is not known is answered so, never guessed."""
    if body.policy == ALL:
        return BestView.model_validate(best_of((compiled(one) for one in shipped().values()), body).to_dict())
    content = find_policy_text(session, body.policy)
    if content is None:
        raise Invalid("/policy", "known_policy", f'there is no policy {body.policy}; "all" asks all shipped ones')
    return QuotationView.model_validate(quotation(compiled(content), body).to_dict())
