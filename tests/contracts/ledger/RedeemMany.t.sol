// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {stdError} from "forge-std/StdError.sol";

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {SubmissionProof} from "suanquan/types/Evidence.sol";
import {Limit} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {BatchClaim, Claim} from "suanquan/types/Voucher.sol";

/// @notice A refused claim is reported and does not hold up the queue behind it.
contract RedeemManyTest is LedgerBase {
    function test_RedeemMany_RedeemsAllInOrder() public {
        Claim[] memory claims = makeQueue(3, yuan(100_000));
        redeemMany(claims);
        assertEq(ledger.programme(zhengzhou).redemptions, 3);
        assertEq(ledger.programme(zhengzhou).lastTradedAt, claims[2].trade.tradedAt);
        assertEq(ledger.voucher(voucherId).redeemedFen, yuan(90_000));
    }

    function test_RedeemMany_ReportsTheRefusedAndGoesOn() public {
        Claim[] memory claims = makeQueue(4, yuan(100_000));
        claims[1].trade.settledFen += 1;
        claims[2].trade = claims[0].trade;
        claims[2].proof = claims[0].proof;
        expectReport(
            claims[1],
            abi.encodeWithSelector(
                Errors.EvidenceLog_TradeNotInSubmission.selector,
                leafOf(claims[1].trade),
                claims[1].proof.submission.root
            )
        );
        expectReport(
            claims[2],
            abi.encodeWithSelector(
                Errors.VoucherLedger_SettlementUsed.selector,
                1,
                claims[0].trade.settlementKey,
                (uint256(zhengzhou) << 32) | 1
            )
        );
        redeemMany(claims);
        assertEq(ledger.voucher(voucherId).redeemedFen, yuan(60_000));
        assertEq(ledger.programme(zhengzhou).redemptions, 2, "refused claims take no serial");
    }

    /// @dev 300,000 a year: the second is cut, the third finds nothing.
    function test_RedeemMany_CapRunsOutWithin() public {
        Claim[] memory claims = makeQueue(3, yuan(800_000));
        expectReport(
            claims[2],
            abi.encodeWithSelector(
                Errors.VoucherLedger_NothingToPay.selector,
                uint256(voucherId),
                Limit.PeriodCap,
                claims[2].trade.settledFen,
                3000
            )
        );
        redeemMany(claims);
        assertEq(ledger.voucher(voucherId).redeemedFen, yuan(300_000));
    }

    /// @dev Two good claims of one submission, and one of a submission with another's signature.
    function test_RedeemMany_ABadSubmissionRefusesItsOwnClaimsOnly() public {
        Claim[] memory claims = makeQueue(2, yuan(100_000));
        Claim memory bad = makeClaim(voucherId, makeTrade(BUYER));
        bad.proof.submission.signature = claims[0].proof.submission.signature;
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(join(claims, bad));
        assertEq(submissions.length, 2, "each submission once");
        expectReport(
            bad,
            abi.encodeWithSelector(
                Errors.EvidenceLog_BadSignature.selector,
                PLATFORM,
                bad.proof.submission.sequence,
                registry.evidenceKeyAt(PLATFORM, NOW)
            )
        );
        vm.prank(relayer);
        ledger.redeemMany(submissions, batch);
        assertEq(ledger.voucher(voucherId).redeemedFen, yuan(60_000));
    }

    function test_RedeemMany_TheFirstSubmissionIsLookedIntoToo() public {
        Claim memory good = makeClaim(voucherId, makeTrade(BUYER));
        Claim memory bad = makeClaim(voucherId, makeTrade(BUYER));
        bad.proof.submission.signature = good.proof.submission.signature;
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(join(only(bad), good));
        vm.prank(relayer);
        ledger.redeemMany(submissions, batch);
        assertEq(ledger.settlement(1, bad.trade.settlementKey), 0);
        assertEq(ledger.programme(zhengzhou).redemptions, 1);
    }

    /// @dev A claim that names another submission than its own proves nothing, nor one that names another platform's.
    function test_RedeemMany_TheSubmissionMustHoldTheTrade() public {
        Claim memory first = makeClaim(voucherId, makeTrade(BUYER));
        Claim memory second = makeClaim(voucherId, makeTrade(BUYER));
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(join(only(first), second));
        batch[1].submission = 0;
        expectReport(
            second,
            abi.encodeWithSelector(
                Errors.EvidenceLog_TradeNotInSubmission.selector, leafOf(second.trade), first.proof.submission.root
            )
        );
        vm.prank(relayer);
        ledger.redeemMany(submissions, batch);
        assertEq(ledger.programme(zhengzhou).redemptions, 1);
    }

    function test_RevertWhen_AClaimNamesNoSubmission() public {
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(makeQueue(1, yuan(100_000)));
        batch[0].submission = 1;
        vm.prank(relayer);
        vm.expectRevert(stdError.indexOOBError);
        ledger.redeemMany(submissions, batch);
    }

    /// @dev Whatever the gas, a batch decides each claim for a reason or is undone: a good claim is never refused.
    function test_RedeemMany_ShortOfGasIsUndone() public {
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(makeQueue(2, yuan(100_000)));
        bytes memory call = abi.encodeCall(ledger.redeemMany, (submissions, batch));
        uint256 undone = 0;
        for (uint256 gas_ = 20_000; gas_ < 20_000_000; gas_ += gas_ / 32) {
            uint256 snapshot = vm.snapshotState();
            vm.recordLogs();
            vm.prank(relayer);
            (bool done, bytes memory answer) = address(ledger).call{gas: gas_}(call);
            if (done) {
                assertEq(ledger.programme(zhengzhou).redemptions, 2);
                assertGt(undone, 0);
                return;
            }
            if (bytes4(answer) == Errors.VoucherLedger_OutOfGas.selector) ++undone;
            vm.revertToState(snapshot);
        }
        assertTrue(false, "never enough gas");
    }

    /// @dev Who could call the step alone could name a root that nobody signed.
    function test_RevertWhen_TheStepIsTakenAlone() public {
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(makeQueue(1, yuan(100_000)));
        bytes32 root = submissions[0].submission.root;
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_OnlySelf.selector, relayer));
        ledger.redeemProven(batch[0], PLATFORM, root);
    }

    function test_RedeemMany_Nothing() public {
        redeemMany(new Claim[](0));
    }

    function makeQueue(uint256 count, uint64 settledFen) private returns (Claim[] memory) {
        Trade[] memory trades = new Trade[](count);
        for (uint256 i = 0; i < count; ++i) {
            trades[i] = makeTrade(BUYER);
            trades[i].tradedAt = uint40(START + 1 + i);
            trades[i].settledFen = settledFen;
        }
        return makeClaims(voucherId, trades);
    }

    function only(Claim memory c) private pure returns (Claim[] memory claims) {
        claims = new Claim[](1);
        claims[0] = c;
    }

    function join(Claim[] memory claims, Claim memory last) private pure returns (Claim[] memory joined) {
        joined = new Claim[](claims.length + 1);
        for (uint256 i = 0; i < claims.length; ++i) {
            joined[i] = claims[i];
        }
        joined[claims.length] = last;
    }

    function expectReport(Claim memory c, bytes memory reason) private {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.RedemptionRefused(c.voucherId, c.trade.settlementKey, c.trade.tradeId, reason);
    }
}
