import Foundation
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// The locks of a repository (RELIABILITY.md 7). Readers take none.
///
/// The snap root's is for one alone: make, restore, forget, purge. The heap's is shared by all that add objects (one
/// heap may serve many snap roots), and for one alone who takes objects away: gc, undelete, repair. Who needs both
/// takes that of the snap root first.
package final class RepositoryLock: Sendable {
    private let lock: FolderLock

    private init(_ lock: FolderLock) { self.lock = lock }

    /// Throws `.locked` where another machine took it for stale meanwhile. Cost: two looks at a file.
    package func checkIsHeld() throws { try lock.checkIsHeld() }

    /// The time at which it was taken, by the clock that stamps the files there; nil where it could not be written.
    package var takenNanoseconds: Int64? { lock.takenNanoseconds }

    /// How a lock is taken.
    package struct Request {
        package var purpose: String
        package var clock: any WallClock
        /// So long the end of another holder is waited for, in seconds; 0: not at all.
        package var waitSeconds: Double
        package var monitor: Monitor
    }

    /// nil for a snap root that is not local: there creating a snapshot exclusively is all the safety there is.
    ///
    /// `needsWriting`: false for who only reads the repository. On a place that cannot be written the lock is then taken
    /// on the file that is there; where there is none, nobody else can take it either, and nil is returned.
    package static func ofSnapRoot(
        _ storage: BlockingStorage, needsWriting: Bool = true, _ request: Request
    ) throws -> RepositoryLock? {
        guard let local = storage.base.local else { return nil }
        return try take(local.root, .exclusive, needsWriting: needsWriting, request)
    }

    /// nil for a heap that is not local.
    package static func ofHeap(
        _ storage: BlockingStorage, exclusive: Bool, _ request: Request
    ) throws -> RepositoryLock? {
        guard let local = storage.base.local else { return nil }
        return try take(local.root, exclusive ? .exclusive : .shared, needsWriting: true, request)
    }

    private static func take(
        _ folder: [UInt8], _ mode: FolderLock.Mode, needsWriting: Bool, _ request: Request
    ) throws -> RepositoryLock? {
        let started = monotonicNanoseconds()
        var hasTold = false
        while true {
            do {
                let lock = try FolderLock.take(
                    folder, mode, purpose: request.purpose, clock: request.clock, needsWriting: needsWriting,
                    note: request.monitor.note)
                return lock.map { RepositoryLock($0) }
            } catch let error as SnapcatError where error.code == .locked {
                guard Double(monotonicNanoseconds() - started) / 1e9 < request.waitSeconds else { throw error }
                if !hasTold { request.monitor.note("waiting: \(error.what.lowercased()) '\(error.subject)': \(error.reason)") }
                hasTold = true
            }
            try request.monitor.cancellation.check()
            Thread.sleep(forTimeInterval: 0.1)
        }
    }
}

extension Repository {
    /// Keeps all others that write away from the snap root; nil where it is not local. What killed writers have left
    /// there is removed, with `needsWriting`.
    package func lockSnapRoot(_ purpose: String, needsWriting: Bool = true, _ monitor: Monitor) throws -> RepositoryLock? {
        let lock = try RepositoryLock.ofSnapRoot(snapshots.storage, needsWriting: needsWriting, request(purpose, monitor))
        if lock != nil && needsWriting { try snapshots.storage.base.local?.removeTemporaryFiles() }
        return lock
    }

    /// Keeps those away who take objects out of the heap, and with `exclusive` all others; nil where it is not local.
    package func lockHeap(_ purpose: String, exclusive: Bool, _ monitor: Monitor) throws -> RepositoryLock? {
        guard let heap else { return nil }
        return try RepositoryLock.ofHeap(heap.storage, exclusive: exclusive, request(purpose, monitor))
    }

    private func request(_ purpose: String, _ monitor: Monitor) -> RepositoryLock.Request {
        RepositoryLock.Request(purpose: purpose, clock: clock, waitSeconds: lockWaitSeconds, monitor: monitor)
    }
}
