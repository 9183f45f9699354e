// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What kind of organisation an entity is; Maker (创客) is not a legal person.
enum EntityKind {
    Enterprise,
    ResearchInstitute,
    University,
    Intermediary,
    Maker,
    Platform,
    Supplier
}

/// @notice Whether an organisation may take part (信用状态).
enum Standing {
    Good,
    Dishonest, //      失信被执行人
    TaxBlacklisted //  税收违法黑名单
}

/// @notice What a key of an entity is for.
enum KeyPurpose {
    Account,
    Evidence
}

/// @notice The parts an entity may play; a bit mask.
library EntityRoles {
    uint8 internal constant BUYER = 1 << 0;
    uint8 internal constant SUPPLIER = 1 << 1;
    uint8 internal constant PLATFORM = 1 << 2;
}

/// @notice One organisation as the chain knows it. A redemption reads the first slot only.
/// @param number Short number of the entity, from 1, in order of registration.
/// @param kind Kind of organisation.
/// @param roles Mask of {EntityRoles}.
/// @param region Six-digit GB/T 2260 code of the place of registration.
/// @param standing Last standing that was recorded.
/// @param standingUntil Unix seconds until which the standing holds, inclusive; afterwards it counts as unknown.
/// @param frozen Whether the regulator froze it.
/// @param controller Keyed digest of the controlling group, zero where there is none.
/// @param account Key of the organisation, owner of its vouchers; rotates with two approvals.
struct Entity {
    uint24 number; //         24
    EntityKind kind; //       32
    uint8 roles; //           40
    uint24 region; //         64
    Standing standing; //     72
    uint40 standingUntil; // 112
    bool frozen; //          120
    bytes16 controller; //   248
    address account; //      160, second slot
}

/// @notice What a redemption needs to know of an organisation that takes part in the trade.
struct Party {
    uint24 number;
    bytes16 controller;
}

/// @notice The key with which a platform signs evidence, and the moment from which it holds. One slot.
/// @param since Unix seconds.
struct EvidenceKey {
    address key; //  160
    uint40 since; // 200
}

/// @notice What is needed to register an organisation.
/// @param id Keyed digest of its USCC (or, without one, of its document number).
/// @param evidenceKey Key with which a platform signs evidence; zero for others.
/// @param custodial Whether the gateway keeps that key for the platform.
struct Registration {
    bytes32 id;
    address account;
    EntityKind kind;
    uint8 roles;
    uint24 region;
    Standing standing;
    uint40 standingUntil;
    bytes16 controller;
    address evidenceKey;
    bool custodial;
}
