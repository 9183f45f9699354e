// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {IEvidenceLog} from "suanquan/interfaces/IEvidenceLog.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {BatchHeader, Stream} from "suanquan/types/Evidence.sol";

contract AppendTest is Base {
    bytes32 private constant ROOT = keccak256("root");

    function test_Append_FirstBatch() public {
        BatchHeader memory h = BatchHeader(PLATFORM, 0, bytes32(0), 1, 3, ROOT, 5, START, NOW, NOW);
        bytes32 head = keccak256(abi.encode(h));
        vm.expectEmit(address(evidence));
        emit IEvidenceLog.BatchAppended(
            PLATFORM,
            ROOT,
            head,
            uint256(bytes32(abi.encodePacked(bytes4(0), uint32(0), uint40(1), uint40(3), uint32(5), START, NOW)))
        );
        vm.prank(relayer);
        assertEq(evidence.append(PLATFORM, 1, 3, ROOT, 5, START, NOW), head);

        assertEq(evidence.headAt(PLATFORM, 0), head);
        assertEq(evidence.headAt(PLATFORM, 1), 0);
        Stream memory s = evidence.stream(PLATFORM);
        assertEq(s.batches, 1);
        assertEq(s.nextSequence, 4);
    }

    function test_Append_EachHeadCommitsToTheOneBefore() public {
        append(PLATFORM, ROOT, 3, 3);
        bytes32 first = evidence.headAt(PLATFORM, 0);
        BatchHeader memory h = append(PLATFORM, ROOT, 2, 2);
        assertEq(h.previousHead, bytes32(bytes23(first)));
        assertEq(evidence.stream(PLATFORM).head, bytes23(evidence.headAt(PLATFORM, 1)));
        assertEq(h.fromSequence, 4);
        assertEq(evidence.headAt(PLATFORM, 1), keccak256(abi.encode(h)));
    }

    function test_Append_StreamsStandApart() public {
        append(PLATFORM, ROOT, 3, 3);
        Stream memory s = evidence.stream(OTHER_PLATFORM);
        assertEq(s.batches, 0);
        assertEq(s.nextSequence, 1, "a new stream expects 1");
        append(OTHER_PLATFORM, ROOT, 1, 1);
    }

    function test_Append_OneTradePerSubmissionIsEnough() public {
        append(PLATFORM, ROOT, 10_000, 10_000);
        assertEq(evidence.stream(PLATFORM).nextSequence, 10_001);
    }

    function test_Append_TradeSettledInTheSameSecond() public {
        vm.prank(relayer);
        evidence.append(PLATFORM, 1, 1, ROOT, 1, NOW, NOW);
    }

    function test_RevertWhen_SequenceHasAGap() public {
        append(PLATFORM, ROOT, 3, 3);
        expectGap(5, 4);
    }

    function test_RevertWhen_SequenceRepeats() public {
        append(PLATFORM, ROOT, 3, 3);
        expectGap(3, 4);
        expectGap(1, 4);
    }

    function test_RevertWhen_SequenceStartsAtZero() public {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_SequenceGap.selector, PLATFORM, 1, 0));
        evidence.append(PLATFORM, 0, 1, ROOT, 2, START, NOW);
    }

    function test_RevertWhen_RangeRunsBackwards() public {
        expectEmpty(0, 1);
    }

    function test_RevertWhen_FewerTradesThanSubmissions() public {
        expectEmpty(3, 2);
        expectEmpty(1, 0);
        expectEmpty(type(uint40).max, type(uint32).max);
    }

    function test_RevertWhen_TimesRunBackwards() public {
        expectBadTimes(NOW, NOW - 1);
    }

    function test_RevertWhen_TimesLieInTheFuture() public {
        expectBadTimes(NOW, NOW + 1);
    }

    function expectGap(uint40 from, uint64 expected) private {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_SequenceGap.selector, PLATFORM, expected, from));
        evidence.append(PLATFORM, from, from, ROOT, 1, START, NOW);
    }

    function expectEmpty(uint40 to, uint32 count) private {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_EmptyRange.selector, 1, to, count));
        evidence.append(PLATFORM, 1, to, ROOT, count, START, NOW);
    }

    function expectBadTimes(uint40 first, uint40 last) private {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_BadTimes.selector, first, last, NOW));
        evidence.append(PLATFORM, 1, 1, ROOT, 1, first, last);
    }
}
