// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {Basis, Limit, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {IssueOrder, Quote} from "suanquan/types/Voucher.sol";

/// @notice The amount against a reference that knows the policy and nothing of the contract: all limits as plain
/// numbers, the least of them wins, the first named among equals.
contract QuoteFuzzTest is LedgerBase {
    struct Case {
        bool firstCome;
        bool contractBasis;
        uint16 rateBps;
        uint16 ceilingBps;
        uint64 settledFen;
        uint64 contractFen;
        uint64 otherSupportFen;
        uint40 faceFen;
        uint48 periodCapFen;
        uint48 totalCapFen;
        uint48 budgetFen;
        uint64 earlierFen;
    }

    function testFuzz_QuoteEqualsReference(Case memory c) public {
        bind(c);
        ProgrammeTerms memory terms = c.firstCome ? makeZhengzhou() : makeEtown();
        terms.basis = c.contractBasis ? Basis.Contract : Basis.Settled;
        terms.oneClaimPerContract = c.contractBasis;
        terms.supportCeilingBps = c.ceilingBps;
        terms.budgetsFen[0] = c.budgetFen;
        terms.tiers[0] = makeTier("tier", c.rateBps, c.periodCapFen, c.totalCapFen);
        IssueOrder memory o = makeOrder(zhengzhou, 1, BUYER);
        o.voucherId = (uint48(publish(terms)) << 32) | 1;
        o.period = c.firstCome ? Rules.NO_PERIOD : 0;
        o.faceFen = c.faceFen;
        uint48 id = issue(o);

        // An earlier redemption, where it pays anything, so that limits are partly used.
        uint256 usedFen = 0;
        Trade memory earlier = makeTrade(BUYER);
        (earlier.settledFen, earlier.contractFen) = (c.earlierFen, c.earlierFen);
        (uint256 firstFen,) = expected(c, c.earlierFen, 0, 0);
        if (firstFen != 0) {
            redeem(id, earlier);
            usedFen = firstFen;
            assertEq(ledger.voucher(id).redeemedFen, usedFen, "the earlier one");
        }

        Trade memory t = makeTrade(BUYER);
        (t.settledFen, t.contractFen, t.otherSupportFen) = (c.settledFen, c.contractFen, c.otherSupportFen);
        (uint256 amountFen, Limit limit) =
            expected(c, c.contractBasis ? c.contractFen : c.settledFen, c.otherSupportFen, usedFen);
        if (amountFen == 0) {
            vm.expectRevert();
            ledger.quote(id, t);
        } else {
            Quote memory q = ledger.quote(id, t);
            assertEq(q.amountFen, amountFen, "amount");
            assertEq(uint8(q.limit), uint8(limit), "limit");
            assertEq(q.rateBps, c.rateBps, "rate");
        }
    }

    /// @dev Small numbers often, so that each limit binds in some cases.
    function bind(Case memory c) private pure {
        c.rateBps = uint16(bound(c.rateBps, 1, 10_000));
        c.ceilingBps = uint16(bound(c.ceilingBps, 1, 10_000));
        c.faceFen = uint40(bound(c.faceFen, 1, 1e6));
        c.periodCapFen = c.periodCapFen % 4 == 0 ? Rules.NO_CAP : uint48(bound(c.periodCapFen, 0, 1e6));
        c.totalCapFen = c.totalCapFen % 4 == 0 ? Rules.NO_CAP : uint48(bound(c.totalCapFen, 0, 2e6));
        c.budgetFen = uint48(c.firstCome ? bound(c.budgetFen, 1, 1e6) : bound(c.budgetFen, c.faceFen, 2e6));
        c.settledFen = uint64(c.settledFen % 5 == 0 ? c.settledFen : bound(c.settledFen, 0, 3e6));
        c.contractFen = uint64(bound(c.contractFen, 0, 3e6));
        c.otherSupportFen = uint64(c.otherSupportFen % 2 == 0 ? 0 : bound(c.otherSupportFen, 0, 2e6));
        c.earlierFen = uint64(bound(c.earlierFen, 0, 5e5));
    }

    function expected(Case memory c, uint256 basisFen, uint256 otherFen, uint256 usedFen)
        private
        pure
        returns (uint256 amountFen, Limit limit)
    {
        uint256 ceilingFen = basisFen * c.ceilingBps / 10_000;
        uint256[6] memory limits = [
            basisFen * c.rateBps / 10_000,
            ceilingFen > otherFen ? ceilingFen - otherFen : 0,
            c.faceFen - usedFen,
            left(c.periodCapFen, usedFen),
            left(c.totalCapFen, usedFen),
            c.firstCome ? c.budgetFen - usedFen : type(uint256).max
        ];
        amountFen = limits[0];
        for (uint8 i = 1; i < 6; ++i) {
            if (limits[i] < amountFen) (amountFen, limit) = (limits[i], Limit(i));
        }
    }

    function left(uint48 capFen, uint256 usedFen) private pure returns (uint256) {
        if (capFen == Rules.NO_CAP) return type(uint256).max;
        return capFen > usedFen ? capFen - usedFen : 0;
    }
}
