// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubmissionProof} from "../types/Evidence.sol";
import {Budget, Period, Programme, ProgrammeTerms, Tier} from "../types/Programme.sol";
import {Trade, TradeFacts} from "../types/Trade.sol";
import {
    BatchClaim,
    Claim,
    IssueOrder,
    Quote,
    Redemption,
    RedemptionRef,
    ReviewApproval,
    Voucher,
    VoucherStatus
} from "../types/Voucher.sol";

/// @title Programmes, vouchers and redemptions
/// @notice The rules of issue, redemption and write-off. Nobody passes a subsidy in: it is computed here from trade
/// evidence and published terms. A voucher is bound to an organisation, not to a key; it is never transferred.
/// Amounts are in fen, rates in basis points, times in Unix seconds. See contracts/SECURITY.md for assumptions.
interface IVoucherLedger {
    event ProgrammeCreated(
        uint16 indexed programmeId, bytes32 indexed policyHash, uint32 indexed group, ProgrammeTerms terms
    );
    event ProgrammePublished(uint16 indexed programmeId);
    event ProgrammeTerminated(uint16 indexed programmeId, bytes32 reason);
    event AgreementAdded(uint16 indexed programmeId, uint16 indexed tierIndex, bytes32 indexed entity, Tier tier);
    event ApproverSet(uint16 indexed programmeId, uint8 indexed stage, address indexed account, bool approver);
    event SupplierListed(uint16 indexed programmeId, bytes32 indexed supplier, bool listed);
    event PlatformListed(uint16 indexed programmeId, bytes32 indexed platform, bool listed);
    event VoucherIssued(
        uint256 indexed voucherId,
        uint16 indexed programmeId,
        bytes32 indexed entity,
        uint16 tier,
        uint8 period,
        uint40 faceFen,
        uint32 validUntil,
        bytes32 documents
    );
    event VoucherFrozen(uint256 indexed voucherId, bytes32 reason);
    event VoucherUnfrozen(uint256 indexed voucherId);
    event VoucherCancelled(uint256 indexed voucherId, uint40 returnedFen, bytes32 reason);
    event VoucherExpired(uint256 indexed voucherId, uint40 returnedFen);
    /// @notice A trade was redeemed; with the published terms and the events before, enough to compute the amount again.
    event Redeemed(
        uint256 indexed redemptionId,
        uint256 indexed voucherId,
        bytes32 indexed settlementKey,
        bytes32 leaf,
        Quote quote,
        TradeFacts trade
    );
    event WrittenOff(uint256 indexed redemptionId, bytes32 indexed paymentRef, uint40 amountFen);
    event RedemptionRejected(
        uint256 indexed redemptionId, uint256 indexed voucherId, uint40 amountFen, bytes32 reason, bool tradeBarred
    );
    event Recovered(
        uint256 indexed redemptionId, uint256 indexed voucherId, bytes32 indexed recoveryRef, uint40 amountFen
    );
    event IssueRefused(uint256 indexed voucherId, bytes reason);
    event RedemptionRefused(
        uint256 indexed voucherId, bytes32 indexed settlementKey, bytes32 indexed tradeId, bytes reason
    );

    /* PROGRAMMES */

    /// @notice Records a programme as a draft. Its terms never change; a mistake is mended by terminating the draft.
    /// @dev Emits {ProgrammeCreated}. Requirements: caller is OPERATOR_ROLE; terms are consistent.
    /// @return programmeId Number of the programme, from 1.
    function createProgramme(ProgrammeTerms calldata terms) external returns (uint16 programmeId);

    /// @notice Opens a draft for issue and redemption.
    /// @dev Emits {ProgrammePublished}. Requirements: caller is OPERATOR_ROLE; draft.
    function publishProgramme(uint16 programmeId) external;

    /// @notice Ends a programme: nothing more is issued or redeemed, existing redemptions still settle.
    /// @dev Emits {ProgrammeTerminated}. Requirements: caller is OPERATOR_ROLE; draft or published.
    function terminateProgramme(uint16 programmeId, bytes32 reason) external;

    /// @notice Adds a tier for one entity, a separate agreement overriding the tiers (另有协议的从其约定).
    /// @dev Emits {AgreementAdded}. Requirements: published; `tierIndex` is the next; `tier.entity` is set;
    /// approvals of all stages over the agreement. Anyone may send it.
    function addAgreement(uint16 programmeId, uint16 tierIndex, Tier calldata tier, ReviewApproval[] calldata approvals)
        external;

    /// @notice Names or removes an approver of a stage.
    /// @dev Emits {ApproverSet}. Requirements: caller is OPERATOR_ROLE; a new approver holds REVIEWER_ROLE, which the
    /// admin grants, so an operator alone cannot make itself an approver; programme not terminated.
    function setApprover(uint16 programmeId, uint8 stage, address account, bool approver) external;

    /// @notice Lists or removes suppliers (入库/备案).
    /// @dev Emits {SupplierListed} each. Requirements: caller is OPERATOR_ROLE; programme not terminated.
    function setSuppliers(uint16 programmeId, bytes32[] calldata suppliers, bool listed) external;

    /// @notice Lists or removes platforms.
    /// @dev Emits {PlatformListed} each. Requirements: caller is OPERATOR_ROLE; programme not terminated.
    function setPlatforms(uint16 programmeId, bytes32[] calldata platforms, bool listed) external;

    /* VOUCHERS */

    /// @notice Issues a voucher that the programme's reviewers approved. Anyone may send it.
    /// @dev Emits {VoucherIssued}, ERC-721 {Transfer} and ERC-5192 {Locked}. Requirements: published and not past
    /// `claimsUntil`; new id of this programme; holder active as a buyer; approvals of all stages; for reserved
    /// programmes the budget holds the face.
    function issue(IssueOrder calldata order) external;

    /// @notice Issues each order it can; one that is refused is reported by {IssueRefused} and does not stop the others,
    /// for orders of different organisations have nothing to do with each other.
    function issueMany(IssueOrder[] calldata orders) external;

    /// @notice Freezes a voucher: it is not redeemed, its redemptions are not written off, it does not expire.
    /// @dev Emits {VoucherFrozen}. Requirements: caller is REGULATOR_ROLE; voucher live.
    function freeze(uint256 voucherId, bytes32 reason) external;

    /// @notice Ends a freeze.
    /// @dev Emits {VoucherUnfrozen}. Requirements: caller is REGULATOR_ROLE; voucher frozen.
    function unfreeze(uint256 voucherId) external;

    /// @notice Withdraws a voucher; unused value returns to the budget, redemptions made still settle.
    /// @dev Emits {VoucherCancelled}. Requirements: caller is OPERATOR_ROLE; live. A frozen voucher is the regulator's to
    /// release first: cancelled, its redemptions could be written off.
    function cancel(uint256 voucherId, bytes32 reason) external;

    /// @notice Returns the unused value of a voucher whose time is over, or whose programme ended. Anyone may send it.
    /// @dev Emits {VoucherExpired}. Requirements: live; past `validUntil` or `claimsUntil`, or programme terminated.
    function expire(uint256 voucherId) external;

    /* REDEMPTIONS */

    /// @notice Uses a voucher against one settled trade. Provisional until written off.
    /// @dev Emits {Redeemed}. Checks in this order, each with its own error: submission · voucher usable · buyer, supplier
    /// and platform active · parties unrelated · scope · time · trade unused · order · amount above zero · trade in submission.
    /// Requirements: caller is RELAYER_ROLE.
    /// @return redemptionId programmeId × 2³² + serial.
    function redeem(Claim calldata claim) external returns (uint48 redemptionId);

    /// @notice Redeems each claim it can; one that is refused is reported by {RedemptionRefused} and does not stop the
    /// others, so that one bad claim cannot hold up the queue behind it. A submission that is not proved refuses the claims
    /// that stand on it, for its reason.
    /// @dev Emits {Redeemed} or {RedemptionRefused} each. Requirements: caller is RELAYER_ROLE; every `submission` of a
    /// claim is an index of `submissions`; gas enough to decide every item.
    /// @param submissions Each submission that holds a trade of the claims, once.
    function redeemMany(SubmissionProof[] calldata submissions, BatchClaim[] calldata claims) external;

    /// @notice One step of {redeemMany}, in a call of its own so that its failure undoes only itself.
    /// @dev Emits {Redeemed}. Requirements: caller is this contract, which has verified that `platform` signed the
    /// submission with this `root`.
    function redeemProven(BatchClaim calldata claim, bytes32 platform, bytes32 root) external;

    /// @notice Settles redemptions against one payment. All or nothing: the payment reference stands for the whole list.
    /// @dev Emits {WrittenOff} each. Requirements: caller is FINANCE_ROLE; each provisional, its challenge window over,
    /// its voucher and holder not frozen.
    function writeOff(RedemptionRef[] calldata redemptions, bytes32 paymentRef) external;

    /// @notice Undoes a provisional redemption: the value returns to voucher, caps and budget.
    /// @dev Emits {RedemptionRejected}. Requirements: caller is FINANCE_ROLE; provisional.
    /// @param contractKey Contract key of the redeemed trade; looked at only in one-claim-per-contract programmes.
    /// @param barTrade True where the trade itself is bad: it stays used. False where it may be claimed again, for
    /// example under a programme of the group that gives more.
    function reject(RedemptionRef calldata ref, bytes32 contractKey, bytes32 reason, bool barTrade) external;

    /// @notice Records money claimed back after payment, whole or in part; it returns to the budget, not to caps.
    /// @dev Emits {Recovered}. Requirements: caller is FINANCE_ROLE; written off; no more than was paid.
    function recover(RedemptionRef calldata ref, uint40 amountFen, bytes32 recoveryRef) external;

    /* VIEWS */

    /// @notice What a trade would be subsidised with now, evidence not looked at. Reverts as {redeem} would.
    function quote(uint256 voucherId, Trade calldata trade) external view returns (Quote memory);

    /// @notice Status of a voucher now.
    function status(uint256 voucherId) external view returns (VoucherStatus);

    /// @notice Record of a voucher. Reverts if there is none.
    function voucher(uint256 voucherId) external view returns (Voucher memory);

    /// @notice Record of a redemption. Reverts if there is none, if the key is another trade's, or if it was rejected and its
    /// trade claimed anew.
    function redemption(uint48 redemptionId, bytes32 settlementKey) external view returns (Redemption memory);

    /// @notice Record of a programme; status None if there is none.
    function programme(uint16 programmeId) external view returns (Programme memory);

    /// @notice A period of a programme.
    function period(uint16 programmeId, uint8 index) external view returns (Period memory);

    /// @notice Where a budget stands, and what is available of it in fen.
    function budget(uint16 programmeId, uint8 index) external view returns (Budget memory, uint256 availableFen);

    /// @notice A tier of a programme.
    function tier(uint16 programmeId, uint16 index) external view returns (Tier memory);

    /// @notice Redeemed by an entity under a programme, rejections deducted, in fen.
    function used(uint16 programmeId, bytes32 entity, uint8 periodIndex)
        external
        view
        returns (uint48 periodFen, uint48 totalFen);

    /// @notice The redemption that used a settlement key in a group, or a bar; zero if unused.
    function settlement(uint32 group, bytes32 settlementKey) external view returns (uint256 redemptionId);

    /// @notice EIP-712 digest that an approver signs for an issue.
    function issueDigest(IssueOrder calldata order, uint8 stage, uint40 deadline) external view returns (bytes32);
}
