import Snapcat
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport

/// References to snapshots, times, durations and sizes, as users write them.
enum ReferenceFuzz {
    /// A zone that is east of UTC, and changes at some times.
    private static let clock = TestClock(nanoseconds: 1_795_218_531_220_298_000) { $0 % 40_000_000 < 20_000_000 ? 3600 : 7200 }

    private static let candidates = [0, 1_795_218_531_220_298, 1_795_218_531_220_299, 253_402_300_799_999_999].enumerated().map {
        SnapshotCandidate(name: SnapshotName(time: SnapshotTime(microseconds: Int64($1))), isDamaged: $0 == 1)
    }

    static func check(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let reference = try outcome({ try SnapshotReference.parse(text, clock: clock) }).success {
            // As it shows itself it is read again, and is the same.
            let again = try SnapshotReference.parse(reference.text, clock: clock)
            try claim(again == reference, "\(reference) reads back as \(again)")
            if let name = try outcome({ try reference.resolve(in: candidates) }).success {
                try claim(candidates.contains { $0.name == name }, "\(name) is none of the candidates")
            }
        }
        if let (reference, rest) = try outcome({ try SnapshotReference.parse(argument: input, clock: clock) }).success, let rest {
            let prefix = input.dropLast(rest.count)
            try claim(prefix.last == UInt8(ascii: ":"), "no colon before the rest")
            let alone = try SnapshotReference.parse(String(decoding: prefix.dropLast(), as: UTF8.self), clock: clock)
            try claim(alone == reference, "\(reference) alone is \(alone)")
        }
        if let time = try outcome({ try TimeText.parse(text, clock: clock) }).success ?? nil {
            try claim(SnapshotTime.nameable.contains(time), "\(time) cannot be the time of a snapshot")
            try claim(SnapshotName(stem: SnapshotName(time: time).stem)?.time == time, "\(time) has no name that reads back")
        }
        if let duration = try outcome({ try TimeText.duration(text) }).success ?? nil { try claim(duration >= 0, "\(duration)") }
        _ = try outcome { try DurationText.nanoseconds(text) }
        if let size = SizeText.bytes(text) { try claim(size >= 0, "\(size)") }
    }
}
