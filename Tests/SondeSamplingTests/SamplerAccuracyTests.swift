// SPDX-License-Identifier: Apache-2.0
// What is sampled is what threads used, whatever happens to rates and threads meanwhile.

import Testing

extension SamplerProcesses {
    @Suite struct Accuracy {
        @Test(.timeLimit(.minutes(5)), arguments: ["100", "1000"])
        func sampledTimeIsTheThreadsCPUTime(hertz: String) throws {
            let subject = try Subject.run("accuracy", hertz, "700")
            subject.expectDone()
            let cpu = try subject.number("cpu")
            let total = try subject.number("total")
            // The main thread and the helper are in the total and not in the sum.
            #expect(total > cpu * 0.96 && total < cpu * 1.06, "\(subject.output)")
            // The main thread's samples go on after the profile was taken.
            let sampled = try subject.number("sampled")
            #expect(sampled >= total && sampled < total * 1.02, "\(subject.output)")
            #expect(subject.facts["signal"] == "SIGPROF")
            // Each of 280 samples at 100 Hz weighs 0.36 %: five points are more than 2.5 sigma of
            // a half, and the machine may be busy, so that samples come in bunches.
            for index in 0..<3 {
                let share = try subject.number("cpu.\(index)") / cpu
                let sampled = try subject.number("leaf.\(index)") / total
                #expect(abs(share - sampled) < 0.15, "function \(index): \(subject.output)")
            }
        }

        @Test(.timeLimit(.minutes(5))) func weightsStayTrueWhenTheRateChanges() throws {
            let subject = try Subject.run("rates")
            subject.expectDone()
            let cpu = try subject.number("cpu")
            let total = try subject.number("total")
            // A change loses what the kernel has not delivered yet: at most a tick per thread.
            #expect(total > cpu * 0.85 && total < cpu * 1.1, "\(subject.output)")
            #expect(try subject.number("changes") >= 3)
            #expect(try subject.number("timers.off") == 0)
            #expect(try subject.number("total.off") == 0)
            #expect(try subject.number("hertz.clamped") == 1000)
        }

        @Test(.timeLimit(.minutes(5))) func threadsShorterThanAPeriodAreSampledToo() throws {
            let subject = try Subject.run("short")
            subject.expectDone()
            // With a fixed phase it would be none at all; the kernel's tick takes its part.
            let burned = try subject.number("burned")
            #expect(burned > 0, "\(subject.output)")
            #expect(try burned < subject.number("cpu") * 1.3, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func idleThreadsCostNextToNothing() throws {
            let subject = try Subject.run("idle", "200")
            subject.expectDone()
            #expect(try subject.number("threads") >= 202)
            // A debug build on a busy machine; Benchmarks/CaptureStack holds the real limit.
            let share = try subject.number("own") / subject.number("cpu")
            #expect(share < 0.05, "\(subject.output)")
        }
    }
}
