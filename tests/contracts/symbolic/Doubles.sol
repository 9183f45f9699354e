// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Party} from "suanquan/types/Entity.sol";
import {BatchHeader, Submission} from "suanquan/types/Evidence.sol";

/// @notice Stands in for EntityRegistry in proofs: everyone holds every role, every organisation is active and has no
/// controller, nobody is frozen. It refuses nothing that the registry would let pass, so what is proved with it holds with
/// the registry.
contract RegistryDouble {
    function checkRole(bytes32, address) external pure {}

    function requireActive(bytes32, uint8) external pure returns (uint24 number, address account) {
        return (5, address(0xACC));
    }

    function requireAllActive(bytes32, bytes32, bytes32) external pure returns (Party memory, Party memory) {
        return (Party(5, 0), Party(6, 0));
    }

    function frozenWord(uint16) external pure returns (uint256) {
        return 0;
    }
}

/// @notice Stands in for EvidenceLog in proofs: every submission is good.
contract EvidenceDouble {
    function verifySubmission(BatchHeader calldata, Submission calldata, bytes32[] calldata) external pure {}
}
