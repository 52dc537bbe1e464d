import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// Two processes do not hurt each other (RELIABILITY.md 7).
@Suite struct LockTests {
    private let folder: TempFolder
    private let clock = TestClock()

    init() throws { folder = try TempFolder() }

    private func take(
        _ mode: FolderLock.Mode, purpose: String = "make", note: (String) -> Void = { _ in }
    ) throws -> FolderLock? {
        try FolderLock.take(folder.bytes, mode, purpose: purpose, clock: clock, needsWriting: true, note: note)
    }

    private func holderFiles() throws -> [String] {
        try folder.files().map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix(".lock-") }
    }

    /// A lock's file as another process would have left it, `minutes` ago by the file system's stamp.
    private func leave(_ holder: LockHolder, _ mode: String = "exclusive", minutes: Int64 = 0) throws {
        let name = ".lock-\(mode)-0123456789abcdef"
        try folder.write(name, holder.text)
        let file = try Descriptor.open(folder.path(name), .write)
        let stamp = try file.status().mtimeNanoseconds - minutes * 60_000_000_000
        try FolderOperations.setModificationTime(stamp, of: file)
    }

    private func other(host: String = "elsewhere", boot: String = "another boot", pid: Int64 = 1) -> LockHolder {
        var holder = LockHolder(purpose: "gc", clock: clock)
        (holder.host, holder.boot, holder.pid) = (host, boot, pid)
        return holder
    }

    @Test func theSecondIsToldWhoHoldsIt() throws {
        let first = try take(.exclusive, purpose: "forget")
        for mode in [FolderLock.Mode.exclusive, .shared] {
            let error = try #require(throws: SnapcatError.self) { try take(mode) }
            #expect(error.code == .locked)
            let pid = ProcessInfo.processInfo.processIdentifier
            #expect(error.reason.contains("'snapcat forget' runs as process \(pid) on "), "\(error.description)")
        }
        withExtendedLifetime(first) {}
    }

    @Test func manyShareIt_andNobodyIsAloneMeanwhile() throws {
        var shared = [try take(.shared), try take(.shared), try take(.shared)]
        #expect(throws: SnapcatError.self) { try take(.exclusive) }
        shared = []
        #expect(try take(.exclusive) != nil && shared.isEmpty)
    }

    @Test func releasedItLeavesNothingBehind() throws {
        do { _ = try [take(.shared), take(.shared)] }
        do { _ = try take(.exclusive) }
        #expect(try holderFiles() == [])
    }

    @Test func theFileTellsHostProcessBootAndHeartbeat() throws {
        let lock = try take(.exclusive, purpose: "gc")
        let text = try folder.read(try #require(holderFiles().first))
        let holder = try #require(LockHolder(text))
        let same = LockHolder(purpose: "gc", clock: clock)
        #expect((holder.host, holder.pid, holder.boot, holder.purpose) == (same.host, same.pid, same.boot, same.purpose))
        #expect(holder.pid == Int64(ProcessInfo.processInfo.processIdentifier) && !holder.boot.isEmpty)
        #expect(holder.since == holder.heartbeat && holder.since.hasSuffix("Z"))
        try lock?.checkIsHeld()
    }

    @Test func aLockOfThisBootWhoseProcessHasEndedIsRemovedAndTold() throws {
        try leave(other(host: "whatever", boot: LockHolder.thisBoot))
        let notes = Mutex<[String]>([])
        let lock = try take(.exclusive) { note in notes.withLock { $0.append(note) } }
        #expect(notes.withLock { $0.count } == 1)
        #expect(notes.withLock { $0.first?.contains("'snapcat gc' runs as process 1 on whatever") } == true)
        #expect(try lock != nil && holderFiles().count == 1)
    }

    @Test func aLockOfThisMachineBeforeItWasStartedAnewIsStale_butNotThatOfAnotherOneOfItsName() throws {
        func state(silentSeconds: Int64, upSeconds: Int64, kernelLocks: Bool) -> LockHolder.State {
            LockHolder.state(
                other(host: ProcessInfo.processInfo.hostName), silenceNanoseconds: silentSeconds * 1_000_000_000, kernelLocks: kernelLocks,
                uptimeNanoseconds: upSeconds * 1_000_000_000)
        }
        for kernelLocks in [false, true] {
            #expect(state(silentSeconds: 120, upSeconds: 100, kernelLocks: kernelLocks) != .alive)
            #expect(state(silentSeconds: 100, upSeconds: 120, kernelLocks: kernelLocks) == .alive)
            // Of two that are started at once the one is slower to beat.
            #expect(state(silentSeconds: 29, upSeconds: 1, kernelLocks: kernelLocks) == .alive)
        }
        // This machine is up for longer than that.
        try leave(other(host: ProcessInfo.processInfo.hostName))
        #expect(throws: SnapcatError.self) { try take(.exclusive) }
    }

    @Test func aLockOfAnotherMachineHoldsAsLongAsItsHeartBeats() throws {
        for minutes: Int64 in [0, 9] {
            try leave(other(), minutes: minutes)
            #expect(throws: SnapcatError.self, "\(minutes)") { try take(.exclusive) }
            #expect(throws: SnapcatError.self, "\(minutes)") { try take(.shared) }
        }
        try leave(other(), minutes: 11)
        #expect(try take(.exclusive) != nil)
    }

    @Test func clocksThatLieMakeNoLockStale() throws {
        // Ours is a year ahead; the other's beat is of the future by the file system's own clock.
        clock.advance(hours: 24 * 365)
        try leave(other())
        #expect(throws: SnapcatError.self) { try take(.exclusive) }
        try leave(other(), minutes: -600)
        #expect(throws: SnapcatError.self) { try take(.exclusive) }
    }

    @Test func sharersOfAnotherMachineKeepNoSharerOut() throws {
        try leave(other(), "shared")
        #expect(try take(.shared) != nil)
        #expect(throws: SnapcatError.self) { try take(.exclusive) }
    }

    @Test func aFileOfThisBootThatWasNeverFilledIsStale() throws {
        try folder.write(".lock-exclusive-\(LockHolder.bootTag)12345678", [])
        #expect(try take(.shared) != nil)
        try folder.write(".lock-exclusive-\(LockHolder.bootTag)12345678", [])
        #expect(try take(.exclusive) != nil)
        // A sharer may be about to fill it: only who is alone knows.
        try folder.write(".lock-shared-\(LockHolder.bootTag)12345678", [])
        #expect(try take(.shared) != nil && holderFiles().count == 1)
        #expect(try take(.exclusive) != nil && holderFiles().isEmpty)
    }

    @Test func aTextThatACrashHasCutIsJudgedByItsAgeAlone() throws {
        for text in [[], Array(#"{"host": "x""#.utf8), [0xff, 0]] as [[UInt8]] {
            try folder.write(".lock-exclusive-0123456789abcdef", text)
            #expect(throws: SnapcatError.self) { try take(.exclusive) }
        }
        let file = try Descriptor.open(folder.path(".lock-exclusive-0123456789abcdef"), .write)
        try FolderOperations.setModificationTime(1_000_000_000, of: file)
        #expect(try take(.exclusive) != nil)
    }

    @Test func withoutLocksOfTheKernelTheProcessItselfDecides() {
        func state(_ holder: LockHolder) -> LockHolder.State {
            LockHolder.state(holder, silenceNanoseconds: 0, kernelLocks: false)
        }
        let own = LockHolder(purpose: "make", clock: clock)
        #expect(state(own) == .alive)
        #expect(state(other(host: own.host, boot: own.boot, pid: Int64(Int32.max))) != .alive)
        #expect(state(other(host: own.host, boot: own.boot, pid: -1)) != .alive)
        // Its number may be another's by now, as that of every first process of a container.
        let silent = LockHolder.state(own, silenceNanoseconds: LockHolder.mostSilentNanoseconds + 1, kernelLocks: false)
        #expect(silent != .alive)
    }

    @Test func aFullDiskLocksToo_butNotBesideAnotherMachine() throws {
        guard let disk = try SmallDisk.mount(kilobytes: 64) else { return }
        let root = Array(disk.path.utf8)
        func take() throws -> FolderLock? {
            try FolderLock.take(root, .exclusive, purpose: "gc", clock: clock, needsWriting: true, note: { _ in })
        }
        _ = try take()
        let name = root + Array("/.lock-shared-0123456789abcdef".utf8)
        for holder in [other(), other(boot: LockHolder.thisBoot)] {
            do {
                let file = try Descriptor.open(name, [.write, .create])
                try file.rewindAndTruncate()
                try file.writeAll(holder.text)
            }
            try disk.resize(leavingKilobytes: 0)
            // Of this boot, and its process has ended: it keeps nobody from making room.
            if holder.boot == LockHolder.thisBoot {
                let lock = try #require(try take())
                #expect(throws: SnapcatError.self) { try take() }
                try lock.checkIsHeld()
            } else {
                #expect(try #require(throws: SnapcatError.self) { try take() }.code == .locked)
            }
            try disk.resize(kilobytes: 64)
        }
    }

    @Test func whoLosesALockToAnotherMachineNoticesIt() throws {
        let lock = try take(.exclusive)
        try FolderOperations.removeFile(folder.path(try #require(holderFiles().first)))
        #expect(throws: SnapcatError.self) { try lock?.checkIsHeld() }
    }

    @Test func whoWaitsGetsItWhenItIsFree() async throws {
        let held = Mutex<FolderLock?>(try take(.exclusive, purpose: "gc"))
        let storage = BlockingStorage(LocalStorage(root: folder.path))
        let clock = clock
        let monitor = Monitor(note: { note in
            // The first one is told that it waits: then the other ends.
            if note.hasPrefix("waiting: ") { held.withLock { $0 = nil } }
        })
        try await WorkerThread.run("test", cancellation: CancellationFlag()) {
            let request = RepositoryLock.Request(purpose: "make", clock: clock, waitSeconds: .infinity, monitor: monitor)
            let lock = try RepositoryLock.ofSnapRoot(storage, request)
            #expect(lock != nil)
        }
        #expect(held.withLock { $0 == nil })
    }

    @Test func aRepairThatHasReadAllWaitsForTheMakeThatRunsThen() async throws {
        let folder = try TempFolder()
        try folder.write("source/a", Array("one\n".utf8))
        let repository = Repository(folder: folder.path + "/repo")
        _ = try await repository.make(folder.path + "/source")
        try folder.write("repo/heap/5b/5bbf5a52328e7439ae6e719dfe712200.gz", Array("junk".utf8))
        let make = Mutex(try repository.lockHeap("make", exclusive: false, .silent))
        let notes = Mutex<[String]>([])
        let monitor = Monitor(note: { note in
            notes.withLock { $0.append(note) }
            // The make ends.
            make.withLock { $0 = nil }
        })
        let summary = try await repository.repair(monitor: monitor) { _ in }
        #expect(summary.quarantined == 1 && summary.restored == 1)
        #expect(notes.withLock { $0.count == 1 && $0[0].contains("waiting") })
    }

    @Test func whoWaitsCanBeInterrupted() async throws {
        let held = try take(.exclusive)
        let storage = BlockingStorage(LocalStorage(root: folder.path))
        let clock = clock
        let cancellation = CancellationFlag()
        let monitor = Monitor(cancellation: cancellation, note: { _ in cancellation.cancel() })
        await #expect(throws: SnapcatError.self) {
            try await WorkerThread.run("test", cancellation: CancellationFlag()) {
                _ = try RepositoryLock.ofSnapRoot(
                    storage, RepositoryLock.Request(purpose: "make", clock: clock, waitSeconds: .infinity, monitor: monitor))
            }
        }
        withExtendedLifetime(held) {}
    }
}
