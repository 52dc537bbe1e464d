import CPlatform
import Foundation
import SnapcatFormat
import SnapcatPlatform

/// Who holds a lock: the text of a file beside it (RELIABILITY.md 7).
struct LockHolder: Equatable, Sendable {
    var host: String
    var pid: Int64
    /// Of this boot of the machine; empty where the system does not tell.
    var boot: String
    var purpose: String
    var since: String
    var heartbeat: String

    /// This process.
    init(purpose: String, clock: any WallClock) {
        host = ProcessInfo.processInfo.hostName
        pid = Int64(ProcessInfo.processInfo.processIdentifier)
        boot = Self.thisBoot
        self.purpose = purpose
        since = Self.time(clock)
        heartbeat = since
    }

    /// nil for what is no such text, as after a crash of the machine.
    init?(_ text: [UInt8]) {
        let value: JSONValue
        do throws(JSONScanner.Failure) { value = try JSONValue(parsing: text) } catch { return nil }
        guard let host = value["host"]?.stringText, let pid = value["pid"]?.integerValue,
            let boot = value["boot_id"]?.stringText
        else { return nil }
        (self.host, self.pid, self.boot) = (host, pid, boot)
        purpose = value["purpose"]?.stringText ?? "?"
        since = value["since"]?.stringText ?? "?"
        heartbeat = value["heartbeat"]?.stringText ?? "?"
    }

    var text: [UInt8] {
        JSONValue.object([
            ("host", .text(host)), ("pid", .integer(pid)), ("boot_id", .text(boot)), ("purpose", .text(purpose)),
            ("since", .text(since)), ("heartbeat", .text(heartbeat)),
        ]).bytes
    }

    var description: String { "'snapcat \(purpose)' runs as process \(pid) on \(host) since \(since)" }

    static func time(_ clock: any WallClock) -> String { SnapshotTime(microseconds: clock.nowNanoseconds / 1000).iso8601 }

    static let thisBoot: String = {
        var bytes = [CChar](repeating: 0, count: 64)
        cplatform_boot_id(&bytes)
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    /// Eight digits of it, for names of files.
    static let bootTag = String((thisBoot.filter(\.isHexDigit) + "00000000").prefix(8)).lowercased()

    /// What can be said of a holder whose file's own lock (of the kernel) is not held.
    enum State: Equatable, Sendable {
        case alive
        /// Ended without releasing it, with the reason.
        case dead(String)
    }

    /// Beats are this far apart.
    static let beatSeconds = 30.0
    /// With less silence another one of this machine's name may live, however short this machine is up.
    static let leastSilentNanoseconds: Int64 = 60_000_000_000
    /// Without a beat for so long a holder on another machine counts as dead.
    static let mostSilentNanoseconds: Int64 = 600_000_000_000

    /// `silence`: since the last beat, by the stamps of the file system that holds the lock, so that no machine's own
    /// clock counts. `kernelLocks`: the file system has locks of the kernel, which end with their process. `uptime`: of
    /// this machine. Who has shown a sign of life since it was started lives on another one of the same name.
    static func state(
        _ holder: LockHolder?, silenceNanoseconds silence: Int64, kernelLocks: Bool,
        thisHost: String = ProcessInfo.processInfo.hostName, thisBoot: String = thisBoot, uptimeNanoseconds uptime: Int64 = cplatform_uptime_ns()
    ) -> State {
        if let holder, !holder.boot.isEmpty, holder.boot == thisBoot {
            if kernelLocks || cplatform_process_exists(holder.pid) == 0 { return .dead("the process has ended") }
            // Its number may be another's by now: the heartbeat decides.
        } else if let holder, holder.host == thisHost, silence > max(uptime, leastSilentNanoseconds) {
            return .dead("the machine has been started anew since")
        }
        if silence > mostSilentNanoseconds {
            return .dead("no sign of life for \(silence / 60_000_000_000) minutes")
        }
        return .alive
    }
}
