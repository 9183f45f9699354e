// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";

/// @notice What a deployment says of itself: the contracts that it rests on, and the deployment that it follows.
contract DeploymentTest is LedgerBase {
    function test_LedgerNamesWhatItRestsOn() public {
        bytes memory arguments = abi.encode(registry, evidence, address(ledger));
        address later = deployCode("VoucherLedger.sol:VoucherLedger", arguments);
        assertEq(told(later, "PREDECESSOR()"), address(ledger));
        assertEq(told(later, "REGISTRY()"), address(registry));
        assertEq(told(later, "EVIDENCE()"), address(evidence));
        assertEq(told(address(ledger), "PREDECESSOR()"), address(0));
        assertEq(told(address(evidence), "REGISTRY()"), address(registry));
    }

    function told(address contract_, string memory getter) private view returns (address) {
        (bool done, bytes memory answer) = contract_.staticcall(abi.encodeWithSignature(getter));
        assertTrue(done);
        return abi.decode(answer, (address));
    }
}
