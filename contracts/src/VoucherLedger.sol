// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IEntityRegistry} from "./interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {IVoucherLedger} from "./interfaces/IVoucherLedger.sol";
import {LedgerState} from "./ledger/LedgerState.sol";
import {LedgerViews} from "./ledger/LedgerViews.sol";
import {RedemptionRules} from "./ledger/RedemptionRules.sol";
import {VoucherToken} from "./ledger/VoucherToken.sol";
import {Approvals} from "./libraries/Approvals.sol";
import {Errors} from "./libraries/Errors.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Issuing} from "./libraries/Issuing.sol";
import {Lifecycle} from "./libraries/Lifecycle.sol";
import {Programmes} from "./libraries/Programmes.sol";
import {Roles} from "./libraries/Roles.sol";
import {Rules} from "./libraries/Rules.sol";
import {EvidenceProof, SubmissionProof} from "./types/Evidence.sol";
import {Budget, Funding, Programme, ProgrammeBook, ProgrammeTerms, Tier} from "./types/Programme.sol";
import {Trade} from "./types/Trade.sol";
import {
    BatchClaim,
    Claim,
    IssueOrder,
    Quote,
    Redemption,
    RedemptionRef,
    RedemptionState,
    ReviewApproval,
    Voucher,
    VoucherBook
} from "./types/Voucher.sol";

/// @title VoucherLedger
/// @notice See {IVoucherLedger}.
contract VoucherLedger is LedgerViews, RedemptionRules, VoucherToken, EIP712 {
    using Issuing for VoucherBook;
    using Lifecycle for VoucherBook;
    using Programmes for ProgrammeBook;

    IEvidenceLog public immutable EVIDENCE;
    /// @notice The deployment that this one follows; zero for the first.
    address public immutable PREDECESSOR;

    constructor(IEntityRegistry registry, IEvidenceLog evidence, address predecessor)
        LedgerState(registry)
        EIP712("Suanquan VoucherLedger", "1")
    {
        EVIDENCE = evidence;
        PREDECESSOR = predecessor;
    }

    modifier onlyRole(bytes32 role) {
        _requireRole(role);
        _;
    }

    /* PROGRAMMES */

    /// @inheritdoc IVoucherLedger
    function createProgramme(ProgrammeTerms calldata) external onlyRole(Roles.OPERATOR) returns (uint16) {
        // As they came: to encode the terms anew would take the ledger over the size limit.
        return _book.create(REGISTRY, msg.data[4:]);
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
        _ledger.issue(_book, REGISTRY, _domainSeparatorV4(), order);
    }

    /// @inheritdoc IVoucherLedger
    function issueMany(IssueOrder[] calldata orders) external {
        for (uint256 i = 0; i < orders.length; ++i) {
            // A call of its own, so that a failure undoes only this item.
            try this.issue(orders[i]) {
                continue;
            } catch (bytes memory reason) {
                emit IssueRefused(orders[i].voucherId, _refusal(i, reason));
            }
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
    function redeem(Claim calldata claim) external onlyRole(Roles.RELAYER) returns (uint48 redemptionId) {
        EvidenceProof calldata proof = claim.proof;
        EVIDENCE.verifySubmission(proof.batch, proof.submission, proof.submissionPath);
        return _redeem(claim.voucherId, claim.trade, proof.tradePath, proof.batch.platform, proof.submission.root);
    }

    /// @inheritdoc IVoucherLedger
    function redeemMany(SubmissionProof[] calldata submissions, BatchClaim[] calldata claims)
        external
        onlyRole(Roles.RELAYER)
    {
        bytes[] memory refusals = new bytes[](submissions.length);
        for (uint256 i = 0; i < submissions.length; ++i) {
            SubmissionProof calldata s = submissions[i];
            try EVIDENCE.verifySubmission(s.batch, s.submission, s.path) {
                continue;
            } catch (bytes memory reason) {
                refusals[i] = _refusal(i, reason);
            }
        }
        for (uint256 i = 0; i < claims.length; ++i) {
            BatchClaim calldata claim = claims[i];
            bytes memory refusal = refusals[claim.submission];
            if (refusal.length == 0) {
                SubmissionProof calldata s = submissions[claim.submission];
                // A call of its own, so that a failure undoes only this item.
                try this.redeemProven(claim, s.batch.platform, s.submission.root) {
                    continue;
                } catch (bytes memory reason) {
                    refusal = _refusal(i, reason);
                }
            }
            emit RedemptionRefused(claim.voucherId, claim.trade.settlementKey, claim.trade.tradeId, refusal);
        }
    }

    /// @inheritdoc IVoucherLedger
    function redeemProven(BatchClaim calldata claim, bytes32 platform, bytes32 root) external {
        if (msg.sender != address(this)) revert Errors.VoucherLedger_OnlySelf(msg.sender);
        _redeem(claim.voucherId, claim.trade, claim.tradePath, platform, root);
    }

    /// @inheritdoc IVoucherLedger
    function writeOff(RedemptionRef[] calldata redemptions, bytes32 paymentRef) external onlyRole(Roles.FINANCE) {
        _ledger.writeOff(_book, REGISTRY, redemptions, paymentRef);
    }

    /// @inheritdoc IVoucherLedger
    function reject(RedemptionRef calldata ref, bytes32 contractKey, bytes32 reason, bool barTrade)
        external
        onlyRole(Roles.FINANCE)
    {
        _ledger.reject(_book, ref, contractKey, reason, barTrade);
    }

    /// @inheritdoc IVoucherLedger
    function recover(RedemptionRef calldata ref, uint40 amountFen, bytes32 recoveryRef)
        external
        onlyRole(Roles.FINANCE)
    {
        _ledger.recover(_book, ref, amountFen, recoveryRef);
    }

    /* VIEWS */

    /// @inheritdoc IVoucherLedger
    function quote(uint256 voucherId, Trade calldata trade) external view returns (Quote memory) {
        Voucher memory v = _existing(voucherId);
        return _quote(voucherId, v, _book.programmes[v.programmeId], trade);
    }

    /// @inheritdoc IVoucherLedger
    function issueDigest(IssueOrder calldata order, uint8 stage, uint40 deadline) external view returns (bytes32) {
        return Approvals.digest(_domainSeparatorV4(), Approvals.issueSubject(order), stage, deadline);
    }

    /* INTERNAL */

    function _requireRole(bytes32 role) private view {
        REGISTRY.checkRole(role, msg.sender);
    }

    /// @dev Why an item of a batch failed. Every refusal has a reason: nothing at all means that the gas ran out.
    function _refusal(uint256 index, bytes memory reason) private pure returns (bytes memory) {
        if (reason.length == 0) revert Errors.VoucherLedger_OutOfGas(index);
        return reason;
    }

    /// @dev The one way in which a trade is paid.
    /// @param platform Platform that signed the submission, proved before.
    /// @param root Root of that submission.
    function _redeem(
        uint256 voucherId,
        Trade calldata trade,
        bytes32[] calldata tradePath,
        bytes32 platform,
        bytes32 root
    ) private returns (uint48 redemptionId) {
        // Check: the rules.
        Voucher memory v = _existing(voucherId);
        uint16 programmeId = v.programmeId;
        Programme memory p = _book.programmes[programmeId];
        Quote memory q = _quote(voucherId, v, p, trade);

        // Check: the platform stated the trade.
        if (trade.platform != platform) revert Errors.EvidenceLog_WrongPlatform(trade.platform, platform);
        bytes32 leaf = Evidence.leafOf(trade);
        Evidence.requireTrade(leaf, tradePath, root);

        // Effect: the programme's count and order.
        uint32 serial = p.redemptions + 1;
        Programme storage stored = _book.programmes[programmeId];
        stored.redemptions = serial;
        stored.lastTradedAt = p.inTradeOrder ? trade.tradedAt : p.lastTradedAt;

        // Effect: the redemption, which also uses up the trade.
        // Safe: the voucher exists, so its id is one that was issued, a uint48.
        redemptionId = Rules.redemptionId(uint48(voucherId), serial);
        _ledger.redemptions[p.group][trade.settlementKey] = Redemption({
            voucherId: uint48(voucherId),
            serial: serial,
            period: q.period,
            state: RedemptionState.Provisional,
            tradeBarred: false,
            redeemedAt: uint32(block.timestamp),
            writtenOffAt: 0,
            amountFen: q.amountFen,
            recoveredFen: 0
        });
        if (p.oneClaimPerContract) _ledger.contracts[p.group][trade.contractKey] = redemptionId;

        // Effect: voucher, caps and budget.
        v.redeemedFen += q.amountFen;
        _ledger.vouchers[voucherId] = v;
        uint48[25] storage use = _ledger.used[programmeId][v.entity];
        use[0] += q.amountFen;
        use[q.period + 1] += q.amountFen;
        Budget storage b = _budget(programmeId, q.period);
        if (p.funding == Funding.ReservedAtIssue) b.reservedFen -= q.amountFen;
        b.redeemedFen += q.amountFen;

        emit Redeemed(redemptionId, voucherId, trade.settlementKey, leaf, q, Evidence.factsOf(trade));
    }
}
