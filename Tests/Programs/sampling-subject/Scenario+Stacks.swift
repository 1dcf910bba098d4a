// SPDX-License-Identifier: Apache-2.0
// Scenarios with stacks and frame pointers that are not as they should be.

import CSamplingSubject
import Glibc
import SondeSampling

extension Scenario {
    /// Burns with garbage in the frame pointer register, on the main and on other threads.
    static func wildFramePointers(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        let end = subject_page_end()
        let stack = subject_stack_address()
        let values: [UInt64] = [
            0, 1, 8, 4096, subject_unmapped_page(), subject_forbidden_page(), end - 1, end - 8,
            end - 16, end, stack, 0x7fff_ffff_fff8, 0x8000_0000_0000_0000, 0xffff_ffff_8000_0000,
            0xffff_ffff_ff60_0000, UInt64.max, UInt64.max - 7, 0xdead_beef_dead_bee8,
        ]
        for value in values { subject_burn_with_frame_pointer(value, 20_000_000) }
        onThreads(values.count) { index in
            // First unverified, then verified: both ways of reading meet the same garbage.
            subject_burn_with_frame_pointer(values[index], 40_000_000)
            // Long enough for the helper to verify this stack in between.
            poll(nil, 0, 300)
            subject_burn_with_frame_pointer(values[index], 40_000_000)
        }
        report("values", values.count)
        report("total", total(sampler.collect()))
        account(sampler.statistics)
        sampler.stop()
    }

    /// Burns on fibers whose stacks come and go.
    static func fibers(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        onThreads(2) { _ in
            poll(nil, 0, 100)
            let ran = subject_burn_on_fibers(300, 32 << 10, 900_000_000)
            report("fibers", ran)
        }
        let profile = sampler.collect()
        report("total", total(profile))
        // burn, burn_for, five times burn_deep, fiber_main.
        let whole = profile.stacks.filter { $0.frames.count >= 8 }.reduce(0) { $0 + $1.nanoseconds }
        report("whole", whole)
        account(sampler.statistics)
        sampler.stop()
    }

    /// Threads with the smallest stacks that there are.
    static func smallStacks(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        let small = Int(sysconf(Int32(_SC_THREAD_STACK_MIN)))
        var failed = 0
        for index in 0..<40 {
            let bytes = index % 2 == 0 ? max(16_384, small) : 65_536
            let status = subject_burn_on_small_stack(
                bytes, index % 4 < 2 ? 1 : 0, 30_000_000)
            if status != 0 { failed += 1 }
        }
        report("failed", failed)
        report("bytes", max(16_384, small))
        report("total", total(sampler.collect()))
        sampler.stop()
    }

    /// The handler's own need of stack, and our handler on top of another one.
    static func alternateStack(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        poll(nil, 0, 100)
        var kernelBytes = 0
        let touched = subject_painted_alternate_stack(500_000_000, &kernelBytes)
        report("touched", touched)
        report("kernel", kernelBytes)
        subject_burn_in_handler_on_alternate_stack(500_000_000)
        report("total", total(sampler.collect()))
        sampler.stop()
    }

    /// Stacks deeper than the limit.
    static func deepStacks(_: [String]) throws {
        let sampler = try sampler(hertz: 500, depth: 64)
        onThreads(1) { _ in
            poll(nil, 0, 100)
            subject_burn_deep(20_000, 300_000_000)
        }
        let profile = sampler.collect()
        let deep = profile.stacks.filter { $0.frames.count == 64 }
        report("deepest", profile.stacks.map(\.frames.count).max() ?? 0)
        report("deep", deep.reduce(0) { $0 + $1.nanoseconds })
        report("truncated", deep.allSatisfy(\.isTruncated) ? 1 : 0)
        sampler.stop()
    }

    /// More distinct stacks than the limit.
    static func manyStacks(_: [String]) throws {
        var configuration = CPUSampler.Configuration()
        configuration.hertz = 1000
        configuration.maxDistinctStacks = 5
        let sampler = try CPUSampler(configuration)
        onThreads(1) { _ in
            poll(nil, 0, 100)
            for depth in 0..<100 { subject_burn_deep(UInt32(depth), 10_000_000) }
        }
        let profile = sampler.collect()
        let other = profile.stacks.filter { $0.kind == .tooManyStacks }
        report("stacks", profile.stacks.count { $0.kind == .captured })
        report("other", other.reduce(0) { $0 + $1.nanoseconds })
        report("total", total(profile))
        account(sampler.statistics)
        sampler.stop()
    }
}
