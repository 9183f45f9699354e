// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

enum ProgrammeStatus {
    None,
    Draft,
    Published,
    Terminated
}

/// @notice When a voucher takes hold of budget: all of its face when it is issued, or each redemption as it comes.
enum Funding {
    ReservedAtIssue,
    FirstCome
}

/// @notice What the rate applies to: the amount settled or the value of the agreement.
enum Basis {
    Settled,
    Contract
}

/// @notice Which limit cut a subsidy below ⌊basis × rate⌋.
enum Limit {
    None,
    SupportCeiling,
    VoucherFace,
    PeriodCap,
    TotalCap,
    Budget
}

/// @notice A stretch of time with caps of its own (资金周期) that draws on one budget. Several periods may share a
/// budget: Zhengzhou has yearly caps and one budget for three years.
/// @param startsAt First Unix second of the period.
/// @param endsAt First Unix second after it.
/// @param budget Index of the budget that it draws on.
struct Period {
    uint40 startsAt;
    uint40 endsAt;
    uint8 budget;
}

/// @notice Where the money of one budget stands, in fen. One slot.
/// available = amount − reserved − redeemed − writtenOff + recovered.
/// @param amountFen The budget as published.
/// @param reservedFen Held by vouchers that can still be used.
/// @param redeemedFen Redeemed and not yet written off or rejected.
/// @param writtenOffFen Written off, recoveries not deducted.
/// @param recoveredFen Claimed back after payment.
struct Budget {
    uint48 amountFen; //      48
    uint48 reservedFen; //    96
    uint48 redeemedFen; //   144
    uint48 writtenOffFen; // 192
    uint48 recoveredFen; //  240
}

/// @notice A class of claimant (档次).
/// @param name Short name in ASCII, for example "enterprise_in_zone".
/// @param entity Zero, or the one entity that may hold it: a separate agreement overriding the tiers.
/// @param periodCapFen Most that one entity may be paid in one period, NO_CAP for none.
/// @param totalCapFen Most that one entity may be paid over the programme, NO_CAP for none.
/// @param rateBps Rate in basis points by {Rules.rateIndex} of kind, compute type and domestic chip; zero: out of scope.
struct Tier {
    bytes32 name;
    bytes32 entity;
    uint48 periodCapFen;
    uint48 totalCapFen;
    uint16[40] rateBps;
}

/// @notice A {Tier} as it is stored, see {Tiers}. A redemption of compute reads the first slot only.
/// @param computeRates Rates of kind Compute, 16 bits each, the first lowest.
/// @param otherRates Rates of the other kinds.
struct TierRecord {
    uint48 periodCapFen; //  48
    uint48 totalCapFen; //   96
    uint128 computeRates; // 224
    uint16[32] otherRates;
    bytes32 entity;
    bytes32 name;
}

/// @notice One stage of review (审核) whose approvals an issue must carry.
/// @param name Short name in ASCII, for example "first_review".
/// @param required Approvals that the stage needs, from distinct approvers.
/// @param approvers Who may approve; each must also hold REVIEWER_ROLE when the voucher is issued.
struct Stage {
    bytes32 name;
    uint8 required;
    address[] approvers;
}

/// @notice The published rules of a programme, as created; immutable from then on, agreements and lists aside.
/// @param policyHash keccak256 of the policy file.
/// @param policyURI Where the policy file is published.
/// @param group Programmes of one group pay a settlementKey once among them (就高不重复).
/// @param funding When a voucher takes hold of budget.
/// @param inTradeOrder Whether redemptions must come in order of trade time.
/// @param tradeBeforeIssue Whether trades concluded before the voucher was issued count (先交易后申领).
/// @param oneClaimPerContract Whether a contractKey pays once in the group.
/// @param suppliersListed Whether only listed suppliers count.
/// @param platformsListed Whether only listed platforms count.
/// @param basis What the rate applies to; Contract demands `oneClaimPerContract`.
/// @param supportCeilingBps Most that all public support may come to, in basis points of the basis; 10,000 if unstated.
/// @param challengeSeconds How long a redemption can be challenged before it may be written off.
/// @param minTradeFen Smallest settled amount that counts, in fen.
/// @param requiredAttributes Mask of {TradeAttributes} that a trade must carry.
/// @param contractsFrom First Unix second at which an agreement may have been signed.
/// @param contractsTo Last Unix second at which an agreement may have been signed.
/// @param claimsUntil Last Unix second at which vouchers are issued and redeemed.
/// @param regions GB/T 2260 codes of the places of delivery in scope, 410100 holding 4101xx; empty: anywhere.
/// @param budgetsFen Budgets, in fen.
/// @param periods Periods in order of time, not overlapping; together they are the window of the programme.
/// @param tiers Tiers.
/// @param stages Stages of review, at least one.
struct ProgrammeTerms {
    bytes32 policyHash;
    string policyURI;
    uint32 group;
    Funding funding;
    bool inTradeOrder;
    bool tradeBeforeIssue;
    bool oneClaimPerContract;
    bool suppliersListed;
    bool platformsListed;
    Basis basis;
    uint16 supportCeilingBps;
    uint32 challengeSeconds;
    uint40 minTradeFen;
    uint32 requiredAttributes;
    uint40 contractsFrom;
    uint40 contractsTo;
    uint40 claimsUntil;
    uint32[] regions;
    uint48[] budgetsFen;
    Period[] periods;
    Tier[] tiers;
    Stage[] stages;
}

/// @notice What a redemption reads of a programme. First slot: settings; second slot: what moves, and date limits.
struct Programme {
    ProgrammeStatus status; //       8
    Funding funding; //             16
    Basis basis; //                 24
    bool inTradeOrder; //           32
    bool tradeBeforeIssue; //       40
    bool oneClaimPerContract; //    48
    bool suppliersListed; //        56
    bool platformsListed; //        64
    uint32 group; //                96
    uint32 challengeSeconds; //    128
    uint16 supportCeilingBps; //   144
    uint40 claimsUntil; //         184
    uint40 minTradeFen; //         224
    uint8 periods; //              232
    uint8 stages; //               240
    bool regionsListed; //         248
    uint40 lastTradedAt; //         40, second slot: trade time of the latest redemption in trade order
    uint32 redemptions; //          72, serial of the latest redemption
    uint32 requiredAttributes; //  104
    uint40 contractsFrom; //       144
    uint40 contractsTo; //         184
    uint16 tiers; //               200
    uint8 budgets; //              208
}

/// @notice Everything that programmes keep in storage.
struct ProgrammeBook {
    uint16 count;
    mapping(uint16 programmeId => Programme) programmes;
    mapping(uint16 programmeId => mapping(uint8 index => Period)) periods;
    mapping(uint16 programmeId => mapping(uint8 index => Budget)) budgets;
    mapping(uint16 programmeId => mapping(uint16 index => TierRecord)) tiers;
    mapping(uint16 programmeId => string) policyURIs;
    mapping(uint16 programmeId => mapping(uint32 region => bool)) regions;
    mapping(uint16 programmeId => mapping(bytes32 supplier => bool)) suppliers;
    mapping(uint16 programmeId => mapping(bytes32 platform => bool)) platforms;
    mapping(uint16 programmeId => mapping(uint8 stage => uint8)) approvalsRequired;
    mapping(uint16 programmeId => mapping(uint8 stage => mapping(address account => bool))) approvers;
}
