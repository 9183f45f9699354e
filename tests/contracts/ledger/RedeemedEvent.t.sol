// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {Limit, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {ComputeType, Trade, TradeKind} from "suanquan/types/Trade.sol";
import {Claim, Quote} from "suanquan/types/Voucher.sol";

/// @notice What is packed into words of the event comes out again, each member from bits of its own.
contract RedeemedEventTest is LedgerBase {
    function test_Redeemed_TellsAllOfATradeOfTheLastKind() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.tiers[0].rateBps[Rules.rateIndex(TradeKind.ProjectCost, ComputeType.Super, 1)] = 2500;
        uint48 id = issue(publish(terms), 77, BUYER);
        Trade memory t = makeTrade(BUYER);
        (t.kind, t.computeType, t.attributes) = (TradeKind.ProjectCost, ComputeType.Super, 0xF0000001);
        (t.region, t.settledFen, t.contractFen, t.otherSupportFen) = (0xA0B0C0D1, 30_000, 2 ** 63 + 1, 10_000);
        Claim memory c = makeClaim(id, t);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.Redeemed(
            (id >> 32 << 32) | 1, id, t.settlementKey, leafOf(t), Quote(7500, 2500, 0, Limit.None), factsOf(t)
        );
        redeem(c);
    }
}
