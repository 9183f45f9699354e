"""Why an application is rejected: codes to branch on, with texts. A programme's own rules have codes too."""

from collections.abc import Mapping

from app.policies.model import Bilingual, ProgrammePart

REASONS: Mapping[str, Bilingual] = {
    code: Bilingual(zh=zh, en=en)
    for code, zh, en in (
        ("not_eligible", "不符合申领条件", "does not meet the conditions"),
        ("wrong_tier", "申领档次不符", "applies for a tier that is another's"),
        ("documents_incomplete", "材料不完整", "documents are incomplete"),
        ("documents_untrue", "材料不实", "documents are not true"),
        ("duplicate", "重复申领", "applied for before"),
        ("standing", "失信被执行人或税收违法", "dishonest judgment debtor or on the tax blacklist"),
        ("related_party", "买卖双方存在关联关系", "buyer and supplier are related"),
        ("out_of_scope", "不在支持范围内", "outside the programme's scope"),
        ("no_answer", "逾期未答复澄清问题", "a question was not answered in time"),
        ("objection_upheld", "公示期异议成立", "an objection during publicity was upheld"),
        ("budget_exhausted", "资金额度已用完", "the budget is used up"),
    )
}
"""Codes that every programme has, after domain.md's checks and what qingdao's preliminary review looks at."""


def reasons_of(part: ProgrammePart | None) -> dict[str, Bilingual]:
    """The codes of a programme: the general ones, and the rules of its policy."""
    rules = () if part is None else part.eligible + part.excluded
    return {**REASONS, **{rule.code: rule.text for rule in rules}}
