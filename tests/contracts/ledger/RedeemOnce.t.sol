// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {Claim} from "suanquan/types/Voucher.sol";

/// @notice One trade, one subsidy: across vouchers, programmes of a group and platforms.
contract RedeemOnceTest is LedgerBase {
    function test_RevertWhen_EvidenceAlreadyUsed() public {
        Claim memory c = makeClaim(voucherId, makeTrade(BUYER));
        uint256 id = redeem(c);
        vm.expectRevert(used(1, c.trade, id));
        redeem(c);
    }

    function test_RevertWhen_UsedWithAnotherVoucher() public {
        Trade memory t = makeTrade(BUYER);
        uint256 id = redeem(voucherId, t);
        uint48 other = issue(zhengzhou, 2, BUYER);
        vm.expectRevert(used(1, t, id));
        ledger.quote(other, t);
    }

    function test_RevertWhen_UsedInAnotherProgrammeOfTheGroup() public {
        Trade memory t = makeTrade(BUYER);
        uint256 id = redeem(voucherId, t);
        ProgrammeTerms memory terms = makeEtown();
        terms.group = 1;
        uint48 other = issue(publish(terms), 1, BUYER);
        vm.expectRevert(used(1, t, id));
        ledger.quote(other, t);
    }

    function test_OtherGroupsDoNotShareKeys() public {
        Trade memory t = makeTrade(BUYER);
        redeem(voucherId, t);
        redeem(reservedId, t);
    }

    /// @dev The same invoice has the same key wherever it is posted, whatever else is said of it.
    function test_RevertWhen_SameInvoiceIsPostedOnAnotherPlatform() public {
        vm.prank(operator);
        ledger.setPlatforms(zhengzhou, only(OTHER_PLATFORM), true);
        Trade memory t = makeTrade(BUYER);
        uint256 id = redeem(voucherId, t);
        Trade memory again = makeTrade(BUYER);
        again.platform = OTHER_PLATFORM;
        again.settlementKey = t.settlementKey;
        Claim memory c = makeClaim(voucherId, again);
        vm.expectRevert(used(1, again, id));
        redeem(c);
    }

    /* ONE CLAIM PER CONTRACT */

    function test_RevertWhen_ContractWasClaimed() public {
        uint48 id = issue(publish(oneClaim()), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        uint256 redemptionId = redeem(id, t);
        Trade memory again = makeTrade(BUYER);
        ledger.quote(id, again);
        again.contractKey = t.contractKey;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_ContractUsed.selector, 2, t.contractKey, redemptionId)
        );
        ledger.quote(id, again);
    }

    function test_RevertWhen_ContractWasClaimedInTheGroup() public {
        uint48 first = issue(publish(oneClaim()), 1, BUYER);
        uint48 second = issue(publish(oneClaim()), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        uint256 redemptionId = redeem(first, t);
        Trade memory again = makeTrade(BUYER);
        again.contractKey = t.contractKey;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_ContractUsed.selector, 2, t.contractKey, redemptionId)
        );
        ledger.quote(second, again);
    }

    function test_ContractMayBeClaimedInPartsElsewhere() public {
        Trade memory t = makeTrade(BUYER);
        t.settledFen = yuan(100_000);
        redeem(voucherId, t);
        Trade memory again = makeTrade(BUYER);
        again.contractKey = t.contractKey;
        redeem(voucherId, again);
    }

    function oneClaim() private view returns (ProgrammeTerms memory terms) {
        terms = makeEtown();
        terms.oneClaimPerContract = true;
    }

    function used(uint32 group, Trade memory t, uint256 redemptionId) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(Errors.VoucherLedger_SettlementUsed.selector, group, t.settlementKey, redemptionId);
    }
}
