// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What was bought. The order is part of the wire format: evidence records state it as a number.
enum TradeKind {
    Compute,
    Data,
    Deployment,
    Investment,
    ProjectCost
}

/// @notice 通算 general, 智算 intelligent, 超算 super; None where the trade is not one of compute.
enum ComputeType {
    None,
    General,
    Intelligent,
    Super
}

/// @notice One settled trade as a platform states it; its standard Merkle leaf is
/// keccak256(bytes.concat(keccak256(abi.encode(trade)))).
/// @dev All members are static, so `abi.encode(trade)` is the 16 words in this order. Personal and commercial data stay
/// off chain: parties are registry ids, the keys and `details` are keyed or salted digests.
/// @param platform Registry id of the compute platform that settled the trade.
/// @param tradeId Keyed digest of the platform's own trade number.
/// @param buyer Registry id of the organisation that bought.
/// @param supplier Registry id of the organisation that delivered.
/// @param kind What was bought.
/// @param computeType Which kind of compute; None for trades of other kinds.
/// @param attributes Bit flags, see {TradeAttributes}.
/// @param region Six-digit GB/T 2260 code of the place of delivery, for example 410100.
/// @param tradedAt Unix seconds at which the settlement was concluded on the platform; the ordering key.
/// @param contractSignedAt Unix seconds at which the agreement was signed.
/// @param settledFen Amount settled, in fen.
/// @param contractFen Value of the agreement, in fen.
/// @param otherSupportFen Public support from elsewhere for the same trade, in fen.
/// @param settlementKey Keyed digest of the invoice: the same trade has the same key on every platform.
/// @param contractKey Keyed digest of the agreement.
/// @param details Root over the salted digests of all other fields, for selective disclosure.
struct Trade {
    bytes32 platform;
    bytes32 tradeId;
    bytes32 buyer;
    bytes32 supplier;
    TradeKind kind;
    ComputeType computeType;
    uint32 attributes;
    uint32 region;
    uint40 tradedAt;
    uint40 contractSignedAt;
    uint64 settledFen;
    uint64 contractFen;
    uint64 otherSupportFen;
    bytes32 settlementKey;
    bytes32 contractKey;
    bytes32 details;
}

/// @notice What {IVoucherLedger-Redeemed} says of the trade: all that the rules look at. The buyer is the voucher's holder,
/// the settlement key a topic; trade id and details are in the leaf only. Small members share words, as each word of a log
/// costs 256 gas.
/// @param terms From the lowest bit: contractSignedAt (40) · tradedAt (40) · region (32) · attributes (32) ·
/// computeType (8) · kind (8).
/// @param amounts From the lowest bit: otherSupportFen (64) · contractFen (64) · settledFen (64).
struct TradeFacts {
    bytes32 platform;
    bytes32 supplier;
    bytes32 contractKey;
    uint256 terms;
    uint256 amounts;
}

/// @notice The flags that a trade may carry in `attributes`.
library TradeAttributes {
    /// @notice The chip is a domestic one (国产人工智能算力).
    uint32 internal constant DOMESTIC_CHIP = 1 << 0;
    /// @notice The buyer has paid its own share.
    uint32 internal constant BUYER_PAID = 1 << 1;
    /// @notice The compute is under the city's unified dispatch (纳入本市统筹调度的算力).
    uint32 internal constant UNIFIED_DISPATCH = 1 << 2;
    /// @notice The gateway digested and signed the record with a key that it keeps for the platform.
    uint32 internal constant CUSTODY_SIGNED = 1 << 3;
}
