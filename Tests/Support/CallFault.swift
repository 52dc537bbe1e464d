import Foundation
import Synchronization

/// What befalls a program at one of its calls of the system: it is killed there, or the call fails.
///
/// A small library is put before the C library's functions (`FaultLibrary`). It counts the calls of `kinds` that concern
/// files below `folder`, those of SQLite too.
package struct CallFault: Sendable, CustomStringConvertible {
    /// Kinds of calls, in the order of the library's counters.
    package enum Kind: String, CaseIterable, Sendable {
        case write, create, rename, link, unlink, mkdir, sync, truncate, metadata
        case open, read, list, stat

        /// Calls that change a file system.
        package static let changing: [Kind] = [.write, .create, .rename, .link, .unlink, .mkdir, .sync, .truncate, .metadata]
    }

    package enum Effect: Sendable {
        /// SIGKILL just before the call.
        case kill
        /// SIGKILL after half of the bytes of a write.
        case tear
        /// The call fails with an error number of the system; from then on all do, where `forever`.
        case fail(Int32, forever: Bool)
        /// A write takes half of its bytes only.
        case shorten(forever: Bool)
        /// Nothing: calls are counted.
        case none
    }

    package var kinds: [Kind]
    /// From 1.
    package var number: Int
    package var effect: Effect
    /// Instead of at a call: SIGKILL so long after the start, in microseconds.
    package var killAfterMicroseconds: Int?
    /// Opening a file whose path ends so is refused (EACCES), from the start.
    package var deniedSuffix: String?

    package init(_ kinds: [Kind] = Kind.changing, number: Int = 0, _ effect: Effect = .none) {
        (self.kinds, self.number, self.effect) = (kinds, number, effect)
    }

    package var description: String {
        if let killAfterMicroseconds { return "killed after \(killAfterMicroseconds) us" }
        let what = kinds == Kind.changing ? "changing" : kinds.map(\.rawValue).joined(separator: ",")
        let how = switch effect {
        case .kill: "killed"
        case .tear: "torn"
        case .fail(let error, let forever): String(cString: strerror(error)) + (forever ? " for ever" : "")
        case .shorten(let forever): "short" + (forever ? " for ever" : "")
        case .none: "counted"
        }
        return "\(what) call \(number): \(how)"
    }

    /// What the program did.
    package struct Result: Sendable {
        package var process: SnapcatProcess.Result
        package var counts: [Kind: Int]
        /// Calls of the kinds asked for.
        package var calls: Int
        /// Calls that failed, or were cut short, on purpose.
        package var hits: Int

        package var wasKilled: Bool { process.status == -SIGKILL }
    }

    /// Runs snapcat with this fault; only calls about files below `folder` count. Any end is a result.
    package func run(_ arguments: [String], below folder: TempFolder, environment: [String: String] = [:]) async throws -> Result {
        let counts = folder.path + "/.calls-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        defer {
            // It lies in a temporary folder: what is left goes with that.
            do { try FileManager.default.removeItem(atPath: counts) } catch {}
        }
        var variables = environment
        variables["LD_PRELOAD"] = try FaultLibrary.path()
        variables["SNAPCAT_TEST_BELOW"] = folder.path + "/"
        variables["SNAPCAT_TEST_COUNTS"] = counts
        variables["SNAPCAT_TEST_KINDS"] = String(kinds.reduce(0) { $0 | 1 << (Kind.allCases.firstIndex(of: $1) ?? 0) })
        if let killAfterMicroseconds { variables["SNAPCAT_TEST_KILL_AFTER"] = String(killAfterMicroseconds) }
        if let deniedSuffix { variables["SNAPCAT_TEST_DENY"] = deniedSuffix }
        let at = String(number)
        switch effect {
        case .kill: variables["SNAPCAT_TEST_KILL_AT"] = at
        case .tear: variables.merge(["SNAPCAT_TEST_KILL_AT": at, "SNAPCAT_TEST_TEAR": "1"]) { $1 }
        case .fail(let error, let forever):
            variables.merge(["SNAPCAT_TEST_FAIL_AT": at, "SNAPCAT_TEST_ERROR": String(error), "SNAPCAT_TEST_FOREVER": forever ? "1" : "0"]) { $1 }
        case .shorten(let forever):
            variables.merge(["SNAPCAT_TEST_FAIL_AT": at, "SNAPCAT_TEST_ERROR": "0", "SNAPCAT_TEST_FOREVER": forever ? "1" : "0"]) { $1 }
        case .none: break
        }
        let process = try await SnapcatProcess.run(arguments, environment: variables)
        let words = try Data(contentsOf: URL(fileURLWithPath: counts)).withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
        let perKind = zip(Kind.allCases, words).map { ($0, Int($1)) }
        return Result(process: process, counts: Dictionary(uniqueKeysWithValues: perKind), calls: Int(words[30]), hits: Int(words[31]))
    }

    private static let serial = Atomic<Int>(0)
}
