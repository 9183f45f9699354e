// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Budget, Limit, ProgrammeStatus} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {
    Claim,
    IssueOrder,
    Quote,
    Redemption,
    RedemptionState,
    VoucherState,
    VoucherStatus
} from "suanquan/types/Voucher.sol";

/// @notice What a redemption writes, and whether the voucher is usable and the evidence good.
contract RedeemTest is LedgerBase {
    function test_Redeem_RecordsTheRedemption() public {
        Trade memory t = makeTrade(BUYER);
        Claim memory c = makeClaim(voucherId, t);
        uint256 id = (uint256(zhengzhou) << 32) | 1;
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.Redeemed(
            id, voucherId, t.settlementKey, leafOf(t), Quote(uint40(yuan(240_000)), 3000, 0, Limit.None), factsOf(t)
        );
        assertEq(redeem(c), id);

        Redemption memory r =
            Redemption(voucherId, 1, 0, RedemptionState.Provisional, false, uint32(NOW), 0, uint40(yuan(240_000)), 0);
        assertEq(abi.encode(redemption(id)), abi.encode(r));
        assertEq(ledger.settlement(1, t.settlementKey), id);
        assertEq(ledger.settlement(2, t.settlementKey), 0, "another group");
        assertEq(ledger.voucher(voucherId).redeemedFen, yuan(240_000));
        (uint48 periodFen, uint48 totalFen) = ledger.used(zhengzhou, BUYER, 0);
        assertEq(periodFen, yuan(240_000));
        assertEq(totalFen, yuan(240_000));
        assertEq(ledger.programme(zhengzhou).lastTradedAt, t.tradedAt);
        assertEq(ledger.programme(zhengzhou).redemptions, 1);
        assertBudget(zhengzhou, 0, Budget(yuan(50_000_000), 0, yuan(240_000), 0, 0));
        assertEq(uint8(ledger.status(voucherId)), uint8(VoucherStatus.PartlyRedeemed));
    }

    function test_Redeem_ReservedBecomesRedeemed() public {
        redeem(reservedId, makeTrade(BUYER));
        assertBudget(etown, 0, Budget(yuan(100_000_000), yuan(760_000), yuan(240_000), 0, 0));
        assertEq(ledger.programme(etown).lastTradedAt, 0, "not in trade order");
    }

    function test_Redeem_PaysWhatWasQuoted() public {
        Trade memory t = makeTrade(BUYER);
        uint40 quoted = ledger.quote(voucherId, t).amountFen;
        assertEq(redemption(redeem(voucherId, t)).amountFen, quoted);
    }

    function test_Redeem_SerialsArePerProgramme() public {
        redeem(voucherId, makeTrade(BUYER));
        assertEq(redeem(reservedId, makeTrade(BUYER)), (uint256(etown) << 32) | 1);
        assertEq(redeem(reservedId, makeTrade(BUYER)), (uint256(etown) << 32) | 2);
    }

    function test_Redeem_FullyRedeemed() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.faceFen = uint40(yuan(240_000));
        uint48 id = issue(o);
        redeem(id, makeTrade(BUYER));
        assertEq(uint8(ledger.status(id)), uint8(VoucherStatus.FullyRedeemed));
    }

    /* VOUCHER */

    function test_RevertWhen_VoucherIsUnknown() public {
        Trade memory t = makeTrade(BUYER);
        Claim memory c = makeClaim(voucherId, t);
        c.voucherId += 1;
        expectRefused(c, abi.encodeWithSelector(Errors.VoucherLedger_UnknownVoucher.selector, uint256(c.voucherId)));
    }

    function test_RevertWhen_VoucherIsFrozen() public {
        freeze(voucherId);
        expectState(VoucherState.Frozen);
    }

    function test_RevertWhen_VoucherIsCancelled() public {
        cancel(voucherId);
        expectState(VoucherState.Cancelled);
    }

    function test_RevertWhen_VoucherIsExpired() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.validUntil = uint32(NOW);
        uint48 id = issue(o);
        vm.warp(NOW + 1);
        ledger.expire(id);
        Claim memory c = makeClaim(id, makeTrade(BUYER));
        expectRefused(
            c, abi.encodeWithSelector(Errors.VoucherLedger_VoucherState.selector, uint256(id), VoucherState.Expired)
        );
    }

    function test_Redeem_UntilTheLastSecondOfValidity() public {
        uint32 last = makeOrder(zhengzhou, 1, BUYER).validUntil;
        vm.warp(last);
        Trade memory t = makeTrade(BUYER);
        t.tradedAt = last - 1;
        ledger.quote(voucherId, t);
        vm.warp(uint256(last) + 1);
        expectRefused(
            makeClaim(voucherId, t),
            abi.encodeWithSelector(
                Errors.VoucherLedger_ValidityOver.selector, uint256(voucherId), last, uint256(last) + 1
            )
        );
    }

    function test_Redeem_UntilTheLastSecondOfClaims() public {
        uint40 last = makeZhengzhou().claimsUntil;
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.validUntil = type(uint32).max;
        uint48 id = issue(o);
        Trade memory t = makeTrade(BUYER);
        Claim memory c = makeClaim(id, t);
        vm.warp(last + 1);
        expectRefused(
            c, abi.encodeWithSelector(Errors.VoucherLedger_ClaimsClosed.selector, zhengzhou, last, uint256(last) + 1)
        );
        vm.warp(last);
        redeem(c);
    }

    function test_RevertWhen_ProgrammeIsTerminated() public {
        terminate(zhengzhou);
        expectRefused(
            makeClaim(voucherId, makeTrade(BUYER)),
            abi.encodeWithSelector(Errors.VoucherLedger_ProgrammeStatus.selector, zhengzhou, ProgrammeStatus.Terminated)
        );
    }

    /* EVIDENCE */

    function test_RevertWhen_TradeDiffersFromItsEvidence() public {
        Claim memory c = makeClaim(voucherId, makeTrade(BUYER));
        c.trade.settledFen += 1;
        expectRefused(
            c,
            abi.encodeWithSelector(
                Errors.EvidenceLog_TradeNotInSubmission.selector, leafOf(c.trade), c.proof.submission.root
            )
        );
    }

    function test_RevertWhen_EvidenceIsAnotherPlatforms() public {
        vm.prank(operator);
        ledger.setPlatforms(zhengzhou, only(OTHER_PLATFORM), true);
        Claim memory c = makeClaim(voucherId, makeTrade(BUYER));
        c.trade.platform = OTHER_PLATFORM;
        expectRefused(c, abi.encodeWithSelector(Errors.EvidenceLog_WrongPlatform.selector, OTHER_PLATFORM, PLATFORM));
    }

    function test_RevertWhen_GatewayForgesASubmission() public {
        Trade memory t = makeTrade(BUYER);
        uint256 real = evidenceKeys[PLATFORM];
        evidenceKeys[PLATFORM] = uint256(keccak256("gateway"));
        Claim memory c = makeClaim(voucherId, t);
        expectRefused(c, abi.encodeWithSelector(Errors.EvidenceLog_BadSignature.selector, PLATFORM, 1, vm.addr(real)));
    }

    function expectState(VoucherState state) private {
        Claim memory c = makeClaim(voucherId, makeTrade(BUYER));
        expectRefused(c, abi.encodeWithSelector(Errors.VoucherLedger_VoucherState.selector, uint256(voucherId), state));
    }

    function expectRefused(Claim memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        redeem(c);
    }
}
