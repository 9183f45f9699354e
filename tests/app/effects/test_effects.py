"""Effect reports over HTTP: an organisation that was subsidised says what became of it."""

from typing import Any

import pytest

from tests.app.claims.scenario import World, build
from tests.app.conftest import RunningService


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    world = build(service)
    world.voucher(0)
    world.voucher(1)
    return world


def effect(world: World, buyer: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "programme_id": world.programme_id,
        "uscc": world.buyers[buyer],
        "year": 2025,
        "field": "large_model",
        "purpose": "训练工业质检大模型",
        "capacity_tflops": 12_000,
        "capacity_before_tflops": 4_000,
        "revenue_fen": 9_000_000_00,
        "revenue_before_fen": 5_000_000_00,
        **changes,
    }


def test_the_newest_report_of_a_year_counts_and_the_same_again_changes_nothing(world: World) -> None:
    post, mine = world.service.post, world.buyer_keys[0]
    first = world.json(post("/v1/effects", mine, effect(world)), 201)
    assert world.json(post("/v1/effects", mine, effect(world)), 200) == first
    second = world.json(post("/v1/effects", mine, effect(world, revenue_fen=8_000_000_00)), 201)
    assert (first["number"], second["number"]) == (1, 2)
    world.json(post("/v1/effects", "operator", effect(world, buyer=1, year=2024, capacity_before_tflops=None)), 201)
    listed = world.json(world.service.get("/v1/effects", "regulator", programme_id=world.programme_id), 200)
    assert [(one["uscc"], one["year"], one["number"]) for one in listed["items"]] == [
        (world.buyers[1], 2024, 1),
        (world.buyers[0], 2025, 2),
    ]
    page = world.json(world.service.get("/v1/effects", limit=1), 200)
    rest = world.json(world.service.get("/v1/effects", limit=1, after=page["next"]), 200)
    assert [*page["items"], *rest["items"]] == listed["items"]


def test_an_organisation_reports_for_itself_and_sees_itself(world: World) -> None:
    service = world.service
    for who in ("registrar", "reviewer-1", "finance", "regulator", world.platform_key):
        assert service.post("/v1/effects", who, effect(world)).status_code == 403, who
    refused = world.json(service.post("/v1/effects", world.buyer_keys[0], effect(world, buyer=1)), 422)
    assert refused["errors"][0]["rule"] == "own"
    seen = world.json(service.get("/v1/effects", world.buyer_keys[1], uscc=world.buyers[0]), 200)["items"]
    assert {one["uscc"] for one in seen} <= {world.buyers[1]}


def test_figures_that_cannot_be_are_refused_by_name(world: World) -> None:
    for changes, pointer, rule in (
        ({"uscc": world.buyers[2]}, "/uscc", "subsidised"),
        ({"year": 2023}, "/year", "programme_year"),
        ({"year": 2199}, "/year", "programme_year"),
        ({"field": "gambling"}, "/field", "literal_error"),
        ({"revenue_fen": -1}, "/revenue_fen", "greater_than_equal"),
    ):
        answer = world.json(world.service.post("/v1/effects", "operator", effect(world, **changes)), 422)
        assert (answer["errors"][0]["pointer"], answer["errors"][0]["rule"]) == (pointer, rule)
    unknown = effect(world, programme_id=65_535)
    assert world.service.post("/v1/effects", "operator", unknown).status_code == 404
    assert world.service.get("/v1/effects", after="ef_none").status_code == 422
