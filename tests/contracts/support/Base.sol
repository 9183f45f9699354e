// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {MerkleTree} from "./MerkleTree.sol";
import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "suanquan/interfaces/IEvidenceLog.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {EntityKind, EntityRoles, Registration, Standing} from "suanquan/types/Entity.sol";
import {BatchHeader, EvidenceProof, Stream, Submission, SubmissionProof} from "suanquan/types/Evidence.sol";
import {Budget, Funding, Period, ProgrammeTerms, Stage, Tier} from "suanquan/types/Programme.sol";
import {ComputeType, Trade, TradeAttributes, TradeFacts, TradeKind} from "suanquan/types/Trade.sol";
import {BatchClaim, Claim, IssueOrder, Redemption, RedemptionRef, ReviewApproval} from "suanquan/types/Voucher.sol";

/// @notice The one factory of Solidity tests: the three contracts, officers, organisations, programmes, signatures and
/// proofs. Functions that begin with a verb other than `sign` or `make` send transactions.
/// @dev Tests know the contracts by interface and take their code from artifacts, so that they themselves compile without
/// the optimiser, which costs ten times as long; contracts/README.md says how.
abstract contract Base is Test {
    /// @dev 28 April 2024, midnight in Beijing: the day from which the Zhengzhou policy is in force.
    uint40 internal constant START = 1_714_233_600;
    uint40 internal constant YEAR = 365 days;
    /// @dev Where the clock stands when a test begins.
    uint40 internal constant NOW = START + 30 days;
    uint32 internal constant CHALLENGE = 7 days;

    bytes32 internal constant BUYER = keccak256("buyer");
    bytes32 internal constant OTHER_BUYER = keccak256("other buyer");
    bytes32 internal constant SUPPLIER = keccak256("supplier");
    bytes32 internal constant OTHER_SUPPLIER = keccak256("other supplier");
    bytes32 internal constant PLATFORM = keccak256("platform");
    bytes32 internal constant OTHER_PLATFORM = keccak256("other platform");
    bytes32 internal constant NOBODY = keccak256("nobody");
    bytes32 internal constant REASON = keccak256("reason");
    bytes32 internal constant PAYMENT = keccak256("payment");

    address internal admin = makeAddr("admin");
    address internal operator = makeAddr("operator");
    address internal finance = makeAddr("finance");
    address internal regulator = makeAddr("regulator");
    address internal registrar = makeAddr("registrar");
    address internal relayer = makeAddr("relayer");
    address internal stranger = makeAddr("stranger");
    /// @dev Stage 0 takes one approval of {0, 1}, stage 1 two of {2, 3, 4}; a single stage takes one of {0}.
    Vm.Wallet[5] internal reviewers;
    mapping(bytes32 platform => uint256 privateKey) internal evidenceKeys;

    IEntityRegistry internal registry;
    IEvidenceLog internal evidence;
    IVoucherLedger internal ledger;
    /// @dev The registry again, for its officers' roles.
    IAccessControl internal access;

    /// @dev Settlement key of each redemption.
    mapping(uint256 redemptionId => bytes32 key) private _keys;
    uint256 private _unique;

    function setUp() public virtual {
        vm.warp(NOW);
        registry = IEntityRegistry(deployCode("EntityRegistry.sol:EntityRegistry", abi.encode(admin, uint48(1 days))));
        evidence = IEvidenceLog(deployCode("EvidenceLog.sol:EvidenceLog", abi.encode(registry)));
        ledger = deployLedger();

        access = IAccessControl(address(registry));

        vm.startPrank(admin);
        access.grantRole(Roles.OPERATOR, operator);
        access.grantRole(Roles.FINANCE, finance);
        access.grantRole(Roles.REGULATOR, regulator);
        access.grantRole(Roles.REGISTRAR, registrar);
        access.grantRole(Roles.RELAYER, relayer);
        for (uint256 i = 0; i < reviewers.length; ++i) {
            reviewers[i] = vm.createWallet(string.concat("reviewer", vm.toString(i)));
            access.grantRole(Roles.REVIEWER, reviewers[i].addr);
        }
        vm.stopPrank();

        register(BUYER, EntityKind.Enterprise, EntityRoles.BUYER);
        register(OTHER_BUYER, EntityKind.University, EntityRoles.BUYER);
        register(SUPPLIER, EntityKind.Supplier, EntityRoles.SUPPLIER);
        register(OTHER_SUPPLIER, EntityKind.Supplier, EntityRoles.SUPPLIER);
        register(PLATFORM, EntityKind.Platform, EntityRoles.PLATFORM);
        register(OTHER_PLATFORM, EntityKind.Platform, EntityRoles.PLATFORM);
    }

    function deployLedger() internal returns (IVoucherLedger) {
        bytes memory arguments = abi.encode(registry, evidence, address(0));
        return IVoucherLedger(deployCode("VoucherLedger.sol:VoucherLedger", arguments));
    }

    /* ORGANISATIONS */

    function accountOf(bytes32 id) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("account", id)))));
    }

    function makeRegistration(bytes32 id, EntityKind kind, uint8 roles) internal returns (Registration memory r) {
        r = Registration({
            id: id,
            account: accountOf(id),
            kind: kind,
            roles: roles,
            region: 410_100,
            standing: Standing.Good,
            standingUntil: START + 20 * YEAR,
            controller: bytes16(id),
            evidenceKey: address(0),
            custodial: false
        });
        if (roles & EntityRoles.PLATFORM != 0) {
            evidenceKeys[id] = uint256(keccak256(abi.encode("evidence key", id))) >> 8;
            r.evidenceKey = vm.addr(evidenceKeys[id]);
        }
    }

    function register(bytes32 id, EntityKind kind, uint8 roles) internal {
        register(makeRegistration(id, kind, roles));
    }

    function register(Registration memory r) internal {
        Registration[] memory list = new Registration[](1);
        list[0] = r;
        vm.prank(registrar);
        registry.register(list);
    }

    /* PROGRAMMES */

    /// @dev Zhengzhou: trade first and claim afterwards, paid by trade time, yearly caps over one budget of three years.
    function makeZhengzhou() internal view returns (ProgrammeTerms memory t) {
        t.policyHash = keccak256("zhengzhou-htz");
        t.policyURI = "https://example.org/zhengzhou-htz.yaml";
        t.group = 1;
        t.funding = Funding.FirstCome;
        t.inTradeOrder = true;
        t.tradeBeforeIssue = true;
        t.suppliersListed = true;
        t.platformsListed = true;
        t.supportCeilingBps = Rules.FULL_BPS;
        t.challengeSeconds = CHALLENGE;
        t.contractsTo = type(uint40).max;
        t.claimsUntil = START + 4 * YEAR;
        t.budgetsFen = new uint48[](1);
        t.budgetsFen[0] = yuan(50_000_000);
        t.periods = new Period[](3);
        for (uint40 i = 0; i < 3; ++i) {
            t.periods[i] = Period(START + i * YEAR, START + (i + 1) * YEAR, 0);
        }
        t.tiers = new Tier[](8);
        t.tiers[0] = makeTier("in_zone", 3000, yuan(300_000), Rules.NO_CAP);
        t.tiers[1] = makeTier("in_zone_small", 1500, yuan(300_000), Rules.NO_CAP);
        t.tiers[2] = makeTier("institute", 3000, yuan(200_000), Rules.NO_CAP);
        t.tiers[3] = makeTier("university", 3000, yuan(1_000_000), Rules.NO_CAP);
        t.tiers[4] = makeTier("double_first_class", 3000, yuan(2_000_000), Rules.NO_CAP);
        t.tiers[5] = makeTier("large_model", 3000, yuan(1_000_000), Rules.NO_CAP);
        t.tiers[6] = makeTier("out_of_zone", 300, Rules.NO_CAP, yuan(30_000));
        t.tiers[7] = makeTier("newly_settled", 3000, yuan(300_000), Rules.NO_CAP);
        t.stages = new Stage[](2);
        t.stages[0] = Stage("first_review", 1, new address[](2));
        t.stages[1] = Stage("second_review", 2, new address[](3));
        for (uint256 i = 0; i < reviewers.length; ++i) {
            if (i < 2) t.stages[0].approvers[i] = reviewers[i].addr;
            else t.stages[1].approvers[i - 2] = reviewers[i].addr;
        }
    }

    /// @dev Beijing E-Town: claim and use at once in several parts, a budget per year reserved at issue.
    function makeEtown() internal view returns (ProgrammeTerms memory t) {
        t.policyHash = keccak256("beijing-etown");
        t.policyURI = "https://example.org/beijing-etown.yaml";
        t.group = 2;
        t.funding = Funding.ReservedAtIssue;
        t.supportCeilingBps = Rules.FULL_BPS;
        t.challengeSeconds = CHALLENGE;
        t.contractsTo = type(uint40).max;
        t.claimsUntil = START + 3 * YEAR;
        t.budgetsFen = new uint48[](2);
        t.periods = new Period[](2);
        for (uint40 i = 0; i < 2; ++i) {
            t.budgetsFen[i] = yuan(100_000_000);
            t.periods[i] = Period(START + i * YEAR, START + (i + 1) * YEAR, uint8(i));
        }
        t.tiers = new Tier[](1);
        t.tiers[0] = makeTier("enterprise", 3000, yuan(20_000_000), Rules.NO_CAP);
        t.tiers[0].rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Intelligent, 1)] = 4000;
        t.stages = new Stage[](1);
        t.stages[0] = Stage("review", 1, new address[](1));
        t.stages[0].approvers[0] = reviewers[0].addr;
    }

    /// @dev A tier for supercomputing and intelligent compute, one rate whether the chip is domestic or not.
    function makeTier(bytes32 name, uint16 rateBps, uint48 periodCapFen, uint48 totalCapFen)
        internal
        pure
        returns (Tier memory t)
    {
        t.name = name;
        t.periodCapFen = periodCapFen;
        t.totalCapFen = totalCapFen;
        for (uint32 domestic = 0; domestic < 2; ++domestic) {
            t.rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Intelligent, domestic)] = rateBps;
            t.rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Super, domestic)] = rateBps;
        }
    }

    function create(ProgrammeTerms memory terms) internal returns (uint16 programmeId) {
        vm.prank(operator);
        return ledger.createProgramme(terms);
    }

    /// @dev Created, published, with one supplier and one platform on the lists.
    function publish(ProgrammeTerms memory terms) internal returns (uint16 programmeId) {
        programmeId = create(terms);
        vm.startPrank(operator);
        ledger.setSuppliers(programmeId, only(SUPPLIER), true);
        ledger.setPlatforms(programmeId, only(PLATFORM), true);
        ledger.publishProgramme(programmeId);
        vm.stopPrank();
    }

    function terminate(uint16 programmeId) internal {
        vm.prank(operator);
        ledger.terminateProgramme(programmeId, REASON);
    }

    /* VOUCHERS */

    /// @dev An order without approvals: tier 0, a million yuan, in the first period where the programme reserves.
    function makeOrder(uint16 programmeId, uint32 serial, bytes32 entity) internal view returns (IssueOrder memory o) {
        o.voucherId = (uint48(programmeId) << 32) | serial;
        o.entity = entity;
        o.period = ledger.programme(programmeId).funding == Funding.FirstCome ? Rules.NO_PERIOD : 0;
        o.faceFen = uint40(yuan(1_000_000));
        o.validUntil = uint32(START + 3 * YEAR);
        o.documents = keccak256("documents");
    }

    /// @dev The same order with the approvals that its programme asks for.
    function signed(IssueOrder memory o) internal view returns (IssueOrder memory) {
        if (ledger.programme(uint16(o.voucherId >> 32)).stages == 1) {
            o.approvals = new ReviewApproval[](1);
            o.approvals[0] = signIssue(o, 0, 0);
        } else {
            o.approvals = sorted(signIssue(o, 0, 0), signIssue(o, 2, 1), signIssue(o, 3, 1));
        }
        return o;
    }

    function signIssue(IssueOrder memory o, uint256 reviewer, uint8 stage)
        internal
        view
        returns (ReviewApproval memory)
    {
        return signIssue(o, reviewer, stage, NOW + 10 * YEAR);
    }

    function signIssue(IssueOrder memory o, uint256 reviewer, uint8 stage, uint40 deadline)
        internal
        view
        returns (ReviewApproval memory)
    {
        return ReviewApproval(
            stage,
            deadline,
            reviewers[reviewer].addr,
            sign(reviewers[reviewer].privateKey, issueDigest(o, stage, deadline))
        );
    }

    /// @dev Written out anew rather than asked of the contract, so that a change of the wire format shows.
    function issueDigest(IssueOrder memory o, uint8 stage, uint40 deadline) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "IssueApproval(uint256 voucherId,bytes32 entity,uint16 tier,uint8 period,uint40 faceFen,uint32 validUntil,bytes32 documents,uint8 stage,uint40 deadline)"
        );
        bytes memory head =
            abi.encode(typeHash, o.voucherId, o.entity, o.tier, o.period, o.faceFen, o.validUntil, o.documents);
        return typedData(
            "Suanquan VoucherLedger", address(ledger), keccak256(bytes.concat(head, abi.encode(stage, deadline)))
        );
    }

    function agreementDigest(uint16 programmeId, uint16 tierIndex, Tier memory tier, uint8 stage, uint40 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            "AgreementApproval(uint16 programmeId,uint16 tier,bytes32 termsHash,uint8 stage,uint40 deadline)"
        );
        return typedData(
            "Suanquan VoucherLedger",
            address(ledger),
            keccak256(abi.encode(typeHash, programmeId, tierIndex, keccak256(abi.encode(tier)), stage, deadline))
        );
    }

    function signAgreement(uint16 programmeId, uint16 tierIndex, Tier memory tier)
        internal
        view
        returns (ReviewApproval[] memory)
    {
        return sorted(
            _signAgreement(programmeId, tierIndex, tier, 0, 0),
            _signAgreement(programmeId, tierIndex, tier, 2, 1),
            _signAgreement(programmeId, tierIndex, tier, 3, 1)
        );
    }

    function _signAgreement(uint16 programmeId, uint16 tierIndex, Tier memory tier, uint256 reviewer, uint8 stage)
        private
        view
        returns (ReviewApproval memory)
    {
        uint40 deadline = NOW + 10 * YEAR;
        bytes32 digest = agreementDigest(programmeId, tierIndex, tier, stage, deadline);
        return ReviewApproval(stage, deadline, reviewers[reviewer].addr, sign(reviewers[reviewer].privateKey, digest));
    }

    /// @dev Approvals in ascending order of signer, as the contract demands.
    function sorted(ReviewApproval memory a, ReviewApproval memory b, ReviewApproval memory c)
        internal
        pure
        returns (ReviewApproval[] memory list)
    {
        list = new ReviewApproval[](3);
        (list[0], list[1], list[2]) = (a, b, c);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (list[j].signer < list[i].signer) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }

    /// @dev Signs and sends an order.
    function issue(IssueOrder memory o) internal returns (uint48 voucherId) {
        ledger.issue(signed(o));
        return o.voucherId;
    }

    function issue(uint16 programmeId, uint32 serial, bytes32 entity) internal returns (uint48 voucherId) {
        return issue(makeOrder(programmeId, serial, entity));
    }

    /* TRADES AND EVIDENCE */

    /// @dev 800,000 yuan of intelligent compute, settled now; every trade has keys of its own.
    function makeTrade(bytes32 buyer) internal returns (Trade memory t) {
        bytes32 unique = bytes32(++_unique);
        t.platform = PLATFORM;
        t.tradeId = keccak256(abi.encode("trade", unique));
        t.buyer = buyer;
        t.supplier = SUPPLIER;
        t.kind = TradeKind.Compute;
        t.computeType = ComputeType.Intelligent;
        t.attributes = TradeAttributes.BUYER_PAID;
        t.region = 410_100;
        t.tradedAt = uint40(block.timestamp);
        t.contractSignedAt = START;
        t.settledFen = yuan(800_000);
        t.contractFen = yuan(1_000_000);
        t.settlementKey = keccak256(abi.encode("settlement", unique));
        t.contractKey = keccak256(abi.encode("contract", unique));
        t.details = keccak256(abi.encode("details", unique));
    }

    /// @dev Written out anew, so that a change of the event shows.
    function factsOf(Trade memory t) internal pure returns (TradeFacts memory) {
        uint256 terms = uint256(
            bytes32(
                abi.encodePacked(
                    bytes12(0),
                    uint8(t.kind),
                    uint8(t.computeType),
                    t.attributes,
                    t.region,
                    t.tradedAt,
                    t.contractSignedAt
                )
            )
        );
        uint256 amounts = uint256(bytes32(abi.encodePacked(bytes8(0), t.settledFen, t.contractFen, t.otherSupportFen)));
        return TradeFacts(t.platform, t.supplier, t.contractKey, terms, amounts);
    }

    function leafOf(Trade memory t) internal pure returns (bytes32) {
        return MerkleTree.leaf(abi.encode(t));
    }

    function submissionLeaf(bytes32 platform, Submission memory s) internal pure returns (bytes32) {
        return MerkleTree.leaf(abi.encode(platform, s.sequence, s.root, s.count));
    }

    function submissionDigest(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Submission(bytes32 platform,uint64 sequence,bytes32 root,uint32 count)");
        return typedData(
            "Suanquan EvidenceLog", address(evidence), keccak256(abi.encode(typeHash, platform, sequence, root, count))
        );
    }

    function signSubmission(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        internal
        view
        returns (Submission memory)
    {
        bytes32 digest = submissionDigest(platform, sequence, root, count);
        return Submission(sequence, root, count, sign(evidenceKeys[platform], digest));
    }

    /// @dev Anchors submissions of the next sequences of a platform as one batch.
    function append(bytes32 platform, bytes32 batchRoot, uint64 submissions, uint32 count)
        internal
        returns (BatchHeader memory h)
    {
        Stream memory s = evidence.stream(platform);
        uint40 nowAt = uint40(block.timestamp);
        h = BatchHeader({
            platform: platform,
            index: s.batches,
            previousHead: s.head,
            fromSequence: s.nextSequence,
            toSequence: s.nextSequence + submissions - 1,
            root: batchRoot,
            count: count,
            firstTradeAt: START,
            lastTradeAt: nowAt,
            appendedAt: nowAt
        });
        vm.prank(relayer);
        evidence.append(
            platform, uint40(h.fromSequence), uint40(h.toSequence), h.root, h.count, h.firstTradeAt, h.lastTradeAt
        );
    }

    /// @dev Signs trades of one platform as one submission, anchors it alone, and proves each trade.
    function anchor(Trade[] memory trades) internal returns (EvidenceProof[] memory proofs) {
        bytes32 platform = trades[0].platform;
        bytes32[] memory leaves = new bytes32[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            leaves[i] = leafOf(trades[i]);
        }
        uint64 sequence = evidence.stream(platform).nextSequence;
        Submission memory s = signSubmission(platform, sequence, MerkleTree.root(leaves), uint32(trades.length));
        BatchHeader memory h = append(platform, submissionLeaf(platform, s), 1, s.count);
        proofs = new EvidenceProof[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            proofs[i] = EvidenceProof(h, s, MerkleTree.proof(leaves, leaves[i]), new bytes32[](0));
        }
    }

    function makeClaims(uint48 voucherId, Trade[] memory trades) internal returns (Claim[] memory claims) {
        EvidenceProof[] memory proofs = anchor(trades);
        claims = new Claim[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            claims[i] = Claim(voucherId, trades[i], proofs[i]);
        }
    }

    /// @dev A claim whose evidence is anchored.
    function makeClaim(uint48 voucherId, Trade memory t) internal returns (Claim memory) {
        Trade[] memory trades = new Trade[](1);
        trades[0] = t;
        return makeClaims(voucherId, trades)[0];
    }

    /* REDEMPTIONS */

    function redeem(Claim memory c) internal returns (uint256 redemptionId) {
        vm.prank(relayer);
        redemptionId = ledger.redeem(c);
        _keys[redemptionId] = c.trade.settlementKey;
    }

    function redeem(uint48 voucherId, Trade memory t) internal returns (uint256 redemptionId) {
        return redeem(makeClaim(voucherId, t));
    }

    /// @dev Each submission once, each claim by the index of its own.
    function makeBatch(Claim[] memory claims)
        internal
        pure
        returns (SubmissionProof[] memory submissions, BatchClaim[] memory batch)
    {
        submissions = new SubmissionProof[](claims.length);
        batch = new BatchClaim[](claims.length);
        uint16 count = 0;
        for (uint256 i = 0; i < claims.length; ++i) {
            EvidenceProof memory p = claims[i].proof;
            uint16 k = 0;
            while (k < count && submissions[k].submission.root != p.submission.root) ++k;
            if (k == count) submissions[count++] = SubmissionProof(p.batch, p.submission, p.submissionPath);
            batch[i] = BatchClaim(claims[i].voucherId, k, claims[i].trade, p.tradePath);
        }
        assembly ("memory-safe") {
            mstore(submissions, count)
        }
    }

    function redeemMany(Claim[] memory claims) internal {
        (SubmissionProof[] memory submissions, BatchClaim[] memory batch) = makeBatch(claims);
        vm.prank(relayer);
        ledger.redeemMany(submissions, batch);
    }

    /// @dev A redemption as officers name it.
    function refTo(uint256 redemptionId) internal view returns (RedemptionRef memory) {
        return RedemptionRef(uint48(redemptionId), _keys[redemptionId]);
    }

    function refTo(uint256 redemptionId, bytes32 settlementKey) internal pure returns (RedemptionRef memory) {
        return RedemptionRef(uint48(redemptionId), settlementKey);
    }

    function refsTo(uint256[] memory redemptionIds) internal view returns (RedemptionRef[] memory refs) {
        refs = new RedemptionRef[](redemptionIds.length);
        for (uint256 i = 0; i < redemptionIds.length; ++i) {
            refs[i] = refTo(redemptionIds[i]);
        }
    }

    function redemption(uint256 redemptionId) internal view returns (Redemption memory) {
        return ledger.redemption(uint48(redemptionId), _keys[redemptionId]);
    }

    function writeOff(uint256 redemptionId) internal {
        vm.prank(finance);
        ledger.writeOff(refsTo(only(redemptionId)), PAYMENT);
    }

    function reject(uint256 redemptionId, Trade memory t, bool barTrade) internal {
        vm.prank(finance);
        ledger.reject(refTo(redemptionId, t.settlementKey), t.contractKey, REASON, barTrade);
    }

    function freeze(uint48 voucherId) internal {
        vm.prank(regulator);
        ledger.freeze(voucherId, REASON);
    }

    function cancel(uint48 voucherId) internal {
        vm.prank(operator);
        ledger.cancel(voucherId, REASON);
    }

    function freezeEntity(bytes32 id) internal {
        vm.prank(regulator);
        registry.freeze(id, REASON);
    }

    /* CHECKS */

    function assertBudget(uint16 programmeId, uint8 index, Budget memory expected) internal view {
        (Budget memory b, uint256 availableFen) = ledger.budget(programmeId, index);
        assertEq(abi.encode(b), abi.encode(expected), "budget");
        assertEq(
            availableFen + b.reservedFen + b.redeemedFen + b.writtenOffFen,
            uint256(b.amountFen) + b.recoveredFen,
            "budget conserves"
        );
    }

    function expectMissing(bytes32 role, address account) internal {
        vm.expectRevert(abi.encodeWithSelector(Errors.RoleMissing.selector, role, account));
    }

    /* PLAIN VALUES */

    /// @dev Yuan in fen.
    function yuan(uint48 amount) internal pure returns (uint48) {
        return amount * 100;
    }

    function only(bytes32 value) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = value;
    }

    function only(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    function sign(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function typedData(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
