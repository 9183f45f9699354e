// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Limit} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {Claim} from "suanquan/types/Voucher.sol";

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

    function redeemMany(Claim[] memory claims) private {
        vm.prank(relayer);
        ledger.redeemMany(claims);
    }

    function expectReport(Claim memory c, bytes memory reason) private {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.RedemptionRefused(c.voucherId, c.trade.settlementKey, c.trade.tradeId, reason);
    }
}
