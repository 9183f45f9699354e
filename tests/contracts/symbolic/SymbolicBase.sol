// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {EvidenceDouble, RegistryDouble} from "./Doubles.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {RedemptionRef} from "suanquan/types/Voucher.sol";

/// @notice The ledger's own bytecode, optimised as it is deployed, in front of any words whatever in its storage: of a
/// programme, a period, a budget, a tier, a voucher, what its holder used, and a redemption. Each proof says what one call
/// makes of them; what one call keeps true, any sequence of calls keeps true. Ids and keys are fixed, their contents open:
/// a mapping treats all its keys alike. Run by halmos in `./scripts/check --long symbolic`; forge only compiles it.
/// @dev A proof whose call could never succeed fails ("all paths have been reverted"), so none is empty.
/// scripts/_long/symbolic.py links the ledger to the addresses of the libraries.
abstract contract SymbolicBase is Test {
    uint256 internal constant PROGRAMME = 1;
    uint256 internal constant GROUP = 9;
    uint256 internal constant HOLDER = 5;
    uint256 internal constant SERIAL = 3;
    uint48 internal constant VOUCHER = uint48(PROGRAMME << 32 | 7);
    uint48 internal constant REDEMPTION = uint48(PROGRAMME << 32 | SERIAL);
    uint256 internal constant NO_PERIOD = 255;
    bytes32 internal constant KEY = keccak256("settlement key");
    bytes32 internal constant CONTRACT_KEY = keccak256("contract key");

    IVoucherLedger internal ledger;

    /// @dev Words of storage, laid out as the types in suanquan/types say.
    struct World {
        uint256 settings;
        uint256 counts;
        uint256 period;
        uint256 tier;
        uint256 budget;
        uint256 voucher;
        uint256 use;
        uint256 redemption;
        uint256 contractUse;
        uint256 otherBudget;
        uint256 otherVoucher;
        uint256 otherRedemption;
    }

    function setUp() public {
        vm.etch(address(0x15501), deployCode("Issuing.sol:Issuing").code);
        vm.etch(address(0x115ec1c1), deployCode("Lifecycle.sol:Lifecycle").code);
        bytes memory arguments = abi.encode(new RegistryDouble(), new EvidenceDouble(), address(0));
        ledger = IVoucherLedger(deployCode("VoucherLedger.sol:VoucherLedger", arguments));
        vm.warp(1_800_000_000);
    }

    /// @notice Puts the words into storage; those by which they name each other are as they must be.
    /// @param reserved Whether the programme reserves budget at issue; else it pays first come.
    function place(World calldata w, bool reserved) internal {
        vm.assume(isKept(w.budget));
        // One period, no stages, no regions: each of these only refuses.
        uint256 settings = pinned(pinned(w.settings, 8, 8, reserved ? 0 : 1), 64, 32, GROUP);
        settings = pinned(pinned(pinned(settings, 224, 8, 1), 232, 8, 0), 240, 8, 0);
        put(slotOfProgramme(), settings);
        put(bytes32(uint256(slotOfProgramme()) + 1), w.counts);
        put(inner(0, inner(PROGRAMME, 2)), pinned(w.period, 80, 8, 0));
        put(inner(0, inner(PROGRAMME, 4)), w.tier);
        put(slotOfBudget(0), w.budget);
        put(slotOfBudget(1), w.otherBudget);
        put(slotOfVoucher(VOUCHER), voucherOf(w, reserved));
        put(slotOfVoucher(VOUCHER + 1), w.otherVoucher);
        put(inner(HOLDER, inner(PROGRAMME, 13)), w.use);
        put(slotOfRedemption(KEY), redemptionOf(w));
        put(slotOfRedemption(CONTRACT_KEY), w.otherRedemption);
        put(inner(uint256(CONTRACT_KEY), inner(GROUP, 15)), w.contractUse);
    }

    function voucherOf(World calldata w, bool reserved) internal pure returns (uint256) {
        uint256 named = pinned(pinned(w.voucher, 0, 16, PROGRAMME), 16, 24, HOLDER);
        return pinned(pinned(named, 40, 16, 0), 56, 8, reserved ? 0 : NO_PERIOD);
    }

    function redemptionOf(World calldata w) internal pure returns (uint256) {
        return pinned(pinned(pinned(w.redemption, 0, 48, VOUCHER), 48, 32, SERIAL), 80, 8, 0);
    }

    function makeRef() internal pure returns (RedemptionRef memory) {
        return RedemptionRef(REDEMPTION, KEY);
    }

    /* WHAT A CALL MADE OF THEM */

    /// @notice Fails the proof unless the budget is not overrun and exactly so much moved in it; what was taken from a part is
    /// given as its two's complement, see {minus}.
    function requireBudget(World calldata w, uint256 reserved, uint256 redeemed, uint256 writtenOff, uint256 recovered)
        internal
        view
    {
        uint256 amount = part(w.budget, 0, 48);
        unchecked {
            reserved += part(w.budget, 48, 48);
            redeemed += part(w.budget, 96, 48);
            writtenOff += part(w.budget, 144, 48);
            recovered += part(w.budget, 192, 48);
        }
        uint256 rest = w.budget >> 240 << 240;
        uint256 expected = rest | recovered << 192 | writtenOff << 144 | redeemed << 96 | reserved << 48 | amount;
        assert(got(slotOfBudget(0)) == expected);
        assert(reserved + redeemed + writtenOff <= amount + recovered);
    }

    function minus(uint256 fen) internal pure returns (uint256) {
        unchecked {
            return 0 - fen;
        }
    }

    /// @notice Fails the proof unless all that the call has nothing to do with is as it was, and the voucher its holder's.
    function requireElseUntouched(World calldata w) internal view {
        assert(got(slotOfBudget(1)) == w.otherBudget);
        assert(got(slotOfVoucher(VOUCHER + 1)) == w.otherVoucher);
        assert(got(slotOfRedemption(CONTRACT_KEY)) == w.otherRedemption);
        assert(uint40(got(slotOfVoucher(VOUCHER))) == uint40(PROGRAMME | HOLDER << 16));
    }

    /// @dev The trade's redemption is the same one still, and uses the trade up.
    function requireTradeUsed() internal view {
        assert(ledger.settlement(uint32(GROUP), KEY) == REDEMPTION);
    }

    /// @dev reserved + redeemed + written off ≤ amount + recovered.
    function isKept(uint256 b) internal pure returns (bool) {
        return part(b, 48, 48) + part(b, 96, 48) + part(b, 144, 48) <= part(b, 0, 48) + part(b, 192, 48);
    }

    /* WORDS */

    function part(uint256 word, uint256 offset, uint256 bits) internal pure returns (uint256) {
        return (word >> offset) & ((1 << bits) - 1);
    }

    function pinned(uint256 word, uint256 offset, uint256 bits, uint256 value) internal pure returns (uint256) {
        return (word & ~(((1 << bits) - 1) << offset)) | (value << offset);
    }

    function inner(uint256 key, uint256 slot) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(key, slot)));
    }

    function slotOfProgramme() internal pure returns (bytes32) {
        return bytes32(inner(PROGRAMME, 1));
    }

    function slotOfBudget(uint256 index) internal pure returns (bytes32) {
        return bytes32(inner(index, inner(PROGRAMME, 3)));
    }

    function slotOfVoucher(uint256 id) internal pure returns (bytes32) {
        return bytes32(inner(id, 11));
    }

    function slotOfRedemption(bytes32 key) internal pure returns (bytes32) {
        return bytes32(inner(uint256(key), inner(GROUP, 14)));
    }

    function put(uint256 slot, uint256 word) private {
        put(bytes32(slot), word);
    }

    function put(bytes32 slot, uint256 word) internal {
        vm.store(address(ledger), slot, bytes32(word));
    }

    function got(bytes32 slot) internal view returns (uint256) {
        return uint256(vm.load(address(ledger), slot));
    }
}
