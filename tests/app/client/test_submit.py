"""`suanquan submit` against a real service: every record once, whatever happens to the process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.client import EvidenceClient, Refused, new_key, read_key
from app.commands.submit import cli
from app.evidence.models import EvidenceRecord, EvidenceSubmission
from chain.identifiers import entity_id
from chain.keys import KeystoreError
from chain.verify import verify
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import REAL, RunningService

ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.fixture(scope="module")
def surroundings() -> str:
    """One of them: where the service keeps its data makes no difference to a client."""
    return REAL


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=1)


@pytest.fixture
def secrets_dir(world: World, tmp_path: Path) -> Path:
    """A platform's files: its key, the jurisdiction key, its API key."""
    contents = {
        "platform.key": (bytes(31) + b"\x07").hex(),
        "jurisdiction.key": world.service.gateway.jurisdiction_key.hex(),
        "api.key": world.signing_key,
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content + "\n")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def arguments(world: World, secrets_dir: Path, file: Path, *options: str) -> list[str]:
    return [
        *(str(file), "--json", "--url", world.service.url, "--platform", world.signing_platform),
        *("--key", str(secrets_dir / "platform.key"), "--jurisdiction-key", str(secrets_dir / "jurisdiction.key")),
        *("--api-key-file", str(secrets_dir / "api.key"), *options),
    ]


def run(world: World, secrets_dir: Path, file: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, what was printed as JSON, and what was told."""
    done = CliRunner().invoke(cli, arguments(world, secrets_dir, file, *options))
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


def records(world: World, count: int) -> list[dict[str, Any]]:
    return [world.record(platform=world.signing_platform) for _ in range(count)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))
    return path


def stored(world: World) -> int:
    """Records of the platform."""
    platform_id = entity_id(world.service.gateway.jurisdiction_key, world.signing_platform)
    with world.service.gateway.sessions() as session:
        query = select(func.count()).select_from(EvidenceRecord).where(EvidenceRecord.platform_id == platform_id)
        return session.scalar(query) or 0


def test_a_killed_run_goes_on_where_it_was_and_posts_each_record_once(world: World, secrets_dir: Path) -> None:
    before = stored(world)
    file = write(secrets_dir / "trades.ndjson", records(world, 600))
    receipts = secrets_dir / "trades.ndjson.receipts.ndjson"
    kills = 0
    for acknowledged in (1, 6):
        command = ["submit", *arguments(world, secrets_dir, file, "--batch", "40")]
        victim = subprocess.Popen([sys.executable, "-P", "-m", "app.cli", *command], cwd=ROOT)
        until(lambda: (receipts.exists() and receipts.read_bytes().count(b"\n") >= acknowledged) or None)  # noqa: B023
        victim.send_signal(signal.SIGKILL)
        kills += victim.wait() == -signal.SIGKILL
    assert kills >= 1
    with receipts.open("ab") as torn:
        torn.write(b'{"records": 99')
    status, told, _ = run(world, secrets_dir, file, "--batch", "40")
    assert (status, told["records"], told["refused"], told["custody"]) == (0, 600, 0, False)
    assert told["stored"] + told["duplicate"] == 600
    assert stored(world) == before + 600
    lines = [json.loads(line) for line in receipts.read_text().splitlines()]
    items = [item for line in lines for item in line["items"]]
    assert [item["line"] for item in items] == list(range(1, 601))
    assert len({item["id"] for item in items}) == 600
    # Once more, and without its receipts: the gateway knows them all.
    assert run(world, secrets_dir, file)[1]["records"] == 600
    receipts.unlink()
    assert run(world, secrets_dir, file)[1]["duplicate"] == 600
    assert stored(world) == before + 600


def test_overlapping_and_contradicting_records_do_not_hold_back_the_others(world: World, secrets_dir: Path) -> None:
    first = records(world, 5)
    assert run(world, secrets_dir, write(secrets_dir / "monday.ndjson", first))[0] == 0
    fresh = records(world, 4)
    contradiction = {**first[2], "settled_fen": 7}
    rows = [fresh[0], first[0], contradiction, fresh[1], fresh[1], first[4], fresh[2], fresh[3]]
    before = stored(world)
    status, told, _ = run(world, secrets_dir, write(secrets_dir / "tuesday.ndjson", rows))
    assert (status, told["stored"], told["duplicate"], told["refused"]) == (1, 4, 3, 1)
    assert [(one["line"], one["pointer"], one["rule"]) for one in told["problems"]] == [(3, "/trade_id", "conflict")]
    assert stored(world) == before + 4


def test_a_changed_file_is_begun_anew_and_nothing_is_there_twice(world: World, secrets_dir: Path) -> None:
    rows = records(world, 6)
    file = write(secrets_dir / "grown.ndjson", rows)
    run(world, secrets_dir, file)
    before = stored(world)
    status, told, words = run(world, secrets_dir, write(file, [*records(world, 1), *rows]))
    assert (status, told["stored"], told["duplicate"]) == (0, 1, 6)
    assert "changed" in words
    assert stored(world) == before + 1


def test_a_csv_of_a_platform_is_mapped_and_its_bad_cells_named(world: World, secrets_dir: Path) -> None:
    file = secrets_dir / "export.csv"
    header = "订单号,买方,供方,合同号,签约时间,结算时间,金额(元),发票,国产,备注\r\n"
    line = f"ORD-{{0}},{world.buyers[0]},{world.supplier},HT-1,2024-06-01 08:00:00,{{1}},{{2}},INV-C{{0}},{{3}},\r\n"
    mapped = (
        *(
            "订单号=trade_id",
            "买方=buyer",
            "供方=supplier",
            "合同号=contract_number",
            "签约时间=contract_signed_at:cst",
        ),
        *("结算时间=traded_at:cst", "金额(元)=settled_fen:yuan", "发票=invoice_id", "国产=domestic_chip", "备注="),
    )
    constants = (
        *("kind=compute", "compute_type=intelligent", "region_id=410100"),
        *("other_support_fen=0", "buyer_paid=true", "contract_fen=100000"),
    )
    options = [word for one in mapped for word in ("--map", one)] + [
        word for one in constants for word in ("--set", one)
    ]
    moment = "2024-07-01 07:59:59"
    bad = [("1", moment, "12.345", "是"), ("2", "gestern", "1", "否"), ("3", moment, "1", "ja")]
    file.write_text("\ufeff" + header + "".join(line.format(*cells) for cells in bad), encoding="utf-8")
    before = stored(world)
    status, told, _ = run(world, secrets_dir, file, *options)
    found = [(one["line"], one["pointer"], one["rule"]) for one in told["problems"]]
    assert found == [(2, "/settled_fen", "reading"), (3, "/traded_at", "reading"), (4, "/domestic_chip", "type")]
    assert (status, told["posted"], stored(world)) == (1, False, before)

    file.write_text(header + line.format("1", moment, "1234.5", "是"), encoding="utf-8")
    assert run(world, secrets_dir, file, *options)[0] == 0
    receipts = json.loads((secrets_dir / "export.csv.receipts.ndjson").read_text())
    record = world.service.get(f"/v1/evidence/{receipts['items'][0]['id']}").json()["record"]
    assert (record["settled_fen"], record["traded_at"], record["domestic_chip"]) == (
        123450,
        "2024-06-30T23:59:59Z",
        True,
    )


def test_a_gpu_trace_is_posted_with_the_stated_prices(world: World, secrets_dir: Path) -> None:
    file = secrets_dir / "trace.csv"
    file.write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        "a,1,1,2,500,T4,LS,Running,0,7200,0\n"
        "b,1,1,0,0,,LS,Running,0,7200,0\n"
        "c,1,1,1,1000,,LS,Running,0,,5\n"
        "d,1,1,1,1000,V100M16|T4,BE,Succeeded,0,9000,1800\n"
    )
    parties = ("--buyer", f"{world.buyers[0]}:410100", "--supplier", f"{world.supplier}:410300")
    status, told, _ = run(world, secrets_dir, file, "--format", "openb", *parties)
    assert (status, told["stored"]) == (0, 2)
    items = json.loads((secrets_dir / "trace.csv.receipts.ndjson").read_text())["items"]
    assert [(item["line"], item["trade_id"]) for item in items] == [(2, "T000000"), (5, "T000003")]
    record = world.service.get(f"/v1/evidence/{items[0]['id']}").json()["record"]
    price = record["contracted_unit_price_fen"]
    assert 378 <= price <= 462
    assert (record["consumed_quantity"], record["settled_fen"], record["region_id"]) == ("2.000", 2 * price, "410300")
    status, _, words = run(world, secrets_dir, file, "--format", "openb")
    assert status == 1
    assert "--buyer" in words


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", (), "no records"),
        (b'{"trade_id": \n', (), None),
        (b"a,b\n1,2\n", ("--format", "csv"), "column 'a' is no field"),
        (b"trade_id,buyer\n1\n", ("--format", "csv"), None),
        (b'trade_id\n"1\n', ("--format", "csv"), "line"),
        (b"trade_id\n\xff\xfe\n", ("--format", "csv"), "not UTF-8"),
        (b"name\n1\n", ("--format", "openb", "--buyer", "x:1", "--supplier", "y:2"), "lacks the column"),
        (b"{}", ("--set", "speed=9"), "no field 'speed'"),
    ],
)
def test_what_is_no_file_of_trades_is_refused_in_words(
    world: World, secrets_dir: Path, content: bytes, options: tuple[str, ...], words: str | None
) -> None:
    file = secrets_dir / "rubbish.ndjson"
    file.write_bytes(content)
    status, told, said = run(world, secrets_dir, file, *options)
    assert status == 1
    assert "Traceback" not in said
    assert told["problems"][0]["line"] in (1, 2) if words is None else re.search(words, said)


def test_the_library_posts_waits_and_fetches_a_bundle_that_verifies(world: World) -> None:
    with EvidenceClient(
        world.service.url,
        api_key=world.signing_key,
        platform=world.signing_platform,
        signer=world.signer,
        jurisdiction_key=world.service.gateway.jurisdiction_key,
    ) as client:
        receipt = client.submit([world.record(platform=world.signing_platform)])
        # Another process of the platform posts; the sequence of this one is then not the next.
        world.sequence = receipt["sequence"] + 1
        world.json(world.post_signed(world.signed([world.record()], world.sequence)), 201)
        outcomes = list(client.submit_all(iter(records(world, 3)), batch=2))
        assert [outcome.status for outcome in outcomes] == ["stored"] * 3
        evidence_id = outcomes[-1].id
        assert evidence_id is not None
        client.wait_until_anchored(evidence_id, timeout_s=240)
        report = verify(client.bundle(evidence_id, disclose=["settled_fen"]))
        assert report.ok, report.failed
        assert report.facts["disclosed"] == {"settled_fen": 1_000_000}
        with pytest.raises(Refused, match="other_platform"):
            EvidenceClient(world.service.url, api_key=world.platform_key, platform=world.signing_platform).submit(
                [world.record()]
            )
        with world.service.gateway.sessions() as session:
            rows = session.scalars(select(EvidenceSubmission.sequence)).all()
        assert world.sequence in rows


def test_in_custody_bad_records_are_told_one_by_one(world: World) -> None:
    with EvidenceClient(world.service.url, api_key=world.platform_key, platform=world.platform) as client:
        good = world.record()
        outcomes = list(client.submit_all([good, {**good, "settled_fen": 5}, world.record()]))
    assert [outcome.status for outcome in outcomes] == ["stored", "refused", "stored"]
    assert outcomes[1].errors[0]["pointer"] == "/trade_id"


def test_a_key_file_is_made_once_and_must_be_private(tmp_path: Path) -> None:
    made = new_key(tmp_path / "platform.key")
    assert read_key(tmp_path / "platform.key").address == made.address
    with pytest.raises(FileExistsError):
        new_key(tmp_path / "platform.key")
    (tmp_path / "platform.key").chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        read_key(tmp_path / "platform.key")
    (tmp_path / "short").write_text("ab")
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(KeystoreError, match="64 hex digits"):
        read_key(tmp_path / "short")
