// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IERC5192} from "../interfaces/IERC5192.sol";
import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {EntityRoles} from "../types/Entity.sol";
import {Budget, Funding, Programme, ProgrammeBook} from "../types/Programme.sol";
import {IssueOrder, Voucher, VoucherBook, VoucherState} from "../types/Voucher.sol";
import {Approvals} from "./Approvals.sol";
import {Errors} from "./Errors.sol";
import {Rules} from "./Rules.sol";

/// @notice How a voucher comes into being. A linked library for the same reason as {Programmes}.
library Issuing {
    /// @notice See {IVoucherLedger-issue}.
    function issue(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        IEntityRegistry registry,
        bytes32 domainSeparator,
        IssueOrder calldata order
    ) external {
        uint256 id = order.voucherId;
        uint16 programmeId = uint16(id >> 32);
        Programme memory p = book.programmes[programmeId];

        // Check: programme, id, holder, tier, period and value.
        Rules.requireOpen(programmeId, p, block.timestamp);
        if (ledger.vouchers[id].state != VoucherState.None || uint32(id) == 0) {
            revert Errors.VoucherLedger_VoucherIdTaken(id);
        }
        (uint24 holder, address account) = registry.requireActive(order.entity, EntityRoles.BUYER);
        if (order.tier >= p.tiers) revert Errors.VoucherLedger_TierIndex(programmeId, order.tier, p.tiers);
        bytes32 tierEntity = book.tiers[programmeId][order.tier].entity;
        if (tierEntity != 0 && tierEntity != order.entity) {
            revert Errors.VoucherLedger_TierReserved(programmeId, order.tier, tierEntity);
        }
        bool reserved = p.funding == Funding.ReservedAtIssue;
        if (reserved ? order.period >= p.periods : order.period != Rules.NO_PERIOD) {
            revert Errors.VoucherLedger_PeriodIndex(programmeId, order.period, p.periods);
        }
        if (order.faceFen == 0) revert Errors.VoucherLedger_ZeroFace(id);
        if (block.timestamp > order.validUntil) {
            revert Errors.VoucherLedger_ValidityOver(id, order.validUntil, block.timestamp);
        }

        // Check: the reviewers of every stage approved exactly this.
        Approvals.requireAll(
            book, registry, domainSeparator, programmeId, Approvals.issueSubject(order), order.approvals
        );

        // Effect: the voucher, and its hold on the budget.
        if (reserved) {
            uint8 budgetIndex = book.periods[programmeId][order.period].budget;
            Budget storage b = book.budgets[programmeId][budgetIndex];
            uint256 leftFen = Rules.available(b);
            if (order.faceFen > leftFen) {
                revert Errors.VoucherLedger_BudgetExhausted(programmeId, budgetIndex, order.faceFen, leftFen);
            }
            b.reservedFen += order.faceFen;
        }
        ledger.vouchers[id] = Voucher({
            programmeId: programmeId,
            entity: holder,
            tier: order.tier,
            period: order.period,
            state: VoucherState.Live,
            issuedAt: uint32(block.timestamp),
            validUntil: order.validUntil,
            faceFen: order.faceFen,
            redeemedFen: 0,
            writtenOffFen: 0
        });
        ++ledger.balances[holder];
        emit IVoucherLedger.VoucherIssued(
            id, programmeId, order.entity, order.tier, order.period, order.faceFen, order.validUntil, order.documents
        );
        emit IERC721.Transfer(address(0), account, id);
        emit IERC5192.Locked(id);
    }
}
