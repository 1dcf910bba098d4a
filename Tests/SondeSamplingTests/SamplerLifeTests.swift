// SPDX-License-Identifier: Apache-2.0
// Threads, children, programs and libraries that come and go; and the sampler's own end.

import Testing

extension SamplerProcesses {
    @Suite struct Lives {
        @Test(.timeLimit(.minutes(5))) func twoThousandThreadsAndForksLeaveNothingBehind() throws {
            let subject = try Subject.run("churn")
            subject.expectDone()
            #expect(try subject.number("failed") == 0)
            #expect(try subject.number("bad.children") == 0)
            #expect(try subject.number("settled") == 1, "\(subject.output)")
            #expect(try subject.number("timers") == 2)
            #expect(try subject.number("timers.stopped") == 0)
        }

        @Test(.timeLimit(.minutes(5))) func aChildOfForkIsNotSampledUnlessItWants() throws {
            let subject = try Subject.run("fork")
            subject.expectDone()
            #expect(try subject.number("child") == 0, "\(subject.output)")
            #expect(try subject.number("parent") == 1)
        }

        @Test(.timeLimit(.minutes(5))) func aChildForkedWhileImagesAreReadCanReadThemToo() throws {
            let subject = try Subject.run("loader")
            subject.expectDone()
            #expect(try subject.number("bad.children") == 0)
        }

        @Test(.timeLimit(.minutes(5))) func aProgramCanBeReplacedWhileItIsSampled() throws {
            let subject = try Subject.run("exec")
            subject.expectDone()
            #expect(try subject.number("samples") > 0)
        }

        @Test(.timeLimit(.minutes(5))) func librariesCanBeUnloadedWhileThreadsAreSampled() throws {
            let subject = try Subject.run("dlopen")
            subject.expectDone()
            #expect(try subject.number("loads") > 0)
            #expect(try subject.number("total") > 1e8)
        }

        @Test(.timeLimit(.minutes(5))) func theUsersLimitsAreRespectedAndSaid() throws {
            let subject = try Subject.run("limits")
            subject.expectDone()
            // Half of 8; fewer when other programs of this user have queued signals of their own.
            #expect(try subject.number("armed") <= 4)
            #expect(subject.facts["problems"]?.contains("RLIMIT_SIGPENDING") == true)
            #expect(try subject.number("noticed") == 1, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func afterTheEndNothingIsLeft() throws {
            let subject = try Subject.run("stop")
            subject.expectDone()
            #expect(try subject.number("timers") == 0)
            #expect(try subject.number("owner") == 2, "SIGPROF has its default action again")
            #expect(try subject.number("last") == 1, "the last samples can be collected")
            #expect(try subject.number("late") == 0)
            #expect(try subject.number("nothing") == 0)
            #expect(subject.facts["threads"]?.contains("sonde") == false)
        }

        @Test(.timeLimit(.minutes(5))) func oneSamplerAfterAnother() throws {
            let subject = try Subject.run("restart")
            subject.expectDone()
            #expect(try subject.number("good") >= 18, "\(subject.output)")
            #expect(try subject.number("timers") == 0)
        }
    }
}
