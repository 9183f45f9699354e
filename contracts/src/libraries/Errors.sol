// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {KeyPurpose, Standing} from "../types/Entity.sol";
import {Limit, ProgrammeStatus} from "../types/Programme.sol";
import {ComputeType, TradeKind} from "../types/Trade.sol";
import {RedemptionState, VoucherState} from "../types/Voucher.sol";

/// @notice Every error of the three contracts, each with the numbers that explain it.
library Errors {
    /* ROLES */

    /// @notice The account does not hold the role that the action needs.
    error RoleMissing(bytes32 role, address account);
    /// @notice One key may not both approve and settle.
    error RoleConflict(address account, bytes32 held, bytes32 asked);

    /* ENTITY REGISTRY */

    /// @notice No organisation has this id.
    error EntityRegistry_Unknown(bytes32 id);
    /// @notice The id is taken.
    error EntityRegistry_AlreadyRegistered(bytes32 id);
    /// @notice Id, account or key is zero.
    error EntityRegistry_ZeroValue();
    /// @notice Another organisation has this account.
    error EntityRegistry_AccountTaken(address account, bytes32 id);
    /// @notice A platform needs an evidence key, and only a platform has one.
    error EntityRegistry_EvidenceKeyMismatch(bytes32 id, uint8 roles);
    /// @notice The organisation does not hold the role asked for.
    error EntityRegistry_RoleMissing(bytes32 id, uint8 roles, uint8 asked);
    /// @notice The organisation is frozen by the regulator.
    error EntityRegistry_Frozen(bytes32 id);
    /// @notice The organisation is not frozen.
    error EntityRegistry_NotFrozen(bytes32 id);
    /// @notice The organisation is excluded (失信被执行人, 税收违法黑名单) until the date.
    error EntityRegistry_Excluded(bytes32 id, Standing standing, uint40 until);
    /// @notice The recorded standing ran out and must be checked anew.
    error EntityRegistry_StandingLapsed(bytes32 id, uint40 until);
    /// @notice The key to confirm is not the one that was proposed.
    error EntityRegistry_NotProposed(bytes32 id, KeyPurpose purpose, address key);
    /// @notice The second approval must come from another account than the first.
    error EntityRegistry_SameApprover(address account);

    /* EVIDENCE LOG */

    /// @notice The batch does not begin where the last one ended.
    error EvidenceLog_SequenceGap(bytes32 platform, uint64 expected, uint64 given);
    /// @notice The range is empty or runs backwards, or has fewer trades than submissions.
    error EvidenceLog_EmptyRange(uint64 fromSequence, uint64 toSequence, uint32 count);
    /// @notice Trade times run backwards or lie in the future.
    error EvidenceLog_BadTimes(uint40 firstTradeAt, uint40 lastTradeAt, uint256 nowAt);
    /// @notice The batch header is not the one anchored at its index.
    error EvidenceLog_NotAnchored(bytes32 platform, uint64 index, bytes32 head);
    /// @notice The proof belongs to another platform.
    error EvidenceLog_WrongPlatform(bytes32 platform, bytes32 proofPlatform);
    /// @notice The submission is not in the batch.
    error EvidenceLog_SubmissionNotInBatch(uint64 sequence, bytes32 batchRoot);
    /// @notice The trade is not in the submission.
    error EvidenceLog_TradeNotInSubmission(bytes32 leaf, bytes32 submissionRoot);
    /// @notice The submission is not signed with the platform's key of the time.
    error EvidenceLog_BadSignature(bytes32 platform, uint64 sequence, address key);

    /* PROGRAMMES */

    /// @notice The terms contradict themselves; `rule` is a short ASCII name of the rule that they break.
    error VoucherLedger_BadTerms(bytes32 rule);
    /// @notice The programme is not in the state that the action needs.
    error VoucherLedger_ProgrammeStatus(uint16 programmeId, ProgrammeStatus status);
    /// @notice The programme takes no more issues or claims.
    error VoucherLedger_ClaimsClosed(uint16 programmeId, uint40 claimsUntil, uint256 nowAt);
    /// @notice There is no such stage.
    error VoucherLedger_UnknownStage(uint16 programmeId, uint8 stage);
    /// @notice The tier does not exist, or is not the next one.
    error VoucherLedger_TierIndex(uint16 programmeId, uint16 tier, uint16 tiers);
    /// @notice The tier is an agreement with another entity.
    error VoucherLedger_TierReserved(uint16 programmeId, uint16 tier, bytes32 entity);

    /* APPROVALS */

    /// @notice Approvals must be listed in strictly ascending order of signer, so that nobody counts twice.
    error VoucherLedger_ApprovalOrder(address previous, address signer);
    /// @notice The approval's deadline has passed.
    error VoucherLedger_ApprovalExpired(address signer, uint40 deadline, uint256 nowAt);
    /// @notice The signer is not an approver of the stage.
    error VoucherLedger_NotApprover(uint16 programmeId, uint8 stage, address signer);
    /// @notice The signature is not the signer's over this subject.
    error VoucherLedger_BadApproval(address signer);
    /// @notice A stage has too few approvals.
    error VoucherLedger_ApprovalsMissing(uint16 programmeId, uint8 stage, uint8 required, uint8 given);

    /* VOUCHERS */

    /// @notice There is no such voucher.
    error VoucherLedger_UnknownVoucher(uint256 voucherId);
    /// @notice The voucher id is taken, or is not one of the programme.
    error VoucherLedger_VoucherIdTaken(uint256 voucherId);
    /// @notice The face is zero.
    error VoucherLedger_ZeroFace(uint256 voucherId);
    /// @notice The voucher's validity is over.
    error VoucherLedger_ValidityOver(uint256 voucherId, uint32 validUntil, uint256 nowAt);
    /// @notice The voucher is not in the state that the action needs.
    error VoucherLedger_VoucherState(uint256 voucherId, VoucherState state);
    /// @notice The voucher cannot expire yet.
    error VoucherLedger_NotExpired(uint256 voucherId, uint32 validUntil, uint256 nowAt);
    /// @notice The period does not exist, or does not fit the programme's funding.
    error VoucherLedger_PeriodIndex(uint16 programmeId, uint8 period, uint8 periods);
    /// @notice The budget does not hold the amount.
    error VoucherLedger_BudgetExhausted(uint16 programmeId, uint8 budget, uint256 askedFen, uint256 leftFen);
    /// @notice Vouchers are entitlements of one organisation: no transfer, no approval.
    error VoucherLedger_NonTransferable();

    /* REDEMPTIONS */

    /// @notice The trade's buyer is not the voucher's holder.
    error VoucherLedger_NotHolder(uint256 voucherId, bytes32 holder, bytes32 buyer);
    /// @notice Buyer and supplier are one, share a controller, or the buyer is a listed supplier of the programme or the
    /// very platform that states the trade.
    error VoucherLedger_RelatedParties(bytes32 buyer, bytes32 supplier, bytes16 controller);
    /// @notice The supplier is not listed.
    error VoucherLedger_SupplierNotListed(uint16 programmeId, bytes32 supplier);
    /// @notice The platform is not listed.
    error VoucherLedger_PlatformNotListed(uint16 programmeId, bytes32 platform);
    /// @notice The tier has no rate for what was bought.
    error VoucherLedger_OutOfScope(uint16 programmeId, uint16 tier, TradeKind kind, ComputeType computeType);
    /// @notice The trade lacks an attribute that the programme demands.
    error VoucherLedger_AttributeMissing(uint32 attributes, uint32 required);
    /// @notice The place of delivery is outside the programme's regions.
    error VoucherLedger_RegionOutOfScope(uint16 programmeId, uint32 region);
    /// @notice The settled amount is below the programme's minimum.
    error VoucherLedger_BelowMinimum(uint64 settledFen, uint40 minTradeFen);
    /// @notice The trade lies in no period of the programme.
    error VoucherLedger_OutsidePeriods(uint16 programmeId, uint40 tradedAt);
    /// @notice The trade lies in the future, before the voucher was issued, or after it ended.
    error VoucherLedger_TradeTime(uint256 voucherId, uint40 tradedAt, uint256 earliest, uint256 latest);
    /// @notice The agreement was signed outside the programme's dates.
    error VoucherLedger_ContractDate(uint40 signedAt, uint40 from, uint40 to);
    /// @notice The settlement was redeemed before in this group, or is barred.
    error VoucherLedger_SettlementUsed(uint32 group, bytes32 settlementKey, uint256 redemptionId);
    /// @notice The agreement was redeemed before in this group, or is barred.
    error VoucherLedger_ContractUsed(uint32 group, bytes32 contractKey, uint256 redemptionId);
    /// @notice A later trade was redeemed before; the programme pays in order of trade time.
    error VoucherLedger_OutOfOrder(uint16 programmeId, uint40 tradedAt, uint40 lastTradedAt);
    /// @notice Nothing is left to pay; `limit` names what is used up.
    error VoucherLedger_NothingToPay(uint256 voucherId, Limit limit, uint64 basisFen, uint16 rateBps);
    /// @notice There is no such redemption.
    error VoucherLedger_UnknownRedemption(uint256 redemptionId);
    /// @notice The redemption is not in the state that the action needs.
    error VoucherLedger_RedemptionState(uint256 redemptionId, RedemptionState state);
    /// @notice The redemption can still be challenged.
    error VoucherLedger_ChallengeOpen(uint256 redemptionId, uint256 until, uint256 nowAt);
    /// @notice A payment or recovery needs a reference.
    error VoucherLedger_ReferenceMissing();
    /// @notice Nothing, or more than was paid, is claimed back.
    error VoucherLedger_RecoveryAmount(uint256 redemptionId, uint40 askedFen, uint40 leftFen);
    /// @notice The key is not that of the redemption's trade, or the redemption was rejected and its trade claimed anew.
    /// `keyOf` is the redemption that the key stands for, zero if none.
    error VoucherLedger_KeyMismatch(uint256 redemptionId, bytes32 key, uint256 keyOf);

    /* BATCHES */

    /// @notice The gas left for an item of a batch was too little to decide it, so the batch is undone.
    error VoucherLedger_OutOfGas(uint256 index);
    /// @notice A step of a batch, which only the ledger itself may take.
    error VoucherLedger_OnlySelf(address caller);
}
