"""EVM assembly to bytecode, just enough for the contract of these tests."""

OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "EQ": 0x14, "ISZERO": 0x15, "SHR": 0x1C, "KECCAK256": 0x20,
    "ADDRESS": 0x30, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "CODECOPY": 0x39,
    "TIMESTAMP": 0x42, "NUMBER": 0x43, "POP": 0x50, "MSTORE": 0x52, "SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56,
    "JUMPI": 0x57, "GAS": 0x5A, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82, "SWAP1": 0x90,
    "LOG1": 0xA1, "LOG2": 0xA2, "CALL": 0xF1, "RETURN": 0xF3, "REVERT": 0xFD,
}  # fmt: skip


def assemble(source: str) -> bytes:
    """Words are opcodes, `0x` constants (pushed at their length), `name:` labels (a JUMPDEST) and `@name` references.

    A reference is always two bytes, so that labels can be placed in one pass. `;` begins a comment.
    """
    code = bytearray()
    labels: dict[str, int] = {}
    references: list[tuple[int, str]] = []
    for line in source.splitlines():
        for word in line.split(";")[0].split():
            if word.endswith(":"):
                labels[word[:-1]] = len(code)
                code.append(OPCODES["JUMPDEST"])
            elif word.startswith("@"):
                code.append(0x61)
                references.append((len(code), word[1:]))
                code += bytes(2)
            elif word.startswith("0x"):
                constant = bytes.fromhex(word[2:])
                code += bytes([0x5F + len(constant)]) + constant
            else:
                code.append(OPCODES[word])
    for position, name in references:
        code[position : position + 2] = labels[name].to_bytes(2, "big")
    return bytes(code)


def initcode(runtime: bytes) -> bytes:
    """Code that deploys the runtime code behind it."""
    size = len(runtime).to_bytes(2, "big").hex()
    constructor_bytes = 13
    return assemble(f"0x{size} DUP1 0x{constructor_bytes:04x} 0x00 CODECOPY 0x00 RETURN") + runtime
