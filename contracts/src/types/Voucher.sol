// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EvidenceProof} from "./Evidence.sol";
import {Limit} from "./Programme.sol";
import {Trade} from "./Trade.sol";

/// @notice What is stored of a voucher's state. Expired and Cancelled are terminal.
enum VoucherState {
    None,
    Live,
    Frozen,
    Expired,
    Cancelled
}

/// @notice What a voucher is at a moment, derived by {Rules.status}; None is only the zero of ABI decoders.
enum VoucherStatus {
    None,
    Issued,
    PartlyRedeemed,
    FullyRedeemed,
    Frozen,
    Expired,
    Cancelled
}

/// @notice An entitlement of one entity. One slot, so that an issue writes one word. A face is below 2⁴⁰ fen
/// (about 110 亿元); larger entitlements are issued as several vouchers.
/// @param programmeId Programme of the voucher.
/// @param entity Registry number of the holder; never changes.
/// @param tier Index of the tier.
/// @param period Period whose budget the face is reserved in; NO_PERIOD for first-come programmes.
/// @param state Stored state.
/// @param issuedAt Unix seconds of issue.
/// @param validUntil Last Unix second at which it can be redeemed.
/// @param faceFen Value at issue, in fen.
/// @param redeemedFen Redeemed, rejections deducted, in fen.
/// @param writtenOffFen Written off, in fen.
struct Voucher {
    uint16 programmeId; //    16
    uint24 entity; //         40
    uint16 tier; //           56
    uint8 period; //          64
    VoucherState state; //    72
    uint32 issuedAt; //      104
    uint32 validUntil; //    136
    uint40 faceFen; //       176
    uint40 redeemedFen; //   216
    uint40 writtenOffFen; // 256
}

enum RedemptionState {
    None,
    Provisional,
    WrittenOff,
    Rejected
}

/// @notice The use of part of a voucher against one trade. One slot, kept under the trade's settlement key, so that the
/// same word says that the trade is used. Its id is programmeId × 2³² + serial, the programme being the voucher's.
/// @param voucherId Voucher that was used.
/// @param serial Counted by the programme from 1, so an id is never given twice.
/// @param period Period in which it counts.
/// @param state Provisional until written off or rejected, both terminal; recoveries follow a write-off.
/// @param tradeBarred Rejected, and the trade may not be claimed again. Otherwise a rejected record gives way to the
/// next claim of its trade; its events remain.
/// @param redeemedAt Unix seconds of redemption.
/// @param writtenOffAt Unix seconds of write-off, zero before.
/// @param amountFen Subsidy, in fen.
/// @param recoveredFen Claimed back after payment, in fen.
struct Redemption {
    uint48 voucherId; //      48
    uint32 serial; //         80
    uint8 period; //          88
    RedemptionState state; // 96
    bool tradeBarred; //     104
    uint32 redeemedAt; //    136
    uint32 writtenOffAt; //  168
    uint40 amountFen; //     208
    uint40 recoveredFen; //  248
}

/// @notice Names a redemption: its id, and the key under which it is kept.
/// @param redemptionId programmeId × 2³² + serial.
/// @param settlementKey Settlement key of its trade, as {IVoucherLedger-Redeemed} told.
struct RedemptionRef {
    uint48 redemptionId;
    bytes32 settlementKey;
}

/// @notice One reviewer's signature in one stage.
/// @param stage Index of the stage.
/// @param deadline Last Unix second at which the approval may be used.
/// @param signer Approver; an account or an ERC-1271 contract. Approvals are listed in ascending order of signer.
/// @param signature EIP-712 signature over IssueApproval or AgreementApproval.
struct ReviewApproval {
    uint8 stage;
    uint40 deadline;
    address signer;
    bytes signature;
}

/// @notice A voucher to issue; all but the approvals is what the reviewers sign.
/// @param voucherId programmeId × 2³² + serial, the serial chosen by the programme owner; unique, so an approval is used once.
/// @param entity Registry id of the holder.
/// @param tier Index of the tier.
/// @param period Period whose budget holds the face, NO_PERIOD for first-come programmes.
/// @param faceFen Value, in fen.
/// @param validUntil Last Unix second at which it can be redeemed.
/// @param documents Digest of the application's documents.
/// @param approvals Signatures of the reviewers.
struct IssueOrder {
    uint48 voucherId;
    bytes32 entity;
    uint16 tier;
    uint8 period;
    uint40 faceFen;
    uint32 validUntil;
    bytes32 documents;
    ReviewApproval[] approvals;
}

/// @notice A claim: a voucher, a trade, and the proof that the platform stated the trade.
struct Claim {
    uint256 voucherId;
    Trade trade;
    EvidenceProof proof;
}

/// @notice A claim in a batch, whose submissions are proved apart.
/// @param voucherId Voucher to use.
/// @param submission Index, in the batch's list, of the submission that holds the trade.
/// @param trade The trade.
/// @param tradePath Merkle path from the trade's leaf to the submission's root.
struct BatchClaim {
    uint256 voucherId;
    uint16 submission;
    Trade trade;
    bytes32[] tradePath;
}

/// @notice What a trade is subsidised with.
/// @param amountFen Subsidy, in fen.
/// @param rateBps Rate that was applied, in basis points.
/// @param period Period in which it counts.
/// @param limit The limit that cut it, if any did.
struct Quote {
    uint40 amountFen;
    uint16 rateBps;
    uint8 period;
    Limit limit;
}

/// @notice Everything that vouchers and redemptions keep in storage.
/// @param used Redeemed by an entity: [0] in total, [1 + period] by period. Five to a word, so yearly programmes write one.
/// @param redemptions By group and settlement key: one trade, one redemption in a group.
/// @param contracts The redemption that used a contract key, in one-claim-per-contract programmes.
struct VoucherBook {
    mapping(uint256 voucherId => Voucher) vouchers;
    mapping(uint24 entity => uint256) balances;
    mapping(uint16 programmeId => mapping(uint24 entity => uint48[25])) used;
    mapping(uint32 group => mapping(bytes32 settlementKey => Redemption)) redemptions;
    mapping(uint32 group => mapping(bytes32 contractKey => uint48 redemptionId)) contracts;
}
