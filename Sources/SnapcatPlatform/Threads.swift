import CPlatform
import Foundation
import Synchronization

/// Set by a signal or a cancelled task; long work looks at it once per file.
public final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public var isCancelled: Bool { flag.load(ordering: .relaxed) }

    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// For the next work.
    package func clear() { flag.store(false, ordering: .relaxed) }

    /// Throws `.interrupted` once cancelled.
    public func check() throws {
        if isCancelled { throw SnapcatError(.interrupted, "Interrupted") }
    }
}

/// A bounded queue between threads. Closing it ends both sides: `push` then refuses, `pop` drains and returns nil.
package final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    // Unchecked: `items` and `isClosed` are only touched with `condition` locked.
    private let condition = NSCondition()
    private var items: [Element?] = []
    private var head = 0
    private var isClosed = false
    private let capacity: Int

    package init(capacity: Int) { self.capacity = capacity }

    /// Waits for room. False where the queue is closed and the element was not taken.
    package func push(_ element: Element) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while items.count - head >= capacity && !isClosed { condition.wait() }
        if isClosed { return false }
        items.append(element)
        condition.broadcast()
        return true
    }

    /// Waits for an element. nil once the queue is closed and empty.
    package func pop() -> Element? {
        condition.lock()
        defer { condition.unlock() }
        while items.count == head && !isClosed { condition.wait() }
        guard head < items.count else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head > 64 && head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        // Who pushes is woken for half a queue, not for each element: a change of threads costs more than one is worth.
        if (items.count - head) * 2 <= capacity { condition.broadcast() }
        return element
    }

    package func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}

/// A value that one thread sets once and others wait for.
package final class Promise<Value: Sendable>: @unchecked Sendable {
    // Unchecked: `value` is only touched with `condition` locked.
    private let condition = NSCondition()
    private var value: Value?

    package init() {}

    package func set(_ new: Value) {
        condition.lock()
        value = new
        condition.broadcast()
        condition.unlock()
    }

    package func wait() -> Value {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value { return value }
            condition.wait()
        }
    }
}

/// Who waits for a thread's result: woken by the first end only.
private final class Waiter<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = Mutex(continuation) }

    func end(_ result: Result<Value, any Error>) {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(with: result)
    }
}

/// Threads of our own: blocking work (system calls, gzip, md5) must not occupy Swift's small thread pool.
package enum WorkerThread {
    /// Starts a thread and returns what to wait for.
    package static func start<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws -> Value
    ) -> Promise<Result<Value, any Error>> {
        let promise = Promise<Result<Value, any Error>>()
        detach(name) { promise.set(Result { try body() }) }
        return promise
    }

    /// Starts a thread that nobody waits for.
    package static func detach(_ name: String, stackBytes: Int = 4 << 20, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // Foundation's name does not reach the system on Linux.
            cplatform_name_thread(name)
            body()
        }
        thread.stackSize = stackBytes
        thread.start()
    }

    /// Runs blocking `body` on a thread of its own; a cancelled task sets `cancellation`.
    package static func run<Value: Sendable>(
        _ name: String, cancellation: CancellationFlag, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await run(name, cancellation: cancellation, abandonable: { _ in try body() })
    }

    /// The same, where the caller need not wait for the end: `abandon` gives it an error at once. The thread goes on
    /// until `body` returns, and what it returns is dropped.
    package static func run<Value: Sendable>(
        _ name: String, cancellation: CancellationFlag,
        abandonable body: @escaping @Sendable (_ abandon: @escaping @Sendable (any Error) -> Void) throws -> Value
    ) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(continuation)
                detach(name, stackBytes: 8 << 20) { waiter.end(Result { try body { waiter.end(.failure($0)) } }) }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Waits, on one of our own threads, for asynchronous work. Never call it from Swift's thread pool.
    package static func wait<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let promise = Promise<Result<Value, any Error>>()
        Task.detached {
            do { promise.set(.success(try await body())) } catch { promise.set(.failure(error)) }
        }
        return try promise.wait().get()
    }
}
