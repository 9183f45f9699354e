"""JSON-RPC and HTTP on the embedded node: every wrong request gets a proper answer."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from chain.node.embedded import EmbeddedNode

from .conftest import FUNDED


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    node = EmbeddedNode(tmp_path_factory.mktemp("chain"), funded=FUNDED)
    with node, httpx.Client(base_url=node.url, timeout=60, trust_env=False) as client:
        yield client


def ask(http: httpx.Client, method: str, *params: Any) -> Any:
    response = http.post("/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert response.status_code == 200
    return response.json()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b"nul", b'{"method": "\\ud800"}'],
    ids=["empty", "cut", "not UTF-8", "deep", "cut word", "lone surrogate"],
)
def test_what_is_not_json_is_a_parse_error(http: httpx.Client, body: bytes) -> None:
    response = http.post("/", content=body)
    assert response.status_code == 200
    assert response.json()["error"]["code"] == -32700


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("null", -32600),
        ("5", -32600),
        ('"eth_chainId"', -32600),
        ("[]", -32600),
        ("{}", -32600),
        ('{"id": 1, "method": 5}', -32600),
        ('{"id": {"a": 1}, "method": "eth_chainId"}', -32600),
        ('{"id": true, "method": "eth_chainId"}', -32600),
        ('{"id": 1, "jsonrpc": "1.0", "method": "eth_chainId"}', -32600),
        ('{"id": 1, "method": "eth_chainId", "params": {"a": 1}}', -32602),
        ('{"id": 1, "method": "eth_chainId", "params": [1]}', -32602),
        ('{"id": 1, "method": "eth_sendTransaction", "params": []}', -32601),
        ('{"id": 1, "method": "__init__"}', -32601),
    ],
)
def test_wrong_request_is_told_what_is_wrong(http: httpx.Client, body: str, code: int) -> None:
    response = http.post("/", content=body)
    assert response.status_code == 200
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("eth_getBalance", [], "missing value for required argument 0"),
        ("eth_getBalance", ["0x12"], "argument 0: has 1 bytes, want 20"),
        ("eth_getBalance", [5], "argument 0: want a hex string"),
        ("eth_getBalance", ["0x" + "zz" * 20], "argument 0: invalid hex string"),
        ("eth_getBalance", ["0x" + "11" * 20, "newest"], "argument 1: hex string without 0x prefix"),
        ("eth_getBalance", ["0x" + "11" * 20, "0x"], "argument 1: hex string of no digits"),
        ("eth_getBalance", ["0x" + "11" * 20, "0x01"], "argument 1: hex number with leading zero digits"),
        ("eth_getBalance", ["0x" + "11" * 20, "0x" + "f" * 20], "argument 1: hex number > 63 bits"),
        ("eth_getBalance", ["0x" + "11" * 20, {}], "argument 1: want blockHash or blockNumber"),
        ("eth_getBalance", ["0x" + "11" * 20, "latest", 1], "too many arguments, want at most 2"),
        ("eth_getBlockByNumber", ["latest", "yes"], "argument 1: want a boolean"),
        ("eth_getBlockByHash", ["0x12"], "argument 0: has 1 bytes, want 32"),
        ("eth_call", ["0x"], "argument 0: want an object"),
        ("eth_call", [{"to": "0x12"}], "argument 0.to: has 1 bytes, want 20"),
        ("eth_call", [{"value": 5}], "argument 0.value: want a hex string"),
        ("eth_call", [{"data": "0x00", "input": "0x01"}], 'both "data" and "input" are set'),
        ("eth_call", [{}, "latest", {"0x" + "11" * 20: {}}], "state overrides are not supported"),
        ("eth_call", [{"accessList": [1]}], "argument 0.accessList: want an array of objects"),
        ("eth_getLogs", [{"topics": ["0x12"]}], "argument 0.topics[0]: has 1 bytes, want 32"),
        ("eth_getLogs", [{"topics": [[[]]]}], "argument 0.topics[0]: want a hex string"),
        ("eth_getLogs", [{"topics": [None] * 5}], "exceed max topics"),
        ("eth_getLogs", [{"address": 5}], "address and topics want arrays"),
        ("eth_getLogs", [{"blockHash": "0x" + "11" * 32, "fromBlock": "0x0"}], "cannot specify both BlockHash"),
        ("eth_getLogs", [{"fromBlock": "0x5", "toBlock": "0x1"}], "invalid block range params"),
        ("eth_feeHistory", ["0x1", "latest", [101]], "argument 2: want an array of percentiles"),
        ("eth_feeHistory", ["0x1", "latest", [9, 3]], "percentiles in ascending order"),
        ("eth_sendRawTransaction", ["f86b"], "argument 0: hex string without 0x prefix"),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x0", None], "argument 1"),
    ],
)
def test_wrong_parameter_is_named(http: httpx.Client, method: str, params: list[Any], message: str) -> None:
    error = ask(http, method, *params)["error"]
    assert error["code"] == -32602
    assert message in error["message"]


JUNK = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    "0x",
    "0x0",
    "latest",
    "a b",
    [],
    [None],
    {},
    {"to": []},
    [{}],
    "0x" + "f" * 64,
]


def test_no_junk_is_an_internal_error(http: httpx.Client) -> None:
    methods = [
        "eth_call", "eth_estimateGas", "eth_getLogs", "eth_getBalance", "eth_getCode", "eth_getStorageAt",
        "eth_getTransactionCount", "eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts",
        "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getTransactionByBlockNumberAndIndex",
        "eth_getTransactionByBlockHashAndIndex", "eth_sendRawTransaction", "eth_feeHistory", "eth_newFilter",
        "eth_getFilterChanges", "eth_getFilterLogs", "eth_uninstallFilter", "web3_sha3",
        "eth_getBlockTransactionCountByNumber", "eth_getBlockTransactionCountByHash",
    ]  # fmt: skip
    good = "0x" + "11" * 20
    shapes = [[one] for one in JUNK] + [[good, one] for one in JUNK] + [["0x1", "latest", one] for one in JUNK]
    requests = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate((method, params) for method in methods for params in shapes)
    ]
    for start in range(0, len(requests), 500):
        answers = http.post("/", json=requests[start : start + 500], timeout=60).json()
        assert len(answers) == len(requests[start : start + 500])
        for answer in answers:
            assert "result" in answer or answer["error"]["code"] != -32603, requests[answer["id"]]


def test_batch_holds_answers_errors_and_no_notifications(http: httpx.Client) -> None:
    answers = http.post(
        "/",
        json=[
            {"jsonrpc": "2.0", "id": "a", "method": "eth_blockNumber"},
            {"jsonrpc": "2.0", "method": "eth_blockNumber"},
            7,
            {"jsonrpc": "2.0", "id": None, "method": "eth_chainId"},
        ],
    ).json()
    assert [(answer["id"], "error" in answer) for answer in answers] == [("a", False), (None, True), (None, False)]


def test_only_notifications_get_no_content(http: httpx.Client) -> None:
    response = http.post("/", json={"jsonrpc": "2.0", "method": "eth_blockNumber"})
    assert (response.status_code, response.content) == (204, b"")


def test_batch_and_body_are_bounded(http: httpx.Client) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    assert "batch too large" in http.post("/", json=[one] * 1_001).json()["error"]["message"]
    assert len(http.post("/", json=[one] * 1_000).json()) == 1_000
    assert http.post("/", content=b" " * (11 * 1024 * 1024)).status_code == 413


def test_filters_are_bounded(http: httpx.Client) -> None:
    installed = [ask(http, "eth_newBlockFilter") for _ in range(300)]
    assert "too many filters" in installed[-1]["error"]["message"]
    for answer in installed:
        ask(http, "eth_uninstallFilter", answer.get("result"))


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8545"])
def test_loopback_host_names_are_answered(http: httpx.Client, host: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    assert http.post("/", json=body, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", ""])
def test_rebound_host_name_is_refused(http: httpx.Client, host: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    assert http.post("/", json=body, headers={"Host": host}).status_code in {400, 403}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn", 200),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_only_local_pages_and_wallets_may_ask(http: httpx.Client, origin: str, status: int) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    response = http.post("/", json=body, headers={"Origin": origin})
    preflight = http.options("/", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert response.status_code == status
    assert preflight.status_code == (204 if status == 200 else 403)
    for one in (response, preflight):
        assert one.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)
