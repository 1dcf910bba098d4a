// SPDX-License-Identifier: Apache-2.0
// Stacks and frame pointers that would bring an unguarded sampler down.

import Testing

extension SamplerProcesses {
    @Suite struct HostileStacks {
        @Test(.timeLimit(.minutes(5))) func aWildFramePointerDoesNotFault() throws {
            let subject = try Subject.run("wild")
            subject.expectDone()
            #expect(try subject.number("values") >= 18)
            #expect(try subject.number("total") > 1.2e9, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func fibersAreWalkedToTheirRoot() throws {
            let subject = try Subject.run("fibers")
            subject.expectDone()
            #expect(try subject.number("fibers") == 300)
            let whole = try subject.number("whole") / subject.number("total")
            #expect(whole > 0.9, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func theSmallestStacksAreLargeEnough() throws {
            let subject = try Subject.run("small-stacks")
            subject.expectDone()
            #expect(try subject.number("failed") == 0)
            #expect(try subject.number("bytes") <= 16_384)
            #expect(try subject.number("total") > 0)
        }

        @Test(.timeLimit(.minutes(5))) func theHandlerNeedsLittleStack() throws {
            let subject = try Subject.run("alternate")
            subject.expectDone()
            // The kernel's frame and ours; in a debug build ours is about 700 bytes.
            let touched = try subject.number("touched")
            #expect(touched > 500, "the handler runs on the alternate stack")
            #expect(try touched < subject.number("kernel") + 1024, "\(subject.output)")
            #expect(try subject.number("total") > 5e8, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func deepStacksAreCutAtTheirRoot() throws {
            let subject = try Subject.run("deep")
            subject.expectDone()
            #expect(try subject.number("deepest") == 64)
            #expect(try subject.number("truncated") == 1)
            #expect(try subject.number("deep") > 2e8)
        }

        @Test(.timeLimit(.minutes(5))) func tooManyStacksKeepTheirWeight() throws {
            let subject = try Subject.run("many-stacks")
            subject.expectDone()
            #expect(try subject.number("stacks") == 5)
            #expect(try subject.number("other") > 5e8)
            // The main thread's samples go on after the profile was taken.
            let (total, sampled) = (
                try subject.number("total"), try subject.number("sampled")
            )
            #expect(sampled >= total && sampled < total * 1.02, "\(subject.output)")
            #expect(try subject.number("loss.too_many_stacks") > 50)
        }
    }
}
