"""Shelf, the contract of these tests: stores numbers, emits events, reverts, and calls itself."""

from eth_abi.abi import encode
from eth_utils import keccak

from .assembler import assemble, initcode

PUT_TOPIC = keccak(text="Put(uint256,uint256)")
ZERO_KEY_REVERT = keccak(text="Error(string)")[:4] + encode(["string"], ["zero key"])


def selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


ABI = [
    {
        "type": "function",
        "name": name,
        "stateMutability": "view" if outputs else "nonpayable",
        "inputs": [{"name": one, "type": "uint256"} for one in inputs],
        "outputs": [{"name": "", "type": "uint256"} for _ in range(outputs)],
    }
    for name, inputs, outputs in [
        ("put", ["key", "value"], 0),
        ("putInside", ["key", "value"], 0),
        ("putMany", ["key", "count"], 0),
        ("get", ["key"], 1),
        ("time", [], 1),
    ]
] + [
    {
        "type": "event",
        "name": "Put",
        "anonymous": False,
        "inputs": [
            {"name": "key", "type": "uint256", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    }
]

_RUNTIME = assemble(f"""
    0x00 CALLDATALOAD 0xe0 SHR
    DUP1 0x{selector("put(uint256,uint256)").hex()} EQ @put JUMPI
    DUP1 0x{selector("putInside(uint256,uint256)").hex()} EQ @putInside JUMPI
    DUP1 0x{selector("putMany(uint256,uint256)").hex()} EQ @putMany JUMPI
    DUP1 0x{selector("get(uint256)").hex()} EQ @get JUMPI
    DUP1 0x{selector("time()").hex()} EQ @time JUMPI
    0x00 0x00 REVERT

    put:                                  ; slot[key] = value, Put(key, value); a zero key reverts with a reason
        0x04 CALLDATALOAD ISZERO @zero JUMPI
        0x24 CALLDATALOAD 0x04 CALLDATALOAD SSTORE
        0x24 CALLDATALOAD 0x00 MSTORE
        0x04 CALLDATALOAD 0x{PUT_TOPIC.hex()} 0x20 0x00 LOG2
        STOP

    putInside:                            ; put, through a call of itself with 63/64 of the gas
        0x{selector("put(uint256,uint256)").hex()}{"00" * 28} 0x00 MSTORE
        0x40 0x04 0x04 CALLDATACOPY
        0x00 0x00 CALLDATASIZE 0x00 0x00 ADDRESS GAS CALL
        ISZERO @failed JUMPI
        STOP

    putMany:                              ; Put(key, n) for n = count … 1, nothing stored
        0x24 CALLDATALOAD
        loop:
            DUP1 ISZERO @done JUMPI
            DUP1 0x00 MSTORE
            0x04 CALLDATALOAD 0x{PUT_TOPIC.hex()} 0x20 0x00 LOG2
            0x01 SWAP1 SUB
            @loop JUMP
        done: STOP

    get:
        0x04 CALLDATALOAD SLOAD 0x00 MSTORE 0x20 0x00 RETURN

    time:
        TIMESTAMP 0x00 MSTORE 0x20 0x00 RETURN

    zero:                                 ; Error("zero key")
        0x{ZERO_KEY_REVERT[:32].hex()} 0x00 MSTORE
        0x{ZERO_KEY_REVERT[32:64].hex()} 0x20 MSTORE
        0x{ZERO_KEY_REVERT[64:96].hex()} 0x40 MSTORE
        0x{ZERO_KEY_REVERT[96:].hex()}{"00" * 28} 0x60 MSTORE
        0x{len(ZERO_KEY_REVERT):02x} 0x00 REVERT

    failed: 0x00 0x00 REVERT
""")

INITCODE = initcode(_RUNTIME)


def put(key: int, value: int) -> bytes:
    return selector("put(uint256,uint256)") + encode(["uint256", "uint256"], [key, value])


def put_inside(key: int, value: int) -> bytes:
    return selector("putInside(uint256,uint256)") + encode(["uint256", "uint256"], [key, value])


def put_many(key: int, count: int) -> bytes:
    return selector("putMany(uint256,uint256)") + encode(["uint256", "uint256"], [key, count])


def get(key: int) -> bytes:
    return selector("get(uint256)") + encode(["uint256"], [key])


def time() -> bytes:
    return selector("time()")
