// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IERC5192} from "./interfaces/IERC5192.sol";
import {IERC6454} from "./interfaces/IERC6454.sol";
import {IEntityRegistry} from "./interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {IVoucherLedger} from "./interfaces/IVoucherLedger.sol";
import {Approvals} from "./libraries/Approvals.sol";
import {Errors} from "./libraries/Errors.sol";
import {Lifecycle} from "./libraries/Lifecycle.sol";
import {Programmes} from "./libraries/Programmes.sol";
import {Roles} from "./libraries/Roles.sol";
import {Rules} from "./libraries/Rules.sol";
import {EntityRoles, Party} from "./types/Entity.sol";
import {
    Basis,
    Budget,
    Funding,
    Limit,
    Period,
    Programme,
    ProgrammeBook,
    ProgrammeStatus,
    ProgrammeTerms,
    Tier
} from "./types/Programme.sol";
import {Trade} from "./types/Trade.sol";
import {
    Claim,
    IssueOrder,
    Quote,
    Redemption,
    RedemptionState,
    ReviewApproval,
    Voucher,
    VoucherBook,
    VoucherState,
    VoucherStatus
} from "./types/Voucher.sol";

/// @title VoucherLedger
/// @notice See {IVoucherLedger}.
contract VoucherLedger is IVoucherLedger, IERC721, IERC721Metadata, IERC5192, IERC6454, IERC721Errors, EIP712 {
    using Lifecycle for VoucherBook;
    using Programmes for ProgrammeBook;

    IEntityRegistry public immutable REGISTRY;
    IEvidenceLog public immutable EVIDENCE;
    /// @notice The deployment that this one follows; zero for the first.
    address public immutable PREDECESSOR;

    /* STORAGE */

    ProgrammeBook private _book;
    VoucherBook private _ledger;

    constructor(IEntityRegistry registry, IEvidenceLog evidence, address predecessor)
        EIP712("Suanquan VoucherLedger", "1")
    {
        REGISTRY = registry;
        EVIDENCE = evidence;
        PREDECESSOR = predecessor;
    }

    modifier onlyRole(bytes32 role) {
        _requireRole(role);
        _;
    }

    /* PROGRAMMES */

    /// @inheritdoc IVoucherLedger
    function createProgramme(ProgrammeTerms calldata terms) external onlyRole(Roles.OPERATOR) returns (uint16) {
        return _book.create(REGISTRY, terms);
    }

    /// @inheritdoc IVoucherLedger
    function publishProgramme(uint16 programmeId) external onlyRole(Roles.OPERATOR) {
        _book.publish(programmeId);
    }

    /// @inheritdoc IVoucherLedger
    function terminateProgramme(uint16 programmeId, bytes32 reason) external onlyRole(Roles.OPERATOR) {
        _book.terminate(programmeId, reason);
    }

    /// @inheritdoc IVoucherLedger
    function addAgreement(
        uint16 programmeId,
        uint16 tierIndex,
        Tier calldata tier_,
        ReviewApproval[] calldata approvals
    ) external {
        _book.addAgreement(REGISTRY, _domainSeparatorV4(), programmeId, tierIndex, tier_, approvals);
    }

    /// @inheritdoc IVoucherLedger
    function setApprover(uint16 programmeId, uint8 stage, address account, bool approver)
        external
        onlyRole(Roles.OPERATOR)
    {
        _book.setApprover(REGISTRY, programmeId, stage, account, approver);
    }

    /// @inheritdoc IVoucherLedger
    function setSuppliers(uint16 programmeId, bytes32[] calldata suppliers, bool listed)
        external
        onlyRole(Roles.OPERATOR)
    {
        _book.setSuppliers(programmeId, suppliers, listed);
    }

    /// @inheritdoc IVoucherLedger
    function setPlatforms(uint16 programmeId, bytes32[] calldata platforms, bool listed)
        external
        onlyRole(Roles.OPERATOR)
    {
        _book.setPlatforms(programmeId, platforms, listed);
    }

    /* VOUCHERS */

    /// @inheritdoc IVoucherLedger
    function issue(IssueOrder calldata order) external {
        uint256 id = order.voucherId;
        uint16 programmeId = uint16(id >> 32);
        Programme storage p = _open(programmeId);

        // Check: id, holder, tier, period and value.
        if (_ledger.vouchers[id].state != VoucherState.None || uint32(id) == 0) {
            revert Errors.VoucherLedger_VoucherIdTaken(id);
        }
        Party memory holder = REGISTRY.requireActive(order.entity, EntityRoles.BUYER);
        if (order.tier >= p.tiers) revert Errors.VoucherLedger_TierIndex(programmeId, order.tier, p.tiers);
        bytes32 tierEntity = _book.tiers[programmeId][order.tier].entity;
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
        _book.requireApprovals(
            REGISTRY, _domainSeparatorV4(), programmeId, Approvals.issueSubject(order), order.approvals
        );

        // Effect: the voucher, and its hold on the budget.
        if (reserved) {
            uint8 budgetIndex = _book.periods[programmeId][order.period].budget;
            Budget storage b = _book.budgets[programmeId][budgetIndex];
            uint256 leftFen = Rules.available(b);
            if (order.faceFen > leftFen) {
                revert Errors.VoucherLedger_BudgetExhausted(programmeId, budgetIndex, order.faceFen, leftFen);
            }
            b.reservedFen += order.faceFen;
        }
        _ledger.vouchers[id] = Voucher({
            programmeId: programmeId,
            entity: holder.number,
            tier: order.tier,
            period: order.period,
            state: VoucherState.Live,
            issuedAt: uint32(block.timestamp),
            validUntil: order.validUntil,
            faceFen: order.faceFen,
            redeemedFen: 0,
            writtenOffFen: 0
        });
        ++_ledger.balances[holder.number];
        emit VoucherIssued(
            id, programmeId, order.entity, order.tier, order.period, order.faceFen, order.validUntil, order.documents
        );
        emit Transfer(address(0), holder.account, id);
        emit Locked(id);
    }

    /// @inheritdoc IVoucherLedger
    function issueMany(IssueOrder[] calldata orders) external {
        for (uint256 i = 0; i < orders.length; ++i) {
            (bool done, bytes memory reason) = _callSelf(abi.encodeCall(this.issue, (orders[i])));
            if (!done) emit IssueRefused(orders[i].voucherId, reason);
        }
    }

    /// @inheritdoc IVoucherLedger
    function freeze(uint256 voucherId, bytes32 reason) external onlyRole(Roles.REGULATOR) {
        _ledger.freeze(voucherId, reason);
    }

    /// @inheritdoc IVoucherLedger
    function unfreeze(uint256 voucherId) external onlyRole(Roles.REGULATOR) {
        _ledger.unfreeze(voucherId);
    }

    /// @inheritdoc IVoucherLedger
    function cancel(uint256 voucherId, bytes32 reason) external onlyRole(Roles.OPERATOR) {
        _ledger.cancel(_book, voucherId, reason);
    }

    /// @inheritdoc IVoucherLedger
    function expire(uint256 voucherId) external {
        _ledger.expire(_book, voucherId);
    }

    /* REDEMPTIONS */

    /// @inheritdoc IVoucherLedger
    function redeem(Claim calldata claim) external onlyRole(Roles.RELAYER) returns (uint256 redemptionId) {
        Trade calldata trade = claim.trade;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(trade))));

        // Check: everything but the evidence, then the evidence, which costs most.
        Voucher memory v = _existing(claim.voucherId);
        Programme storage p = _book.programmes[v.programmeId];
        Quote memory q = _quote(claim.voucherId, v, p, trade);
        EVIDENCE.verify(trade.platform, leaf, claim.proof);

        // Effect: the redemption, and the trade used up.
        redemptionId = (uint256(v.programmeId) << 32) | ++p.redemptions;
        _ledger.redemptions[redemptionId] = Redemption({
            voucherId: claim.voucherId,
            period: q.period,
            state: RedemptionState.Provisional,
            redeemedAt: uint32(block.timestamp),
            writtenOffAt: 0,
            amountFen: q.amountFen,
            recoveredFen: 0
        });
        _ledger.settlements[p.group][trade.settlementKey] = uint64(redemptionId);
        if (p.oneClaimPerContract) _ledger.contracts[p.group][trade.contractKey] = uint64(redemptionId);
        if (p.inTradeOrder) p.lastTradedAt = trade.tradedAt;

        // Effect: voucher, caps and budget.
        _ledger.vouchers[claim.voucherId].redeemedFen += q.amountFen;
        uint48[25] storage use = _ledger.used[v.programmeId][v.entity];
        use[0] += q.amountFen;
        use[q.period + 1] += q.amountFen;
        Budget storage b = _book.budgets[v.programmeId][_book.periods[v.programmeId][q.period].budget];
        if (p.funding == Funding.ReservedAtIssue) b.reservedFen -= q.amountFen;
        b.redeemedFen += q.amountFen;

        emit Redeemed(redemptionId, claim.voucherId, trade.settlementKey, leaf, q, trade);
    }

    /// @inheritdoc IVoucherLedger
    function redeemMany(Claim[] calldata claims) external onlyRole(Roles.RELAYER) {
        for (uint256 i = 0; i < claims.length; ++i) {
            (bool done, bytes memory reason) = _callSelf(abi.encodeCall(this.redeem, (claims[i])));
            if (!done) {
                Trade calldata trade = claims[i].trade;
                emit RedemptionRefused(claims[i].voucherId, trade.settlementKey, trade.tradeId, reason);
            }
        }
    }

    /// @inheritdoc IVoucherLedger
    function writeOff(uint256[] calldata redemptionIds, bytes32 paymentRef) external onlyRole(Roles.FINANCE) {
        _ledger.writeOff(_book, REGISTRY, redemptionIds, paymentRef);
    }

    /// @inheritdoc IVoucherLedger
    function reject(uint256 redemptionId, bytes32 settlementKey, bytes32 contractKey, bytes32 reason, bool barTrade)
        external
        onlyRole(Roles.FINANCE)
    {
        _ledger.reject(_book, redemptionId, settlementKey, contractKey, reason, barTrade);
    }

    /// @inheritdoc IVoucherLedger
    function recover(uint256 redemptionId, uint40 amountFen, bytes32 recoveryRef) external onlyRole(Roles.FINANCE) {
        _ledger.recover(_book, redemptionId, amountFen, recoveryRef);
    }

    /* VIEWS */

    /// @inheritdoc IVoucherLedger
    function quote(uint256 voucherId, Trade calldata trade) external view returns (Quote memory) {
        Voucher memory v = _existing(voucherId);
        return _quote(voucherId, v, _book.programmes[v.programmeId], trade);
    }

    /// @inheritdoc IVoucherLedger
    function status(uint256 voucherId) external view returns (VoucherStatus) {
        return Rules.status(_existing(voucherId), block.timestamp);
    }

    /// @inheritdoc IVoucherLedger
    function voucher(uint256 voucherId) external view returns (Voucher memory) {
        return _existing(voucherId);
    }

    /// @inheritdoc IVoucherLedger
    function redemption(uint256 redemptionId) external view returns (Redemption memory r) {
        r = _ledger.redemptions[redemptionId];
        if (r.state == RedemptionState.None) revert Errors.VoucherLedger_UnknownRedemption(redemptionId);
    }

    /// @inheritdoc IVoucherLedger
    function programme(uint16 programmeId) external view returns (Programme memory) {
        return _book.programmes[programmeId];
    }

    /// @inheritdoc IVoucherLedger
    function period(uint16 programmeId, uint8 index) external view returns (Period memory) {
        return _book.periods[programmeId][index];
    }

    /// @inheritdoc IVoucherLedger
    function budget(uint16 programmeId, uint8 index) external view returns (Budget memory b, uint256 availableFen) {
        b = _book.budgets[programmeId][index];
        availableFen = Rules.available(b);
    }

    /// @inheritdoc IVoucherLedger
    function tier(uint16 programmeId, uint16 index) external view returns (Tier memory) {
        return _book.tiers[programmeId][index];
    }

    /// @inheritdoc IVoucherLedger
    function used(uint16 programmeId, bytes32 entity, uint8 periodIndex)
        external
        view
        returns (uint48 periodFen, uint48 totalFen)
    {
        uint48[25] storage use = _ledger.used[programmeId][REGISTRY.numberOf(entity)];
        return (use[periodIndex + 1], use[0]);
    }

    /// @inheritdoc IVoucherLedger
    function settlement(uint32 group, bytes32 settlementKey) external view returns (uint256 redemptionId) {
        return _ledger.settlements[group][settlementKey];
    }

    /// @inheritdoc IVoucherLedger
    function issueDigest(IssueOrder calldata order, uint8 stage, uint40 deadline) external view returns (bytes32) {
        return Approvals.digest(_domainSeparatorV4(), Approvals.issueSubject(order), stage, deadline);
    }

    /* ERC-721 READ SIDE, ERC-5192, ERC-6454, ERC-165 */

    /// @notice ERC-721 name.
    function name() external pure returns (string memory) {
        return "Suanquan Compute Voucher";
    }

    /// @notice ERC-721 symbol.
    function symbol() external pure returns (string memory) {
        return "SUANQUAN";
    }

    /// @notice Where the policy of the voucher's programme is published.
    function tokenURI(uint256 voucherId) external view returns (string memory) {
        return _book.policyURIs[_existing(voucherId).programmeId];
    }

    /// @notice The present account of the organisation that holds the voucher.
    function ownerOf(uint256 voucherId) public view returns (address) {
        Voucher storage v = _ledger.vouchers[voucherId];
        if (v.state == VoucherState.None) revert ERC721NonexistentToken(voucherId);
        return REGISTRY.accountOf(v.entity);
    }

    /// @notice Vouchers ever issued to the organisation behind an account; those that ended stay visible.
    function balanceOf(address owner) external view returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _ledger.balances[REGISTRY.numberOf(REGISTRY.entityOf(owner))];
    }

    /// @notice Nobody is ever approved.
    function getApproved(uint256 voucherId) external view returns (address) {
        _existing(voucherId);
        return address(0);
    }

    /// @notice Nobody is ever approved.
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC5192
    function locked(uint256 voucherId) external view returns (bool) {
        _existing(voucherId);
        return true;
    }

    /// @inheritdoc IERC6454
    function isTransferable(uint256, address, address) external pure returns (bool) {
        return false;
    }

    /// @notice Always reverts.
    function transferFrom(address, address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function safeTransferFrom(address, address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function safeTransferFrom(address, address, uint256, bytes calldata) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function approve(address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function setApprovalForAll(address, bool) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC721).interfaceId
            || interfaceId == type(IERC721Metadata).interfaceId || interfaceId == type(IERC5192).interfaceId
            || interfaceId == type(IERC6454).interfaceId || interfaceId == type(IVoucherLedger).interfaceId;
    }

    /* INTERNAL: REDEMPTION */

    function _quote(uint256 voucherId, Voucher memory v, Programme storage p, Trade calldata trade)
        private
        view
        returns (Quote memory q)
    {
        // Check: the voucher is usable.
        if (!Rules.open(p, block.timestamp)) _revertClosed(v.programmeId, p);
        if (v.state != VoucherState.Live) revert Errors.VoucherLedger_VoucherState(voucherId, v.state);
        if (block.timestamp > v.validUntil) {
            revert Errors.VoucherLedger_ValidityOver(voucherId, v.validUntil, block.timestamp);
        }

        _requireParties(voucherId, v, p, trade);
        q.rateBps = _requireScope(v, p, trade);
        q.period = _requireTime(voucherId, v, p, trade);
        _requireUnused(v, p, trade);
        _limit(voucherId, v, p, trade, q);
    }

    /// @dev Check: buyer, supplier and platform are active, buyer is the holder, and the parties are unrelated; nor may a
    /// buyer attest its own purchase.
    function _requireParties(uint256 voucherId, Voucher memory v, Programme storage p, Trade calldata trade)
        private
        view
    {
        Party memory buyer = REGISTRY.requireActive(trade.buyer, EntityRoles.BUYER);
        if (buyer.number != v.entity) {
            revert Errors.VoucherLedger_NotHolder(voucherId, REGISTRY.idOf(v.entity), trade.buyer);
        }
        Party memory supplier = REGISTRY.requireActive(trade.supplier, EntityRoles.SUPPLIER);
        REGISTRY.requireActive(trade.platform, EntityRoles.PLATFORM);
        if (
            trade.buyer == trade.platform || buyer.number == supplier.number
                || (buyer.controller != 0 && buyer.controller == supplier.controller)
                || (p.suppliersListed && _book.suppliers[v.programmeId][trade.buyer])
        ) {
            revert Errors.VoucherLedger_RelatedParties(trade.buyer, trade.supplier, buyer.controller);
        }
    }

    /// @dev Check: supplier, platform, kind, attributes, region and size are within the programme's scope.
    function _requireScope(Voucher memory v, Programme storage p, Trade calldata trade)
        private
        view
        returns (uint16 rateBps)
    {
        uint16 id = v.programmeId;
        if (p.suppliersListed && !_book.suppliers[id][trade.supplier]) {
            revert Errors.VoucherLedger_SupplierNotListed(id, trade.supplier);
        }
        if (p.platformsListed && !_book.platforms[id][trade.platform]) {
            revert Errors.VoucherLedger_PlatformNotListed(id, trade.platform);
        }
        rateBps = _book.tiers[id][v.tier].rateBps[Rules.rateIndex(trade.kind, trade.computeType, trade.attributes)];
        if (rateBps == 0) revert Errors.VoucherLedger_OutOfScope(id, v.tier, trade.kind, trade.computeType);
        if (trade.attributes & p.requiredAttributes != p.requiredAttributes) {
            revert Errors.VoucherLedger_AttributeMissing(trade.attributes, p.requiredAttributes);
        }
        if (p.regionsListed) {
            mapping(uint32 => bool) storage regions = _book.regions[id];
            uint32 r = trade.region;
            if (!regions[r] && !regions[r / 100 * 100] && !regions[r / 10_000 * 10_000]) {
                revert Errors.VoucherLedger_RegionOutOfScope(id, r);
            }
        }
        if (trade.settledFen < p.minTradeFen) {
            revert Errors.VoucherLedger_BelowMinimum(trade.settledFen, p.minTradeFen);
        }
    }

    /// @dev Check: the trade lies in the voucher's time and in a period, its agreement within the programme's dates.
    function _requireTime(uint256 voucherId, Voucher memory v, Programme storage p, Trade calldata trade)
        private
        view
        returns (uint8)
    {
        uint256 earliest = p.tradeBeforeIssue ? 0 : v.issuedAt;
        if (trade.tradedAt < earliest || trade.tradedAt > block.timestamp) {
            revert Errors.VoucherLedger_TradeTime(voucherId, trade.tradedAt, earliest, block.timestamp);
        }
        if (trade.contractSignedAt < p.contractsFrom || trade.contractSignedAt > p.contractsTo) {
            revert Errors.VoucherLedger_ContractDate(trade.contractSignedAt, p.contractsFrom, p.contractsTo);
        }
        for (uint8 i = 0; i < p.periods; ++i) {
            Period memory q = _book.periods[v.programmeId][i];
            if (trade.tradedAt >= q.startsAt && trade.tradedAt < q.endsAt) {
                // A reserved voucher counts where its face is held, also when it is used in a later period.
                return v.period == Rules.NO_PERIOD ? i : v.period;
            }
        }
        revert Errors.VoucherLedger_OutsidePeriods(v.programmeId, trade.tradedAt);
    }

    /// @dev Check: the trade is unused in the group, and no later trade was paid before it.
    function _requireUnused(Voucher memory v, Programme storage p, Trade calldata trade) private view {
        uint256 usedBy = _ledger.settlements[p.group][trade.settlementKey];
        if (usedBy != 0) revert Errors.VoucherLedger_SettlementUsed(p.group, trade.settlementKey, usedBy);
        if (p.oneClaimPerContract) {
            usedBy = _ledger.contracts[p.group][trade.contractKey];
            if (usedBy != 0) revert Errors.VoucherLedger_ContractUsed(p.group, trade.contractKey, usedBy);
        }
        if (p.inTradeOrder && trade.tradedAt < p.lastTradedAt) {
            revert Errors.VoucherLedger_OutOfOrder(v.programmeId, trade.tradedAt, p.lastTradedAt);
        }
    }

    /// @dev Sets amount and limit: ⌊basis × rate⌋, cut by support ceiling, voucher, period cap, total cap and budget.
    function _limit(uint256 voucherId, Voucher memory v, Programme storage p, Trade calldata trade, Quote memory q)
        private
        view
    {
        uint64 basisFen = p.basis == Basis.Settled ? trade.settledFen : trade.contractFen;
        uint256 amount = Rules.share(basisFen, q.rateBps);
        Limit limit = Limit.None;
        uint256 ceiling = Rules.share(basisFen, p.supportCeilingBps);
        (amount, limit) = Rules.tighten(amount, limit, Rules.left(ceiling, trade.otherSupportFen), Limit.SupportCeiling);
        (amount, limit) = Rules.tighten(amount, limit, v.faceFen - v.redeemedFen, Limit.VoucherFace);

        Tier storage t = _book.tiers[v.programmeId][v.tier];
        uint48[25] storage use = _ledger.used[v.programmeId][v.entity];
        (uint48 periodCap, uint48 totalCap) = (t.periodCapFen, t.totalCapFen);
        if (periodCap != Rules.NO_CAP) {
            (amount, limit) = Rules.tighten(amount, limit, Rules.left(periodCap, use[q.period + 1]), Limit.PeriodCap);
        }
        if (totalCap != Rules.NO_CAP) {
            (amount, limit) = Rules.tighten(amount, limit, Rules.left(totalCap, use[0]), Limit.TotalCap);
        }
        // A reserved voucher's value is already held in the budget.
        if (p.funding == Funding.FirstCome) {
            Budget memory b = _book.budgets[v.programmeId][_book.periods[v.programmeId][q.period].budget];
            (amount, limit) = Rules.tighten(amount, limit, Rules.available(b), Limit.Budget);
        }
        if (amount == 0) revert Errors.VoucherLedger_NothingToPay(voucherId, limit, basisFen, q.rateBps);
        // Safe: no more than the voucher's face, which is a uint40.
        q.amountFen = uint40(amount);
        q.limit = limit;
    }

    /* INTERNAL: STATE */

    function _requireRole(bytes32 role) private view {
        REGISTRY.requireRole(role, msg.sender);
    }

    /// @dev A programme that takes issues and claims now.
    function _open(uint16 programmeId) private view returns (Programme storage p) {
        p = _book.programmes[programmeId];
        if (!Rules.open(p, block.timestamp)) _revertClosed(programmeId, p);
    }

    function _revertClosed(uint16 programmeId, Programme storage p) private view {
        if (p.status != ProgrammeStatus.Published) revert Errors.VoucherLedger_ProgrammeStatus(programmeId, p.status);
        revert Errors.VoucherLedger_ClaimsClosed(programmeId, p.claimsUntil, block.timestamp);
    }

    function _existing(uint256 voucherId) private view returns (Voucher storage v) {
        v = _ledger.vouchers[voucherId];
        if (v.state == VoucherState.None) revert Errors.VoucherLedger_UnknownVoucher(voucherId);
    }

    /// @dev Runs one item of a batch so that its failure undoes only itself; the caller's roles stay the same.
    function _callSelf(bytes memory call) private returns (bool done, bytes memory reason) {
        // solhint-disable-next-line avoid-low-level-calls
        return address(this).delegatecall(call);
    }
}
