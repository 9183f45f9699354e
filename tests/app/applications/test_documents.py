"""Documents over HTTP: what is taken, who reads it, and that it goes when it must. (SQLite: what the database does with
documents is in test_applications.py on both.)"""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.commands.documents import cli
from app.documents.store import FolderStore
from app.settings import Settings
from tests.app.claims.scenario import PDF, World, build
from tests.app.conftest import REAL, FirstStart, RunningService, serving

LIMIT = 300_000


@pytest.fixture(scope="module")
def service(first_start: FirstStart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    data_dir = tmp_path_factory.mktemp("documents")
    limits = {"max_document_bytes": LIMIT, "document_quota_bytes": 2 * LIMIT}
    with first_start.copied(REAL, data_dir) as urls:
        settings = Settings(data_dir=data_dir, port=0, **limits, **urls)
        with serving(settings) as running:
            yield running


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=3)


def pdf(mark: str, size: int = 0) -> bytes:
    return f"%PDF-1.7\n% {mark}\n".encode() + b"x" * size + b"\n%%EOF\n"


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files(service: RunningService) -> set[str]:
    """Names of the files in the store, on their way in included."""
    root = service.gateway.settings.data_dir / "documents"
    return {str(path.relative_to(root)).replace("/", "") for path in root.rglob("*") if path.is_file()}


def test_the_same_file_twice_is_one_file_and_answered_as_at_first(world: World) -> None:
    service, content = world.service, pdf("twice", 100_000)
    path = f"/v1/documents/{name_of(content)}"
    first = service.put_bytes(path, world.buyer_keys[0], content)
    assert (first.status_code, first.json()["file_type"], first.json()["size"]) == (201, "pdf", len(content))
    second = service.put_bytes(path, world.buyer_keys[0], content)
    assert (second.status_code, second.json()) == (200, first.json())
    assert service.put_bytes(path, world.buyer_keys[1], content).status_code == 201
    assert files(service) == {name_of(content), name_of(PDF)}
    # Many at once come to the same.
    other = pdf("at once")
    found: list[int] = []

    def put() -> None:
        found.append(service.put_bytes(f"/v1/documents/{name_of(other)}", world.buyer_keys[0], other).status_code)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] * 7 + [201]
    assert files(service) == {name_of(content), name_of(PDF), name_of(other)}


def test_uploads_that_begin_and_end_at_once_never_stumble_over_each_other(tmp_path: Path) -> None:
    """Each beginning sweeps the folder of files on their way in, which the others leave at any moment."""
    store, old = FolderStore(tmp_path), tmp_path / "incoming" / "left-behind"
    store.begin().discard()
    old.touch()
    os.utime(old, (0, 0))

    def upload(number: int) -> None:
        incoming = store.begin()
        incoming.write(b"%d" % number)
        incoming.discard()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload, range(400)))  # raises what an upload raised
    assert list((tmp_path / "incoming").iterdir()) == []


def test_what_is_too_large_of_no_kind_or_another_file_is_refused_and_leaves_nothing(world: World) -> None:
    service, key, before = world.service, world.buyer_keys[0], files(world.service)
    large = pdf("large", LIMIT)
    for content, name, status, code in (
        (large, name_of(large), 413, "document_too_large"),
        (b"", name_of(b""), 422, "document_refused"),
        (b"MZ a program", name_of(b"MZ a program"), 422, "document_refused"),
        (pdf("a"), name_of(pdf("b")), 422, "document_refused"),
        (pdf("a"), "AB" * 32, 422, "invalid_request"),
    ):
        answer = service.put_bytes(f"/v1/documents/{name}", key, content)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content[:20]

    def endless() -> Iterator[bytes]:
        yield from (b"x" * 65536 for _ in range(20))

    streamed = service.http.put(f"/v1/documents/{'ab' * 32}", content=endless(), headers=service.headers(key))
    assert streamed.status_code == 413
    for part in range(2):
        content = pdf(f"quota {part}", LIMIT - 40)
        answer = service.put_bytes(f"/v1/documents/{name_of(content)}", world.buyer_keys[2], content)
    assert (answer.status_code, answer.json()["code"]) == (409, "document_quota")
    assert len(files(service)) == len(before) + 1


def test_documents_at_once_come_to_no_more_than_the_quota(world: World) -> None:
    service, together = world.service, threading.Barrier(6)
    contents = [pdf(f"at once {number}", LIMIT - 60) for number in range(6)]

    def put(content: bytes) -> int:
        together.wait()
        path = f"/v1/documents/{name_of(content)}?uscc={world.supplier}"
        return service.put_bytes(path, "operator", content).status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(put, contents))
    assert sorted(statuses) == [201] * 2 + [409] * 4


def test_only_parties_and_reviewers_read_a_document(world: World) -> None:
    service, content = world.service, pdf("read")
    path = f"/v1/documents/{name_of(content)}"
    owner = f"?uscc={world.buyers[0]}"
    assert service.put_bytes(path + owner, world.platform_key, content).status_code == 201
    for who in (world.buyer_keys[0], world.platform_key, "reviewer-2"):
        answer = service.get(path, who)
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, "application/pdf")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for who in (world.buyer_keys[1], world.signing_key, "operator", "finance", "registrar", "regulator"):
        assert service.get(path, who).status_code == 404, who
    assert service.http.get(path).status_code == 401
    assert service.http.put(path, content=content).status_code == 401
    for who, query, status in (
        ("finance", owner, 403),
        ("regulator", owner, 403),
        (world.buyer_keys[1], owner, 422),
        ("operator", "", 422),
        ("operator", "?uscc=nobody", 422),
    ):
        assert service.put_bytes(path + query, who, content).status_code == status, who


def test_an_application_names_only_documents_that_its_organisation_handed_in(world: World) -> None:
    service, content = world.service, pdf("other's")
    name = world.hand_in(world.buyers[1], content)
    body = world.application(0, documents=[{"name": "business_licence", "sha256": name}])
    problem = world.json(service.post("/v1/applications", world.buyer_keys[0], body), 422)["errors"][0]
    assert (problem["pointer"], problem["rule"]) == ("/documents/0/sha256", "handed_in")


def test_a_document_is_erased_on_request_and_its_digest_stays(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service, (mine, other, _) = world.service, world.buyer_keys
    content = pdf("erase")
    name, reason = name_of(content), {"reason": "个人信息删除申请"}
    path = f"/v1/documents/{name}"
    for number in world.buyers[:2]:
        world.hand_in(number, content)
    documents = [{"name": one, "sha256": name} for one in ("business_licence", "settlement_statement")]
    applied = world.json(service.post("/v1/applications", mine, world.application(0, documents=documents)), 201)
    assert service.post(f"{path}/erase", mine, reason).json()["code"] == "document_in_review"
    service.post(f"/v1/applications/{applied['id']}/withdraw", mine)
    assert service.post(f"{path}/erase", other, {**reason, "uscc": world.buyers[0]}).status_code == 404
    assert service.post(f"{path}/erase", "reviewer-1", reason).status_code == 403
    for _ in range(2):
        assert service.post(f"{path}/erase", mine, reason).status_code == 204
    assert service.get(path, mine).status_code == 404
    assert service.get(path, other).content == content  # the other still holds it
    assert service.post(f"{path}/erase", "operator", {**reason, "uscc": world.buyers[1]}).status_code == 204
    assert service.get(path, "reviewer-1").status_code == 404
    assert name not in files(service)
    # What was applied for can still be checked against the file, wherever it is kept.
    manifest, file = tmp_path / "manifest.json", tmp_path / "file.pdf"
    manifest.write_bytes(service.get(f"/v1/applications/{applied['id']}/manifest", mine).content)
    file.write_bytes(content)
    assert run(manifest, file) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == applied["documents_digest"]
    file.write_bytes(content + b"x")
    assert run(manifest, file) == 1
    assert world.hand_in(world.buyers[0], content) == name
    assert service.get(path, mine).content == content


def run(*arguments: object) -> int:
    """Exit status of `suanquan documents --json`."""
    with pytest.raises(SystemExit) as ended:
        cli(args=[*map(str, arguments), "--json"])
    return int(str(ended.value.code))


def test_a_voucher_is_checked_against_its_manifest_on_chain(world: World, tmp_path: Path) -> None:
    world.voucher(0)
    (issued,) = world.json(world.service.get("/v1/applications", state="issued"), 200)["items"]
    file = tmp_path / "manifest.json"
    file.write_bytes(world.service.get(f"/v1/applications/{issued['id']}/manifest").content)
    assert run(file, "--rpc", world.service.node_url) == 0
    forged = json.loads(file.read_text())
    forged["manifest"]["facts"]["in_zone"] = True
    file.write_text(json.dumps(forged))
    assert run(file, "--rpc", world.service.node_url) == 1
