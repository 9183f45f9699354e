// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice An ERC-1271 wallet: what its owner signed, it signed.
contract WalletContract is IERC1271 {
    address public immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes memory signature) external view virtual returns (bytes4) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == OWNER ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice A wallet that calls back while it is asked, and agrees to everything.
contract ReenteringWallet {
    address private immutable TARGET;
    bytes private _call;

    constructor(address target) {
        TARGET = target;
    }

    function arm(bytes calldata call_) external {
        _call = call_;
    }

    fallback() external {
        (bool done,) = TARGET.call(_call);
        // The caller asks by staticcall, so nothing that it calls can change state.
        require(!done, "reentered");
        bytes4 magic = IERC1271.isValidSignature.selector;
        assembly ("memory-safe") {
            mstore(0, magic)
            return(0, 32)
        }
    }
}
