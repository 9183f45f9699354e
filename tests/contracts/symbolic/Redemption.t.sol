// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SymbolicBase} from "./SymbolicBase.sol";
import {ComputeType, Trade, TradeKind} from "suanquan/types/Trade.sol";
import {Claim} from "suanquan/types/Voucher.sol";

/// @notice A redemption moves its amount within one budget, which is not overrun, within its voucher's face, and uses its
/// trade up: while a trade is used, no voucher is redeemed with it. Evidence is taken as given.
contract RedemptionProofs is SymbolicBase {
    /// @dev What the amount depends on.
    struct Terms {
        uint40 tradedAt;
        uint40 contractSignedAt;
        uint64 settledFen;
        uint64 contractFen;
        uint64 otherSupportFen;
    }

    function check_RedeemReserved(World calldata w, Terms calldata t) external {
        uint256 amountFen = redeemed(w, t, true);
        requireBudget(w, minus(amountFen), amountFen, 0, 0);
    }

    function check_RedeemFirstCome(World calldata w, Terms calldata t) external {
        uint256 amountFen = redeemed(w, t, false);
        requireBudget(w, 0, amountFen, 0, 0);
    }

    function check_UsedTradeIsRefused(World calldata w, Terms calldata t, bool reserved) external {
        place(w, reserved);
        uint256 state = part(w.redemption, 88, 8);
        vm.assume(state == 1 || state == 2 || (state == 3 && part(w.redemption, 96, 8) == 1));
        requireRefused(t);
    }

    /// @dev Where a contract is to be paid once, whatever the invoice.
    function check_UsedContractIsRefused(World calldata w, Terms calldata t, bool reserved) external {
        place(w, reserved);
        vm.assume(part(w.settings, 40, 8) == 1 && uint48(w.contractUse) != 0);
        requireRefused(t);
    }

    /// @dev In an ordered programme, a trade before the one paid last.
    function check_EarlierTradeIsRefused(World calldata w, Terms calldata t) external {
        place(w, false);
        vm.assume(part(w.settings, 24, 8) == 1 && t.tradedAt < uint40(w.counts));
        requireRefused(t);
    }

    /// @dev The trade is unused before: no record, or a rejected one that gives way.
    function redeemed(World calldata w, Terms calldata t, bool reserved) internal returns (uint256 amountFen) {
        place(w, reserved);
        ledger.redeem(makeClaim(t));
        uint256 r = got(slotOfRedemption(KEY));
        amountFen = part(r, 168, 40);
        assert(amountFen != 0);
        assert(part(r, 88, 8) == 1);
        // Counted on, so that no id is given twice.
        assert(part(r, 48, 32) == part(w.counts, 40, 32) + 1);
        uint256 v = voucherOf(w, reserved);
        assert(got(slotOfVoucher(VOUCHER)) == v + (amountFen << 176));
        assert(part(v, 176, 40) + amountFen <= part(v, 136, 40));
        requireElseUntouched(w);
    }

    function makeClaim(Terms calldata t) internal pure returns (Claim memory c) {
        Trade memory trade;
        // One kind: it does no more than to choose one of the tier's rates, and they are all open.
        (trade.kind, trade.computeType) = (TradeKind.Compute, ComputeType.Intelligent);
        (trade.platform, trade.buyer, trade.supplier) = ("platform", "buyer", "supplier");
        (trade.settlementKey, trade.contractKey) = (KEY, CONTRACT_KEY);
        (trade.attributes, trade.tradedAt, trade.contractSignedAt) = (type(uint32).max, t.tradedAt, t.contractSignedAt);
        (trade.settledFen, trade.contractFen) = (t.settledFen, t.contractFen);
        trade.otherSupportFen = t.otherSupportFen;
        c.voucherId = VOUCHER;
        c.trade = trade;
        c.proof.batch.platform = trade.platform;
        c.proof.submission.root = keccak256(bytes.concat(keccak256(abi.encode(trade))));
    }

    function requireRefused(Terms calldata t) private {
        (bool done,) = address(ledger).call(abi.encodeCall(ledger.redeem, (makeClaim(t))));
        assert(!done);
    }
}
