// SPDX-License-Identifier: Apache-2.0
// Scenarios in which threads, processes and images come and go.

import CSamplingSubject
import Glibc
import SondeModel
import SondeSampling
import Synchronization

extension Scenario {
    /// Starts and ends 2 000 threads, with forks in between.
    static func churn(_: [String]) throws {
        let sampler = try sampler(hertz: 1000)
        let badChildren = Atomic<Int>(0)
        let forks = startThread {
            for _ in 0..<20 {
                let status = subject_fork(
                    { _ in
                        // Nothing may be sampled here, and nothing may hang.
                        let timers = subject_timers()
                        subject_burn_for(20_000_000)
                        return timers == 0 ? 0 : 1
                    }, nil)
                if status != 0 { badChildren.add(1, ordering: .relaxed) }
                poll(nil, 0, 20)
            }
        }
        report("failed", subject_run_threads(2000, 1_000_000))
        pthread_join(forks, nil)
        report("bad.children", badChildren.load(ordering: .relaxed))
        // The main thread and the helper remain.
        let settled = waitUntil { sampler.statistics.threads == 2 }
        report("settled", settled ? 1 : 0)
        report("timers", subject_timers())
        report("total", total(sampler.collect()))
        account(sampler.statistics)
        sampler.stop()
        report("timers.stopped", subject_timers())
    }

    /// A child of fork finds the parent's sampler inert and can start its own.
    static func forkAndSampleAgain(_: [String]) throws {
        let parent = try sampler(hertz: 1000)
        subject_burn_for(200_000_000)
        // Safety: the child only reads it while the parent waits.
        let context = Unmanaged.passUnretained(parent).toOpaque()
        let status = subject_fork(
            { context in
                guard let context else { return 9 }
                let parent = Unmanaged<CPUSampler>.fromOpaque(context).takeUnretainedValue()
                guard parent.collect().stacks.isEmpty else { return 2 }
                parent.configure(enabled: true, hertz: 10)
                parent.stop()
                guard parent.statistics.samples == 0 else { return 3 }
                guard let own = try? Scenario.sampler(hertz: 1000) else { return 4 }
                poll(nil, 0, 100)
                subject_burn_for(300_000_000)
                let total = Scenario.total(own.collect())
                own.stop()
                return total > 200_000_000 && total < 400_000_000 ? 0 : 5
            }, context)
        report("child", status)
        report("parent", total(parent.collect()) > 150_000_000 ? 1 : 0)
        parent.stop()
    }

    /// Forks while a thread walks over the loader's images without pause: each child must be able
    /// to do so as well, and to load a library.
    static func forkWhileImagesAreRead(_: [String]) throws {
        let done = Atomic<Bool>(false)
        let reader = startThread {
            while !done.load(ordering: .relaxed) {
                _ = LoadedImage.changes
                _ = LoadedImage.all()
            }
        }
        var badChildren = 0
        for _ in 0..<100 {
            let status = subject_fork(
                { _ in
                    // A child that hangs is ended by this signal.
                    alarm(5)
                    guard !LoadedImage.all().isEmpty, LoadedImage.changes > 0 else { return 2 }
                    return dlopen("libz.so.1", RTLD_NOW) == nil ? 3 : 0
                }, nil)
            if status != 0 { badChildren += 1 }
            if badChildren == 3 { break }
        }
        done.store(true, ordering: .relaxed)
        pthread_join(reader, nil)
        report("bad.children", badChildren)
    }

    /// Replaces the program while threads are being sampled; the new one prints `done`.
    static func execWhileSampled(_: [String]) throws {
        let sampler = try sampler(hertz: 1000)
        for _ in 0..<3 { _ = startThread { subject_burn_for(10_000_000_000) } }
        subject_burn_for(200_000_000)
        report("samples", sampler.statistics.samples)
        var arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup("sh"), strdup("-c"), strdup("sleep 0.3; echo done 1"), nil,
        ]
        execv("/bin/sh", &arguments)
        report("error", "execv: \(errno)")
        exit(1)
    }

    /// Loads and unloads a library all the time while threads burn.
    static func loadAndUnload(_: [String]) throws {
        let sampler = try sampler(hertz: 1000)
        let done = Atomic<Bool>(false)
        let threads = (0..<2).map { _ in
            startThread { while !done.load(ordering: .relaxed) { subject_burn_for(10_000_000) } }
        }
        var loads = 0
        for _ in 0..<150 {
            guard let library = dlopen("libz.so.1", RTLD_NOW) else { continue }
            loads += 1
            _ = LoadedImage.all()
            dlclose(library)
            poll(nil, 0, 5)
        }
        done.store(true, ordering: .relaxed)
        for thread in threads { pthread_join(thread, nil) }
        report("loads", loads)
        report("total", total(sampler.collect()))
        sampler.stop()
    }

    /// Nothing is left after the end: no timer, no thread, no handler, no sample.
    static func stopLeavesNothing(_: [String]) throws {
        let sampler = try sampler(hertz: 1000)
        let done = Atomic<Bool>(false)
        let threads = (0..<1).map { _ in
            startThread { while !done.load(ordering: .relaxed) { subject_burn_for(1_000_000) } }
        }
        subject_burn_for(300_000_000)
        sampler.stop()
        report("timers", subject_timers())
        report("owner", subject_signal_owner(SIGPROF))
        report("last", total(sampler.collect()) > 100_000_000 ? 1 : 0)
        let after = sampler.statistics
        subject_burn_for(200_000_000)
        report("late", sampler.statistics.samples - after.samples)
        report("nothing", total(sampler.collect()))
        done.store(true, ordering: .relaxed)
        for thread in threads { pthread_join(thread, nil) }
        report("threads", threadNames().joined(separator: ","))
    }

    /// One sampler after another, and never two.
    static func stopAndStartAgain(_: [String]) throws {
        var good = 0
        for _ in 0..<20 {
            let sampler = try sampler(hertz: 1000)
            if (try? Scenario.sampler(hertz: 10)) != nil { continue }
            subject_burn_for(40_000_000)
            sampler.stop()
            let total = total(sampler.collect())
            if total > 10_000_000, total < 80_000_000 { good += 1 }
        }
        report("good", good)
        report("timers", subject_timers())
    }

    /// The user has few queued signals left, and later no file can be opened.
    static func limits(_: [String]) throws {
        subject_limit_signals(8)
        let end = Atomic<Bool>(false)
        let threads = (0..<10).map { _ in
            startThread { while !end.load(ordering: .relaxed) { poll(nil, 0, 20) } }
        }
        let sampler = try sampler(hertz: 500)
        subject_burn_for(200_000_000)
        report("armed", subject_timers())
        account(sampler.statistics)
        subject_limit_files(3)
        let noticed = waitUntil {
            sampler.statistics.problems.contains { $0.contains("list threads") }
        }
        report("noticed", noticed ? 1 : 0)
        subject_burn_for(200_000_000)
        report("total", total(sampler.collect()))
        end.store(true, ordering: .relaxed)
        for thread in threads { pthread_join(thread, nil) }
        sampler.stop()
    }

    /// The images of this process.
    static func images(_: [String]) throws {
        let images = LoadedImage.all()
        var start: UInt64 = 0
        var limit: UInt64 = 0
        subject_burn_range(1, &start, &limit)
        let own = images.first
        report("count", images.count)
        report("program", own?.path ?? "")
        report("build.ids", images.count { $0.buildID != nil })
        report("vdso", images.count { $0.path == "[vdso]" && $0.buildID != nil })
        let holds = own?.segments.contains {
            $0.memoryStart.rawValue <= start && limit <= $0.memoryLimit.rawValue
        }
        report("holds", holds == true ? 1 : 0)
        for segment in own?.segments ?? [] {
            let line =
                String(segment.memoryStart.rawValue, radix: 16) + "-"
                + String(segment.memoryLimit.rawValue, radix: 16)
            report("segment", "\(line) \(segment.fileOffset.rawValue)")
        }
        var text = [UInt8](repeating: 0, count: 1 << 20)
        let file = open("/proc/self/maps", O_RDONLY)
        var length = 0
        while length < text.count {
            let count = text.withUnsafeMutableBytes { buffer in
                read(file, buffer.baseAddress.map { $0 + length }, buffer.count - length)
            }
            guard count > 0 else { break }
            length += count
        }
        print("maps begin")
        print(String(decoding: text.prefix(length), as: UTF8.self), terminator: "")
        print("maps end")
    }

    private static func threadNames() -> [String] {
        guard let folder = opendir("/proc/self/task") else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let tid = withUnsafePointer(to: &entry.pointee.d_name.0) { String(cString: $0) }
            guard Int(tid) != nil, let file = fopen("/proc/self/task/\(tid)/comm", "r")
            else { continue }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 64)
            if fgets(&buffer, 64, file) != nil {
                let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
                names.append(String(decoding: bytes, as: UTF8.self))
            }
        }
        return names
    }
}
