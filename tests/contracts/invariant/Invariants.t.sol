// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Test} from "forge-std/Test.sol";

import {Handler} from "./Handler.sol";
import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "suanquan/interfaces/IEvidenceLog.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {Stream} from "suanquan/types/Evidence.sol";
import {Budget} from "suanquan/types/Programme.sol";
import {Redemption, RedemptionState, Voucher, VoucherState} from "suanquan/types/Voucher.sol";

/// @notice What holds after any sequence of operations, whatever the contracts' own books say: everything is summed anew
/// from the handler's. Order of trade time and single use of keys are asserted by the handler at each redemption.
contract InvariantsTest is Test {
    Handler private _handler;
    IEntityRegistry private _registry;
    IEvidenceLog private _evidence;
    IVoucherLedger private _ledger;
    uint48 private _budget;
    uint48[2] private _periodCaps;
    uint48 private _totalCap;

    function setUp() public {
        _handler = new Handler();
        (address registry, address evidence, address ledger) = _handler.contracts();
        _registry = IEntityRegistry(registry);
        _evidence = IEvidenceLog(evidence);
        _ledger = IVoucherLedger(ledger);

        _budget = _handler.BUDGET();
        _periodCaps = [_handler.PERIOD_CAP_0(), _handler.PERIOD_CAP_1()];
        _totalCap = _handler.TOTAL_CAP_1();

        bytes4[] memory operations = new bytes4[](19);
        operations[0] = Handler.openProgramme.selector;
        operations[1] = Handler.terminateProgramme.selector;
        operations[2] = bytes4(keccak256("issue(uint256,uint40,uint32)"));
        operations[3] = Handler.freezeVoucher.selector;
        operations[4] = Handler.unfreezeVoucher.selector;
        operations[5] = Handler.cancelVoucher.selector;
        operations[6] = Handler.expireVoucher.selector;
        operations[7] = Handler.redeemOne.selector;
        operations[8] = Handler.redeemBatch.selector;
        operations[9] = Handler.replay.selector;
        operations[10] = Handler.writeOffBatch.selector;
        operations[11] = Handler.rejectOne.selector;
        operations[12] = Handler.redeemReleased.selector;
        operations[13] = Handler.recoverPart.selector;
        operations[14] = Handler.toggleEntityFreeze.selector;
        operations[15] = Handler.rotateAccount.selector;
        operations[16] = Handler.appendForeign.selector;
        operations[17] = Handler.transfer.selector;
        operations[18] = Handler.pass.selector;
        targetContract(address(_handler));
        targetSelector(FuzzSelector(address(_handler), operations));
    }

    /// @dev One campaign for all five, for each invariant function would play the same campaign again.
    function invariant_BooksAgree() public view {
        Handler.PaidTrade[] memory paid = _handler.paid();
        Handler.Holding[] memory holdings = _handler.holdings();
        Handler.Shape[] memory programmes = _handler.programmes();
        requireBudgetsConserve(programmes, paid, holdings);
        requireVouchersHold(paid, holdings);
        requireCapsHold(programmes, paid);
        requireRedemptionsHold(programmes, paid);
        requireEvidenceIsAppendOnly();
    }

    /// @dev amount + recovered = available + reserved + redeemed + written off, each the sum over what makes it up.
    function requireBudgetsConserve(
        Handler.Shape[] memory programmes,
        Handler.PaidTrade[] memory paid,
        Handler.Holding[] memory holdings
    ) private view {
        for (uint256 k = 0; k < programmes.length; ++k) {
            Handler.Shape memory p = programmes[k];
            Budget[] memory sums = new Budget[](p.budgets);
            for (uint256 j = 0; j < paid.length; ++j) {
                Handler.PaidTrade memory r = paid[j];
                if (r.programmeId != p.id) continue;
                Budget memory sum = sums[budgetOf(p, r.period)];
                if (r.state == RedemptionState.Provisional) sum.redeemedFen += r.amountFen;
                if (r.state == RedemptionState.WrittenOff) sum.writtenOffFen += r.amountFen;
                sum.recoveredFen += r.recoveredFen;
            }
            for (uint256 j = 0; j < holdings.length; ++j) {
                Handler.Holding memory h = holdings[j];
                if (h.id >> 32 != p.id || h.period == Rules.NO_PERIOD) continue;
                if (h.state != VoucherState.Live && h.state != VoucherState.Frozen) continue;
                sums[budgetOf(p, h.period)].reservedFen += h.faceFen - redeemedOf(h.id, paid);
            }
            for (uint8 i = 0; i < p.budgets; ++i) {
                (Budget memory b, uint256 availableFen) = _ledger.budget(p.id, i);
                sums[i].amountFen = 100 * _budget;
                assertEq(abi.encode(b), abi.encode(sums[i]), "budget");
                assertEq(
                    availableFen + b.reservedFen + b.redeemedFen + b.writtenOffFen,
                    uint256(b.amountFen) + b.recoveredFen
                );
            }
        }
    }

    /// @dev redeemed ≤ face, written off ≤ redeemed; the holder and, once terminal, the state never change.
    function requireVouchersHold(Handler.PaidTrade[] memory paid, Handler.Holding[] memory holdings) private view {
        for (uint256 j = 0; j < holdings.length; ++j) {
            Handler.Holding memory h = holdings[j];
            Voucher memory v = _ledger.voucher(h.id);
            assertEq(v.entity, h.number, "holder");
            assertEq(
                IERC721(address(_ledger)).ownerOf(h.id),
                _registry.entity(h.entity).account,
                "owner follows the registry"
            );
            assertEq(uint8(v.state), uint8(h.state), "state changes by its own operations only");
            assertEq(v.faceFen, h.faceFen, "face");
            assertEq(v.redeemedFen, redeemedOf(h.id, paid), "redeemed");
            uint256 writtenOffFen = 0;
            for (uint256 i = 0; i < paid.length; ++i) {
                if (paid[i].voucherId == h.id && paid[i].state == RedemptionState.WrittenOff) {
                    writtenOffFen += paid[i].amountFen;
                }
            }
            assertEq(v.writtenOffFen, writtenOffFen, "written off");
            assertLe(v.redeemedFen, v.faceFen);
            assertLe(v.writtenOffFen, v.redeemedFen);
        }
    }

    /// @dev What an entity used is the sum of its redemptions, and within its tier's caps.
    function requireCapsHold(Handler.Shape[] memory programmes, Handler.PaidTrade[] memory paid) private view {
        for (uint256 who = 0; who < 4; ++who) {
            bytes32 entity = _handler.buyer(who);
            for (uint256 k = 0; k < programmes.length; ++k) {
                uint256[] memory sums = new uint256[](programmes[k].periods);
                uint256 totalFen = 0;
                for (uint256 j = 0; j < paid.length; ++j) {
                    Handler.PaidTrade memory r = paid[j];
                    if (r.programmeId != programmes[k].id || r.entity != entity) continue;
                    if (r.state == RedemptionState.Rejected) continue;
                    sums[r.period] += r.amountFen;
                    totalFen += r.amountFen;
                }
                for (uint8 i = 0; i < sums.length; ++i) {
                    (uint48 periodFen, uint48 allFen) = _ledger.used(programmes[k].id, entity, i);
                    assertEq(periodFen, sums[i], "used in the period");
                    assertEq(allFen, totalFen, "used in total");
                    assertLe(periodFen, 100 * _periodCaps[who % 2], "period cap");
                    if (who % 2 == 1) assertLe(allFen, 100 * _totalCap, "total cap");
                }
            }
        }
    }

    /// @dev Each redemption is what the handler did to it; a key that pays now belongs to exactly one redemption.
    function requireRedemptionsHold(Handler.Shape[] memory programmes, Handler.PaidTrade[] memory paid) private view {
        for (uint256 j = 0; j < paid.length; ++j) {
            bytes32 key = paid[j].settlementKey;
            if (paid[j].replacedBy != 0) {
                requireReplaced(paid[j]);
                continue;
            }
            Redemption memory r = _ledger.redemption(uint48(paid[j].id), key);
            assertEq(uint8(r.state), uint8(paid[j].state), "state");
            assertEq(r.amountFen, paid[j].amountFen, "amount");
            assertEq(r.recoveredFen, paid[j].recoveredFen, "recovered");
            assertLe(r.recoveredFen, r.amountFen);
            if (r.state == RedemptionState.Rejected) continue;
            // Programmes are numbered from 1, in the order in which the handler opened them.
            assertEq(_ledger.settlement(programmes[paid[j].programmeId - 1].group, key), paid[j].id, "key");
        }
    }

    /// @dev A rejected redemption whose trade was claimed anew cannot be taken for the later one.
    function requireReplaced(Handler.PaidTrade memory r) private view {
        assertEq(uint8(r.state), uint8(RedemptionState.Rejected), "only what was rejected gives way");
        try _ledger.redemption(uint48(r.id), r.settlementKey) {
            assertTrue(false, "an id of the past names a record of now");
        } catch (bytes memory reason) {
            assertEq(
                reason,
                abi.encodeWithSelector(Errors.VoucherLedger_KeyMismatch.selector, r.id, r.settlementKey, r.replacedBy)
            );
        }
    }

    /// @dev Sequences go on without a gap, and no head ever changes.
    function requireEvidenceIsAppendOnly() private view {
        bytes32[2] memory platforms = [keccak256("platform"), keccak256("other platform")];
        for (uint256 k = 0; k < 2; ++k) {
            (uint64 submissions, bytes32[] memory heads) = _handler.books(platforms[k]);
            Stream memory s = _evidence.stream(platforms[k]);
            assertEq(s.nextSequence, submissions + 1, "sequence");
            assertEq(s.batches, heads.length, "batches");
            for (uint64 i = 0; i < heads.length; ++i) {
                assertEq(_evidence.headAt(platforms[k], i), heads[i], "head");
            }
        }
    }

    /// @dev One budget for all periods, or one for each.
    function budgetOf(Handler.Shape memory p, uint8 period) private pure returns (uint8) {
        return p.budgets == 1 ? 0 : period;
    }

    function redeemedOf(uint48 voucherId, Handler.PaidTrade[] memory paid) private pure returns (uint40 sumFen) {
        for (uint256 i = 0; i < paid.length; ++i) {
            if (paid[i].voucherId == voucherId && paid[i].state != RedemptionState.Rejected) {
                sumFen += paid[i].amountFen;
            }
        }
    }
}
