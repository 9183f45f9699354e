"""A small Web3Signer: the `eth1` API over keys that it makes, with eth-account, in a process of its own.

    python -m tests.chain.web3signer_server KEY...      prints its port

`POST /behave {"mode": ...}` changes how it answers: `well`, `refuse` (500), `hang`, `lie` (another key signs),
`unlike` (v as 0 or 1, s in the upper half, which is the same signature otherwise).
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
LIAR = PrivateKey(b"\x77" * 32)
HANG_S = 2.0


class Handler(BaseHTTPRequestHandler):
    """Answers for the keys of the server."""

    keys: dict[str, PrivateKey]
    mode = "well"

    def do_GET(self) -> None:
        if self.path == "/api/v1/eth1/publicKeys":
            self._answer(200, "application/json", json.dumps(list(self.keys)))
        else:
            self._answer(404, "text/plain", "")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/behave":
            Handler.mode = body["mode"]
            self._answer(200, "text/plain", "")
            return
        key = self.keys.get(self.path.removeprefix("/api/v1/eth1/sign/"))
        if key is None:
            self._answer(404, "text/plain", "")
            return
        if Handler.mode == "refuse":
            self._answer(500, "text/plain", "")
            return
        if Handler.mode == "hang":
            time.sleep(HANG_S)
        signer = LIAR if Handler.mode == "lie" else key
        signed = Account.unsafe_sign_hash(keccak(bytes.fromhex(body["data"].removeprefix("0x"))), signer.to_bytes())
        s, v = (ORDER - signed.s, 28 - signed.v) if Handler.mode == "unlike" else (signed.s, signed.v)
        text = "0x" + signed.r.to_bytes(32, "big").hex() + s.to_bytes(32, "big").hex() + bytes([v]).hex()
        self._answer(200, "text/plain; charset=utf-8", text)

    def _answer(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    loaded = [PrivateKey(bytes.fromhex(text)) for text in sys.argv[1:]]
    Handler.keys = {key.public_key.to_hex(): key for key in loaded}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
