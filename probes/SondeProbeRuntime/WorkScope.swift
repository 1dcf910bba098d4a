// SPDX-License-Identifier: Apache-2.0
// What a piece of the program's work belongs to: a trace, a span, labels; readable at a hit.

internal import CSondeProbe
internal import SondeLock
internal import SondeModel
internal import Synchronization

/// A trace, a span and labels that hold for a piece of work.
///
/// A task-local value, so that it follows asynchronous work from thread to thread and into child
/// tasks; around synchronous work a variable of the thread as well. Both can be read at a hit without
/// a call: see `scope.h`.
package struct WorkScope: Sendable {
    // The layout of `struct sonde_scope`: the ids' bytes in order, so each word is big-endian.
    private var traceHigh: UInt64 = 0
    private var traceLow: UInt64 = 0
    private var span: UInt64 = 0
    private var labels: UInt64 = 0

    @TaskLocal private static var current = WorkScope()

    private static let invalid = Atomic<UInt64>(0)
    private static let isLearnt = Atomic<Bool>(false)

    /// Trace parents that were given and were not valid.
    package static var invalidTraceParents: UInt64 { invalid.load(ordering: .relaxed) }

    /// The scope around this code with another trace; as it is when the text is not valid, which
    /// is counted.
    package static func with(traceParent: String) -> WorkScope {
        var scope = current
        guard let parent = TraceParent(traceParent) else {
            // Relaxed: a number by itself.
            invalid.wrappingAdd(1, ordering: .relaxed)
            return scope
        }
        scope.traceHigh = parent.trace.high.bigEndian
        scope.traceLow = parent.trace.low.bigEndian
        scope.span = parent.span.bigEndian
        return scope
    }

    /// The scope around this code with more labels; of two with the same name the inner one counts.
    package static func with(labels: [String: String]) -> WorkScope {
        var scope = current
        scope.labels = ScopeLabels.number(of: labels, inside: scope.labels)
        return scope
    }

    /// Runs synchronous work in this scope.
    package func run<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var before = sonde_scope_before()
        withUnsafePointer(to: self) { scope in
            // Safety: this struct is laid out as the C one, of which it holds every byte.
            scope.withMemoryRebound(to: sonde_scope.self, capacity: 1) {
                sonde_scope_enter($0, &before)
            }
        }
        defer { sonde_scope_leave(&before) }
        var outcome: Swift.Result<Result, Failure>?
        // For tasks that the work starts, which inherit it.
        Self.$current.withValue(self) {
            do throws(Failure) {
                outcome = .success(try body())
            } catch {
                outcome = .failure(error)
            }
        }
        switch outcome {
        case .success(let result): return result
        case .failure(let error): throw error
        // `withValue` ran the closure, which sets it; there is nothing else to return.
        case nil: return try body()
        }
    }

    /// Runs asynchronous work in this scope, on whatever threads it gets.
    package func run<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await Self.$current.withValue(
            self,
            operation: {
                Self.learn()
                return try await body()
            }, isolation: isolation)
    }

    /// Learns how a hit finds the current task and its scope; does nothing the next time.
    ///
    /// - Returns: Why hits see no task, or `nil`.
    @discardableResult
    static func learn() -> String? {
        guard !isLearnt.exchange(true, ordering: .acquiringAndReleasing) else { return nil }
        // Safety: a task-local value's key is the object that declares it, which lives for ever.
        let key = Unmanaged.passUnretained($current).toOpaque()
        switch sonde_scope_learn(key) {
        case SONDE_SCOPE_OK: return nil
        case SONDE_SCOPE_NO_TASK: return "there is no current task"
        case SONDE_SCOPE_DYNAMIC_TLS: return "the Swift concurrency runtime was loaded late"
        case SONDE_SCOPE_NO_CURRENT: return "it was not found where a thread keeps its task"
        default: return "it was not found where a task keeps its local values"
        }
    }

    /// Learns it in a task that runs at once on this thread, before anybody set a scope.
    ///
    /// - Returns: Why hits see no task, or `nil`.
    package static func learnInTask() -> String? {
        let outcome = Locked<String?>(nil)
        // No thread of the concurrency runtime is started: the executor runs the task right here.
        _ = Task(executorPreference: InlineExecutor.shared) {
            $current.withValue(WorkScope()) {
                let problem = learn()
                outcome.withLock { $0 = problem }
            }
        }
        return outcome.withLock { $0 }
    }

    /// What a hit on this thread would see now: for tests.
    static func seenByHit() -> (header: RecordHeader, labels: [Label]) {
        var scope = sonde_scope()
        var task: UInt64 = 0
        sonde_hit_scope(&scope, &task)
        var header = RecordHeader()
        header.trace = withUnsafeBytes(of: &scope.trace_id) { Array($0) }
        header.span = withUnsafeBytes(of: &scope.span_id) { Array($0) }
        header.task = task
        header.labels = scope.labels
        return (header, ScopeLabels.labels(of: scope.labels))
    }
}

/// Runs each job where it is given.
private final class InlineExecutor: TaskExecutor {
    static let shared = InlineExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        UnownedJob(job).runSynchronously(on: asUnownedTaskExecutor())
    }
}
