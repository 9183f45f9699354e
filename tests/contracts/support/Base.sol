// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Trades} from "./Trades.sol";
import {Vouchers} from "./Vouchers.sol";
import {EvidenceProof, SubmissionProof} from "suanquan/types/Evidence.sol";
import {Budget} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {BatchClaim, Claim, Redemption, RedemptionRef} from "suanquan/types/Voucher.sol";

/// @notice The one factory of Solidity tests: what organisations, vouchers and trades lead to. Functions that begin with a
/// verb other than `sign` or `make` send transactions.
abstract contract Base is Vouchers, Trades {
    /// @dev Settlement key of each redemption.
    mapping(uint256 redemptionId => bytes32 key) private _keys;

    /* REDEMPTIONS */

    function redeem(Claim memory c) internal returns (uint256 redemptionId) {
        vm.prank(relayer);
        redemptionId = ledger.redeem(c);
        _keys[redemptionId] = c.trade.settlementKey;
    }

    function redeem(uint48 voucherId, Trade memory t) internal returns (uint256 redemptionId) {
        return redeem(makeClaim(voucherId, t));
    }

    /// @dev Each submission once, each claim by the index of its own.
    function makeBatch(Claim[] memory claims)
        internal
        pure
        returns (SubmissionProof[] memory submissions, BatchClaim[] memory batch)
    {
        submissions = new SubmissionProof[](claims.length);
        batch = new BatchClaim[](claims.length);
        uint16 count = 0;
        for (uint256 i = 0; i < claims.length; ++i) {
            EvidenceProof memory p = claims[i].proof;
            uint16 k = 0;
            while (k < count && submissions[k].submission.root != p.submission.root) ++k;
            if (k == count) submissions[count++] = SubmissionProof(p.batch, p.submission, p.submissionPath);
            batch[i] = BatchClaim(claims[i].voucherId, k, claims[i].trade, p.tradePath);
        }
        assembly ("memory-safe") {
            mstore(submissions, count)
        }
    }

    function redeemMany(Claim[] memory claims) internal {
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(claims);
        vm.prank(relayer);
        ledger.redeemMany(submissions, batch);
    }

    /// @dev A redemption as officers name it.
    function refTo(uint256 redemptionId) internal view returns (RedemptionRef memory) {
        return RedemptionRef(uint48(redemptionId), _keys[redemptionId]);
    }

    function refTo(uint256 redemptionId, bytes32 settlementKey) internal pure returns (RedemptionRef memory) {
        return RedemptionRef(uint48(redemptionId), settlementKey);
    }

    function refsTo(uint256[] memory redemptionIds) internal view returns (RedemptionRef[] memory refs) {
        refs = new RedemptionRef[](redemptionIds.length);
        for (uint256 i = 0; i < redemptionIds.length; ++i) {
            refs[i] = refTo(redemptionIds[i]);
        }
    }

    function redemption(uint256 redemptionId) internal view returns (Redemption memory) {
        return ledger.redemption(uint48(redemptionId), _keys[redemptionId]);
    }

    function writeOff(uint256 redemptionId) internal {
        vm.prank(finance);
        ledger.writeOff(refsTo(only(redemptionId)), PAYMENT);
    }

    function reject(uint256 redemptionId, Trade memory t, bool barTrade) internal {
        vm.prank(finance);
        ledger.reject(refTo(redemptionId, t.settlementKey), t.contractKey, REASON, barTrade);
    }

    function freeze(uint48 voucherId) internal {
        vm.prank(regulator);
        ledger.freeze(voucherId, REASON);
    }

    function cancel(uint48 voucherId) internal {
        vm.prank(operator);
        ledger.cancel(voucherId, REASON);
    }

    function freezeEntity(bytes32 id) internal {
        vm.prank(regulator);
        registry.freeze(id, REASON);
    }

    /* CHECKS */

    function assertBudget(uint16 programmeId, uint8 index, Budget memory expected) internal view {
        (Budget memory b, uint256 availableFen) = ledger.budget(programmeId, index);
        assertEq(abi.encode(b), abi.encode(expected), "budget");
        assertEq(
            availableFen + b.reservedFen + b.redeemedFen + b.writtenOffFen,
            uint256(b.amountFen) + b.recoveredFen,
            "budget conserves"
        );
    }
}
