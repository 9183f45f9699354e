// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Trade, TradeFacts} from "../types/Trade.sol";
import {Errors} from "./Errors.sol";

/// @notice Trades as evidence: leaves and paths, as EvidenceLog and VoucherLedger both read them, and what an event says.
library Evidence {
    /// @notice Standard Merkle leaf: hashed twice, so that no inner node can be taken for one.
    function leaf(bytes memory encoded) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(encoded)));
    }

    /// @notice Leaf of a trade in its submission.
    function leafOf(Trade calldata trade) internal pure returns (bytes32) {
        return leaf(abi.encode(trade));
    }

    /// @notice Reverts unless the path leads from the leaf to the root of a submission.
    function requireTrade(bytes32 leaf_, bytes32[] calldata path, bytes32 root) internal pure {
        if (!MerkleProof.verifyCalldata(path, root, leaf_)) {
            revert Errors.EvidenceLog_TradeNotInSubmission(leaf_, root);
        }
    }

    /// @notice What an event says of a trade.
    function factsOf(Trade calldata t) internal pure returns (TradeFacts memory) {
        uint256 terms = uint256(t.kind) << 152 | uint256(t.computeType) << 144 | uint256(t.attributes) << 112
            | uint256(t.region) << 80 | uint256(t.tradedAt) << 40 | t.contractSignedAt;
        uint256 amounts = uint256(t.settledFen) << 128 | uint256(t.contractFen) << 64 | t.otherSupportFen;
        return TradeFacts(t.platform, t.supplier, t.contractKey, terms, amounts);
    }
}
