"""Who takes part in the demo. Names and numbers are invented; the numbers carry valid check characters."""

from dataclasses import dataclass

from stdnum.cn import uscc

from app.client.gpu_trace import Party as Trader


def _number(region: str, body: str) -> str:
    stem = f"91{region}{body}"
    return stem + uscc.calc_check_digit(stem)


@dataclass(frozen=True)
class Party:
    """An organisation.

    Attributes:
        tier: Tier that a buyer applies for, empty for others.
        controller: Controlling group, empty for none.
    """

    uscc: str
    name: str
    kind: str
    role: str
    region: str
    tier: str = ""
    controller: str = ""

    @property
    def trader(self) -> Trader:
        """As a trade names it."""
        return Trader(self.uscc, self.region)

    def registration(self, standing_until: int) -> dict[str, object]:
        """Body of its registration."""
        return {
            "uscc": self.uscc,
            "name": self.name,
            "kind": self.kind,
            "roles": [self.role],
            "region": self.region,
            "controller": self.controller,
            "standing_until": standing_until,
        }


def _buyer(serial: int, name: str, kind: str, tier: str, *, region: str = "410100", controller: str = "") -> Party:
    return Party(_number(region, f"MA4DEM{serial:03d}"), name, kind, "buyer", region, tier, controller)


def enterprise(serial: int, name: str, region: str) -> Party:
    """An enterprise that stands for no tier in particular."""
    return _buyer(serial, name, "enterprise", "", region=region)


def supplier(region: str, body: str, name: str) -> Party:
    """Who delivers."""
    return Party(_number(region, body), name, "supplier", "supplier", region)


BUYERS = (
    _buyer(1, "郑州智算应用有限公司", "enterprise", "enterprise_in_zone"),
    _buyer(2, "郑州微算科技有限公司", "enterprise", "enterprise_in_zone_small"),
    _buyer(3, "中原人工智能研究院", "research_institute", "research_institute"),
    _buyer(4, "郑州工程大学", "university", "university"),
    _buyer(5, "中原大学", "university", "university_double_first"),
    _buyer(6, "嵩山大模型有限公司", "enterprise", "large_model_enterprise"),
    _buyer(7, "洛阳数算有限公司", "enterprise", "enterprise_out_of_zone", region="410300"),
    _buyer(8, "新芽算法有限公司", "enterprise", "newly_settled"),
)
"""One for each tier, in the policy's order."""
BLACKLISTED = _buyer(9, "失信算力有限公司", "enterprise", "enterprise_in_zone")
"""Put on the list of dishonest judgment debtors after its voucher was issued."""
RELATED = _buyer(10, "联营算力应用有限公司", "enterprise", "enterprise_in_zone", controller="联营集团")
"""Shares its controller with RELATED_SUPPLIER."""
SUPPLIERS = (
    Party(_number("410100", "MA4H00001"), "中原智算中心", "supplier", "supplier", "410100"),
    Party(_number("410100", "MA4H00002"), "郑州超算中心", "supplier", "supplier", "410100"),
    Party(_number("410300", "MA4H00003"), "洛阳算力有限公司", "supplier", "supplier", "410300"),
)
RELATED_SUPPLIER = Party(
    _number("410100", "MA4H00004"), "联营算力供应有限公司", "supplier", "supplier", "410100", controller="联营集团"
)
PLATFORM = Party(_number("410100", "MA4P00001"), "郑州算力调度平台", "platform", "platform", "410100")
ALL = (*BUYERS, BLACKLISTED, RELATED, *SUPPLIERS, RELATED_SUPPLIER, PLATFORM)
