// SPDX-License-Identifier: Apache-2.0
// A host with its own ideas about signals and system calls.

import Testing

extension SamplerProcesses {
    @Suite struct Signals {
        @Test(.timeLimit(.minutes(5))) func aSignalOfTheHostIsNotTaken() throws {
            let subject = try Subject.run("owned")
            subject.expectDone()
            #expect(subject.facts["signal"]?.hasPrefix("SIGRTMIN+") == true)
            #expect(try subject.number("host.signals") == 0)
            #expect(try subject.number("host.raised") == 1)
            #expect(try subject.number("owner") == 1)
            #expect(try subject.number("total") > 3e8, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func aSignalThatTheHostTakesIsLeftToIt() throws {
            let subject = try Subject.run("replaced")
            subject.expectDone()
            #expect(subject.facts["signal.before"] == "SIGPROF")
            #expect(try subject.number("changed") == 1, "\(subject.output)")
            #expect(try subject.number("host.late") == 0)
            #expect(try subject.number("total") > 2e8, "\(subject.output)")
            #expect(subject.facts["problems"]?.contains("another handler") == true)
            #expect(try subject.number("owner") == 1)
        }

        @Test(.timeLimit(.minutes(5))) func aHandlerThatTheHostDroppedDoesNotEndTheHost() throws {
            let subject = try Subject.run("dropped-handler")
            subject.expectDone()
            #expect(try subject.number("total") > 2e8, "\(subject.output)")
            #expect(subject.facts["problems"]?.contains("another handler") == true)
        }

        @Test(.timeLimit(.minutes(5))) func aThreadThatBlocksTheSignalIsNoticed() throws {
            let subject = try Subject.run("blocked")
            subject.expectDone()
            #expect(try subject.number("noticed") == 1, "\(subject.output)")
            #expect(try subject.number("blocked") > 5e8, "its time is nobody's stack")
            #expect(try subject.number("loss.signal_blocked") > 50)
        }

        @Test(.timeLimit(.minutes(5))) func workersOfDispatchAreSampled() throws {
            let subject = try Subject.run("dispatch")
            subject.expectDone()
            #expect(try subject.number("noticed") == 0, "\(subject.output)")
            #expect(try subject.number("total") > 1e9, "\(subject.output)")
        }

        @Test(.timeLimit(.minutes(5))) func workersOfDispatchNeedSIGPROFAndThatIsSaid() throws {
            let subject = try Subject.run("dispatch", "owned")
            subject.expectDone()
            #expect(try subject.number("noticed") == 1, "\(subject.output)")
            #expect(subject.facts["problems"]?.contains("SIGPROF") == true)
        }

        @Test(.timeLimit(.minutes(5)), arguments: ["error", "kill"])
        func aFilterAgainstGuardedReadsIsFoundOutSafely(kind: String) throws {
            let subject = try Subject.run("seccomp", kind)
            subject.expectDone()
            #expect(try subject.number("filter") == 0)
            #expect(subject.facts["problems"]?.contains("process_vm_readv") == true)
            // Verified stacks need no guarded reads.
            #expect(try subject.number("whole") > subject.number("total") * 0.4)
        }

        @Test(.timeLimit(.minutes(5))) func theHandlerHasManners() throws {
            let subject = try Subject.run("manners")
            subject.expectDone()
            #expect(try subject.number("errno") == 0)
            #expect(try subject.number("interrupted") == 0)
            #expect(try subject.number("samples") > 50)
            #expect(try subject.number("loss.foreign_signal") == 1)
        }
    }
}
