// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {LedgerBase} from "../support/LedgerBase.sol";
import {IERC5192} from "suanquan/interfaces/IERC5192.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {EntityRoles, Standing} from "suanquan/types/Entity.sol";
import {Budget, ProgrammeStatus, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {IssueOrder, Voucher, VoucherState} from "suanquan/types/Voucher.sol";

contract IssueTest is LedgerBase {
    function test_Issue_RecordsTheVoucher() public {
        IssueOrder memory o = makeOrder(zhengzhou, 7, OTHER_BUYER);
        o.tier = 3;
        o = signed(o);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherIssued(
            o.voucherId, zhengzhou, OTHER_BUYER, 3, Rules.NO_PERIOD, o.faceFen, o.validUntil, o.documents
        );
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(0), accountOf(OTHER_BUYER), o.voucherId);
        vm.expectEmit(address(ledger));
        emit IERC5192.Locked(o.voucherId);
        vm.prank(stranger);
        ledger.issue(o);

        Voucher memory v =
            Voucher(zhengzhou, 2, 3, Rules.NO_PERIOD, VoucherState.Live, uint32(NOW), o.validUntil, o.faceFen, 0, 0);
        assertEq(abi.encode(ledger.voucher(o.voucherId)), abi.encode(v));
        assertBudget(zhengzhou, 0, Budget(yuan(50_000_000), 0, 0, 0, 0));
    }

    function test_Issue_ReservesTheFace() public {
        IssueOrder memory o = makeOrder(etown, 2, OTHER_BUYER);
        o.period = 1;
        issue(o);
        assertBudget(etown, 0, Budget(yuan(100_000_000), yuan(1_000_000), 0, 0, 0));
        assertBudget(etown, 1, Budget(yuan(100_000_000), yuan(1_000_000), 0, 0, 0));
    }

    function test_Issue_ReservesExactlyTheBudget() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.budgetsFen[0] = yuan(1_000_000);
        uint16 id = publish(terms);
        issue(id, 1, BUYER);
        IssueOrder memory o = makeOrder(id, 2, BUYER);
        o.faceFen = 1;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_BudgetExhausted.selector, id, 0, 1, 0));
    }

    function test_RevertWhen_FaceIsAboveTheBudget() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.budgetsFen[0] = yuan(1_000_000) - 1;
        uint16 id = publish(terms);
        expectRefused(
            makeOrder(id, 1, BUYER),
            abi.encodeWithSelector(
                Errors.VoucherLedger_BudgetExhausted.selector, id, 0, yuan(1_000_000), yuan(1_000_000) - 1
            )
        );
    }

    /* ID */

    function test_RevertWhen_IdIsTaken() public {
        expectRefused(
            makeOrder(zhengzhou, uint32(voucherId), OTHER_BUYER),
            abi.encodeWithSelector(Errors.VoucherLedger_VoucherIdTaken.selector, uint256(voucherId))
        );
    }

    function test_RevertWhen_IdOfAnEndedVoucherIsUsedAgain() public {
        cancel(voucherId);
        expectRefused(
            makeOrder(zhengzhou, uint32(voucherId), BUYER),
            abi.encodeWithSelector(Errors.VoucherLedger_VoucherIdTaken.selector, uint256(voucherId))
        );
    }

    function test_RevertWhen_SerialIsZero() public {
        IssueOrder memory o = makeOrder(zhengzhou, 0, BUYER);
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_VoucherIdTaken.selector, uint256(o.voucherId)));
    }

    function test_Issue_LargestSerial() public {
        assertEq(issue(zhengzhou, type(uint32).max, BUYER), (uint48(zhengzhou) << 32) | type(uint32).max);
    }

    /* PROGRAMME */

    function test_RevertWhen_ProgrammeIsNotPublished() public {
        uint16 draft = create(makeZhengzhou());
        expectStatus(draft, ProgrammeStatus.Draft);
        terminate(zhengzhou);
        expectStatus(zhengzhou, ProgrammeStatus.Terminated);
        expectStatus(99, ProgrammeStatus.None);
        expectStatus(0, ProgrammeStatus.None);
    }

    function test_Issue_UntilTheLastSecondOfClaims() public {
        uint40 last = makeZhengzhou().claimsUntil;
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.validUntil = type(uint32).max;
        vm.warp(last);
        issue(o);

        o.voucherId += 1;
        vm.warp(last + 1);
        expectRefused(
            o, abi.encodeWithSelector(Errors.VoucherLedger_ClaimsClosed.selector, zhengzhou, last, uint256(last) + 1)
        );
    }

    /* HOLDER */

    function test_RevertWhen_HolderIsUnknown() public {
        expectRefused(
            makeOrder(zhengzhou, 2, NOBODY), abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY)
        );
    }

    function test_RevertWhen_HolderIsNoBuyer() public {
        expectRefused(
            makeOrder(zhengzhou, 2, SUPPLIER),
            abi.encodeWithSelector(
                Errors.EntityRegistry_RoleMissing.selector, SUPPLIER, EntityRoles.SUPPLIER, EntityRoles.BUYER
            )
        );
    }

    function test_RevertWhen_HolderIsFrozen() public {
        freezeEntity(BUYER);
        expectRefused(
            makeOrder(zhengzhou, 2, BUYER), abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, BUYER)
        );
    }

    function test_RevertWhen_HolderIsExcluded() public {
        vm.prank(registrar);
        registry.setStanding(BUYER, Standing.TaxBlacklisted, START + YEAR);
        expectRefused(
            makeOrder(zhengzhou, 2, BUYER),
            abi.encodeWithSelector(
                Errors.EntityRegistry_Excluded.selector, BUYER, Standing.TaxBlacklisted, START + YEAR
            )
        );
    }

    /* TIER, PERIOD, FACE, VALIDITY */

    function test_RevertWhen_TierDoesNotExist() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.tier = 8;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_TierIndex.selector, zhengzhou, 8, 8));
        o.tier = 9;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_TierIndex.selector, zhengzhou, 9, 8));
    }

    function test_RevertWhen_FirstComeVoucherNamesAPeriod() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.period = 0;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_PeriodIndex.selector, zhengzhou, 0, 3));
    }

    function test_RevertWhen_ReservedVoucherNamesNoPeriod() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.period = 2;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_PeriodIndex.selector, etown, 2, 2));
        o.period = Rules.NO_PERIOD;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_PeriodIndex.selector, etown, Rules.NO_PERIOD, 2));
    }

    function test_RevertWhen_FaceIsZero() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.faceFen = 0;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ZeroFace.selector, uint256(o.voucherId)));
    }

    function test_RevertWhen_ValidityIsOver() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.validUntil = uint32(NOW) - 1;
        expectRefused(
            o,
            abi.encodeWithSelector(
                Errors.VoucherLedger_ValidityOver.selector, uint256(o.voucherId), NOW - 1, uint256(NOW)
            )
        );
        o.validUntil = uint32(NOW);
        issue(o);
    }

    function expectStatus(uint16 id, ProgrammeStatus status) private {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.voucherId = (uint48(id) << 32) | 2;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ProgrammeStatus.selector, id, status));
    }

    function expectRefused(IssueOrder memory o, bytes memory reason) private {
        o = signed(o);
        vm.expectRevert(reason);
        ledger.issue(o);
    }
}
