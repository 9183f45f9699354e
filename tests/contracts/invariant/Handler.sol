// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {Base} from "../support/Base.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {EntityKind, EntityRoles, KeyPurpose} from "suanquan/types/Entity.sol";
import {Funding, Programme, ProgrammeStatus, ProgrammeTerms, Tier} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {
    Claim,
    IssueOrder,
    Redemption,
    RedemptionRef,
    RedemptionState,
    Voucher,
    VoucherState
} from "suanquan/types/Voucher.sol";

/// @notice Every operation with inputs that must succeed, and books of its own about what each did. Where nothing
/// suits an operation, the call is discarded; the campaign's table counts calls, reverts and discards.
contract Handler is Base {
    struct PaidTrade {
        uint256 id;
        uint48 voucherId;
        uint16 programmeId;
        bytes32 entity;
        uint8 period;
        uint40 amountFen;
        uint40 recoveredFen;
        uint40 redeemedAt;
        RedemptionState state;
        bytes32 settlementKey;
        uint256 replacedBy;
    }

    struct Holding {
        uint48 id;
        bytes32 entity;
        uint24 number;
        uint40 faceFen;
        uint8 period;
        VoucherState state;
    }

    /// @dev A programme as the checks need it; reading it anew from the ledger after each call would take most of the time.
    struct Shape {
        uint16 id;
        uint32 group;
        uint8 periods;
        uint8 budgets;
    }

    /// @dev Tiers 0 and 1, of buyers with an even and an odd number: caps per period and in total, budgets, in yuan.
    uint48 public constant PERIOD_CAP_0 = 700_000;
    uint48 public constant PERIOD_CAP_1 = 500_000;
    uint48 public constant TOTAL_CAP_1 = 900_000;
    uint48 public constant BUDGET = 3_000_000;

    uint16 private constant MOST_PROGRAMMES = 8;
    uint256 private constant BUYERS = 4;

    Shape[] internal _programmes;
    Holding[] internal _holdings;
    PaidTrade[] internal _paid;
    mapping(uint256 redemptionId => Trade) private _trades;
    /// @dev Heads as the handler computed them.
    mapping(bytes32 platform => bytes32[]) internal _heads;
    mapping(bytes32 platform => uint64) internal _submissions;

    mapping(uint32 group => mapping(bytes32 key => bool)) private _settlementSpent;
    mapping(uint32 group => mapping(bytes32 key => bool)) private _contractSpent;
    mapping(uint16 programmeId => uint40) private _lastTradedAt;
    mapping(bytes32 entity => bool) private _frozenEntity;
    mapping(uint16 programmeId => uint32) private _serials;
    uint256 private _accounts;

    constructor() {
        setUp();
        for (uint256 i = 0; i < BUYERS; ++i) {
            register(buyer(i), EntityKind.Enterprise, EntityRoles.BUYER);
        }
        for (uint256 i = 0; i < 4; ++i) {
            open(i);
        }
    }

    /* PROGRAMMES */

    function openProgramme(uint256 kind) external {
        vm.assume(_programmes.length < MOST_PROGRAMMES);
        open(kind % 4);
    }

    function terminateProgramme(uint256 seed) external {
        // Half of them stay open.
        vm.assume(seed % 4 == 0 && _programmes.length > 4);
        uint16 id = _programmes[seed % _programmes.length].id;
        vm.assume(ledger.programme(id).status == ProgrammeStatus.Published);
        terminate(id);
    }

    /// @dev Ordered or not × reserved or first come; two groups; budgets small enough to run out.
    function open(uint256 kind) private {
        ProgrammeTerms memory t = kind % 2 == 0 ? makeZhengzhou() : makeEtown();
        t.inTradeOrder = kind < 2;
        t.tradeBeforeIssue = kind % 3 != 1;
        t.oneClaimPerContract = kind == 3;
        t.group = uint32(1 + kind / 2);
        t.tiers = new Tier[](2);
        t.tiers[0] = makeTier("yearly cap", 3333, yuan(PERIOD_CAP_0), Rules.NO_CAP);
        t.tiers[1] = makeTier("total cap", 1234, yuan(PERIOD_CAP_1), yuan(TOTAL_CAP_1));
        for (uint256 i = 0; i < t.budgetsFen.length; ++i) {
            t.budgetsFen[i] = yuan(BUDGET);
        }
        _programmes.push(Shape(publish(t), t.group, uint8(t.periods.length), uint8(t.budgetsFen.length)));
    }

    /* VOUCHERS */

    function issue(uint256 seed, uint40 faceFen, uint32 days_) external {
        uint16 programmeId = _programmes[seed % _programmes.length].id;
        Programme memory p = ledger.programme(programmeId);
        uint256 who = (seed >> 16) % BUYERS;
        vm.assume(isOpen(p) && !_frozenEntity[buyer(who)]);

        IssueOrder memory o = makeOrder(programmeId, ++_serials[programmeId], buyer(who));
        o.tier = uint16(who % 2);
        o.validUntil = uint32(block.timestamp + bound(days_, 0, 500) * 1 days);
        uint256 mostFen = yuan(1_000_000);
        if (p.funding == Funding.ReservedAtIssue) {
            o.period = uint8((seed >> 32) % p.periods);
            (, uint256 availableFen) = ledger.budget(programmeId, ledger.period(programmeId, o.period).budget);
            if (availableFen < mostFen) mostFen = availableFen;
        }
        vm.assume(mostFen != 0);
        o.faceFen = uint40(bound(faceFen, 1, mostFen));
        issue(o);
        _holdings.push(
            Holding(o.voucherId, o.entity, registry.numberOf(o.entity), o.faceFen, o.period, VoucherState.Live)
        );
    }

    function freezeVoucher(uint256 seed) external {
        Holding storage h = pick(seed, VoucherState.Live);
        freeze(h.id);
        h.state = VoucherState.Frozen;
    }

    function unfreezeVoucher(uint256 seed) external {
        Holding storage h = pick(seed, VoucherState.Frozen);
        vm.prank(regulator);
        ledger.unfreeze(h.id);
        h.state = VoucherState.Live;
    }

    function cancelVoucher(uint256 seed) external {
        vm.assume(seed % 3 == 0);
        Holding storage h = pick(seed / 3, VoucherState.Live);
        cancel(h.id);
        h.state = VoucherState.Cancelled;
    }

    function expireVoucher(uint256 seed) external {
        for (uint256 i = 0; i < _holdings.length; ++i) {
            Holding storage h = _holdings[(seed % _holdings.length + i) % _holdings.length];
            Programme memory p = ledger.programme(uint16(h.id >> 32));
            bool over = block.timestamp > ledger.voucher(h.id).validUntil || block.timestamp > p.claimsUntil
                || p.status == ProgrammeStatus.Terminated;
            if (h.state != VoucherState.Live || !over) continue;
            ledger.expire(h.id);
            h.state = VoucherState.Expired;
            return;
        }
        vm.assume(false);
    }

    /* REDEMPTIONS */

    function redeemOne(uint256 seed, uint64 settledFen, uint40 tradedAt) external {
        (uint48 id, Trade memory t) = makeUsableTrade(seed, settledFen, tradedAt);
        vm.assume(pays(id, t));
        uint256 redemptionId = redeem(id, t);
        note(PLATFORM);
        record(redemptionId, id, t);
    }

    /// @dev A good claim, the same again, and a later good one for another amount.
    function redeemBatch(uint256 seed, uint64 settledFen, uint40 tradedAt) external {
        (uint48 id, Trade memory t) = makeUsableTrade(seed, settledFen, tradedAt);
        vm.assume(pays(id, t));
        Trade[] memory trades = new Trade[](2);
        (trades[0], trades[1]) = (t, makeTrade(t.buyer));
        trades[1].tradedAt = t.tradedAt;
        trades[1].settledFen = t.settledFen / 2;
        Claim[] memory two = makeClaims(id, trades);
        note(PLATFORM);
        Claim[] memory claims = new Claim[](3);
        (claims[0], claims[1], claims[2]) = (two[0], two[0], two[1]);

        uint16 programmeId = uint16(id >> 32);
        uint32 before = ledger.programme(programmeId).redemptions;
        redeemMany(claims);
        uint32 made = ledger.programme(programmeId).redemptions - before;
        assertTrue(made == 1 || made == 2, "the same claim twice pays once");
        for (uint32 i = 1; i <= made; ++i) {
            record((uint256(programmeId) << 32) | (before + i), id, trades[i - 1]);
        }
    }

    /// @dev A trade that was paid, or is barred, presented anew with any usable voucher of the group's programmes.
    function replay(uint256 seed) external {
        vm.assume(_paid.length != 0);
        PaidTrade storage r = _paid[seed % _paid.length];
        uint32 group = ledger.programme(r.programmeId).group;
        vm.assume(_settlementSpent[group][r.settlementKey]);
        for (uint256 i = 0; i < _holdings.length; ++i) {
            uint48 id = _holdings[i].id;
            if (ledger.programme(uint16(id >> 32)).group != group) continue;
            try ledger.quote(id, _trades[r.id]) {
                assertTrue(false, "a spent settlement key would pay again");
            } catch {}
        }
    }

    function writeOffBatch(uint256 seed, uint256 most) external {
        RedemptionRef[] memory refs = new RedemptionRef[](bound(most, 1, 5));
        uint256 count = 0;
        for (uint256 i = 0; i < _paid.length && count < refs.length; ++i) {
            PaidTrade storage r = _paid[(seed % _paid.length + i) % _paid.length];
            if (r.state != RedemptionState.Provisional || block.timestamp < r.redeemedAt + CHALLENGE) continue;
            if (_frozenEntity[r.entity] || ledger.voucher(r.voucherId).state == VoucherState.Frozen) continue;
            r.state = RedemptionState.WrittenOff;
            refs[count++] = refTo(r.id, r.settlementKey);
        }
        vm.assume(count != 0);
        assembly ("memory-safe") {
            mstore(refs, count)
        }
        vm.prank(finance);
        ledger.writeOff(refs, PAYMENT);
    }

    function rejectOne(uint256 seed, bool bar) external {
        PaidTrade storage r = pick(seed, RedemptionState.Provisional);
        reject(r.id, _trades[r.id], bar);
        r.state = RedemptionState.Rejected;
        if (!bar) {
            Programme memory p = ledger.programme(r.programmeId);
            _settlementSpent[p.group][r.settlementKey] = false;
            if (p.oneClaimPerContract) _contractSpent[p.group][_trades[r.id].contractKey] = false;
        }
    }

    /// @dev A released trade is claimed again.
    function redeemReleased(uint256 seed) external {
        PaidTrade storage r = pick(seed, RedemptionState.Rejected);
        Trade memory t = _trades[r.id];
        uint48 id = r.voucherId;
        Holding storage h = _holdings[holdingOf(id)];
        vm.assume(h.state == VoucherState.Live && !_frozenEntity[h.entity] && pays(id, t));
        uint256 redemptionId = redeem(id, t);
        note(PLATFORM);
        record(redemptionId, id, t);
    }

    function recoverPart(uint256 seed, uint40 amountFen) external {
        PaidTrade storage r = pick(seed, RedemptionState.WrittenOff);
        vm.assume(r.recoveredFen < r.amountFen);
        amountFen = uint40(bound(amountFen, 1, r.amountFen - r.recoveredFen));
        vm.prank(finance);
        ledger.recover(refTo(r.id, r.settlementKey), amountFen, REASON);
        r.recoveredFen += amountFen;
    }

    /* ORGANISATIONS, EVIDENCE, TIME */

    function toggleEntityFreeze(uint256 seed) external {
        bytes32 id = buyer(seed % BUYERS);
        vm.assume(_frozenEntity[id] || seed % 3 == 0);
        vm.prank(regulator);
        if (_frozenEntity[id]) registry.unfreeze(id);
        else registry.freeze(id, REASON);
        _frozenEntity[id] = !_frozenEntity[id];
    }

    function rotateAccount(uint256 seed) external {
        bytes32 id = buyer(seed % BUYERS);
        address account = address(uint160(uint256(keccak256(abi.encode("rotated", ++_accounts)))));
        vm.prank(registrar);
        registry.proposeKey(id, KeyPurpose.Account, account, false);
        vm.prank(regulator);
        registry.confirmKey(id, KeyPurpose.Account, account);
    }

    function appendForeign(uint64 submissions, uint32 more) external {
        submissions = uint64(bound(submissions, 1, 50));
        append(OTHER_PLATFORM, REASON, submissions, uint32(submissions + bound(more, 0, 100)));
        _submissions[OTHER_PLATFORM] += submissions;
        noteHead(OTHER_PLATFORM);
    }

    function transfer(address to, uint256 seed) external {
        vm.assume(_holdings.length != 0);
        Holding storage h = _holdings[seed % _holdings.length];
        IERC721 token = IERC721(address(ledger));
        address owner = token.ownerOf(h.id);
        vm.prank(owner);
        try token.transferFrom(owner, to, h.id) {
            assertTrue(false, "a voucher moved");
        } catch {}
    }

    function pass(uint256 hours_) external {
        vm.warp(block.timestamp + bound(hours_, 1, 24 * 20) * 1 hours);
    }

    /* BOOKS */

    function programmes() external view returns (Shape[] memory) {
        return _programmes;
    }

    function holdings() external view returns (Holding[] memory) {
        return _holdings;
    }

    function paid() external view returns (PaidTrade[] memory) {
        return _paid;
    }

    function books(bytes32 platform) external view returns (uint64 submissions, bytes32[] memory heads) {
        return (_submissions[platform], _heads[platform]);
    }

    function contracts() external view returns (address, address, address) {
        return (address(registry), address(evidence), address(ledger));
    }

    function buyer(uint256 i) public pure returns (bytes32) {
        return keccak256(abi.encode("buyer", i));
    }

    /* INTERNAL */

    function makeUsableTrade(uint256 seed, uint64 settledFen, uint40 tradedAt)
        private
        returns (uint48 id, Trade memory t)
    {
        Holding storage h = pick(seed, VoucherState.Live);
        id = h.id;
        uint16 programmeId = uint16(id >> 32);
        Programme memory p = ledger.programme(programmeId);
        Voucher memory v = ledger.voucher(id);
        vm.assume(isOpen(p) && block.timestamp <= v.validUntil && !_frozenEntity[h.entity]);

        uint256 from = p.tradeBeforeIssue ? START : v.issuedAt;
        if (p.inTradeOrder && _lastTradedAt[programmeId] > from) from = _lastTradedAt[programmeId];
        uint256 to = ledger.period(programmeId, p.periods - 1).endsAt - 1;
        if (block.timestamp < to) to = block.timestamp;
        vm.assume(from <= to);
        t = makeTrade(h.entity);
        t.tradedAt = uint40(bound(tradedAt, from, to));
        t.settledFen = uint64(bound(settledFen, 1, yuan(2_000_000)));
        if (seed % 7 == 0) t.otherSupportFen = t.settledFen / 3 * 2;
        // A further settlement of an agreement that was claimed before.
        if (seed % 3 == 0 && _paid.length != 0) t.contractKey = _trades[_paid[seed % _paid.length].id].contractKey;
    }

    /// @dev Whether anything is left to pay; all else about the claim is good.
    function pays(uint48 id, Trade memory t) private view returns (bool) {
        try ledger.quote(id, t) {
            return true;
        } catch {
            return false;
        }
    }

    function record(uint256 redemptionId, uint48 id, Trade memory t) private {
        Redemption memory r = ledger.redemption(uint48(redemptionId), t.settlementKey);
        uint16 programmeId = uint16(id >> 32);
        Programme memory p = ledger.programme(programmeId);

        assertFalse(_settlementSpent[p.group][t.settlementKey], "a settlement key pays once per group");
        _settlementSpent[p.group][t.settlementKey] = true;
        if (p.oneClaimPerContract) {
            assertFalse(_contractSpent[p.group][t.contractKey], "a contract pays once per group");
            _contractSpent[p.group][t.contractKey] = true;
        }
        if (p.inTradeOrder) {
            assertGe(t.tradedAt, _lastTradedAt[programmeId], "no later trade is paid before an earlier one");
            _lastTradedAt[programmeId] = t.tradedAt;
        }
        assertGt(r.amountFen, 0, "pays something");
        for (uint256 i = 0; i < _paid.length; ++i) {
            PaidTrade storage former = _paid[i];
            bool sameGroup = ledger.programme(former.programmeId).group == p.group;
            if (sameGroup && former.settlementKey == t.settlementKey) former.replacedBy = redemptionId;
        }
        _paid.push(
            PaidTrade({
                id: redemptionId,
                voucherId: id,
                programmeId: programmeId,
                entity: t.buyer,
                period: r.period,
                amountFen: r.amountFen,
                recoveredFen: 0,
                redeemedAt: uint40(block.timestamp),
                state: RedemptionState.Provisional,
                settlementKey: t.settlementKey,
                replacedBy: 0
            })
        );
        _trades[redemptionId] = t;
    }

    /// @dev One submission was anchored.
    function note(bytes32 platform) private {
        ++_submissions[platform];
        noteHead(platform);
    }

    function noteHead(bytes32 platform) private {
        _heads[platform].push(evidence.headAt(platform, uint64(_heads[platform].length)));
    }

    function isOpen(Programme memory p) private view returns (bool) {
        return p.status == ProgrammeStatus.Published && block.timestamp <= p.claimsUntil;
    }

    function holdingOf(uint48 id) private view returns (uint256 i) {
        while (_holdings[i].id != id) ++i;
    }

    function pick(uint256 seed, VoucherState state) private view returns (Holding storage) {
        uint256 count = _holdings.length;
        for (uint256 i = 0; i < count; ++i) {
            Holding storage h = _holdings[(seed % count + i) % count];
            if (h.state == state) return h;
        }
        vm.assume(false);
        return _holdings[0];
    }

    function pick(uint256 seed, RedemptionState state) private view returns (PaidTrade storage) {
        uint256 count = _paid.length;
        for (uint256 i = 0; i < count; ++i) {
            PaidTrade storage r = _paid[(seed % count + i) % count];
            if (r.state == state) return r;
        }
        vm.assume(false);
        return _paid[0];
    }
}
