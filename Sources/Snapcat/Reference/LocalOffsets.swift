import SnapcatPlatform

/// The offsets from UTC that a local time may have: one; two where the zone repeats it; none where it skips
/// it.
///
/// A zone is known only by its offset at a moment. So the offsets in force around are collected, and each is
/// tried: it fits if the moment that it gives has it. That needs no assumption on the size of a change.
struct LocalOffsets {
    /// Seconds east of UTC: those that fit, else those before and after the change that skips the time.
    let choices: [Int]
    let isSkipped: Bool

    /// The one offset that fits, nil where the time is skipped or repeated.
    var only: Int? { choices.count == 1 && !isSkipped ? choices[0] : nil }

    /// `local`: seconds since 1970 as if the local time were UTC.
    init(of local: Int64, _ clock: any WallClock) {
        // No zone is further than a day from UTC; every hour is asked, so that two changes in a day are seen.
        let around = Set((-26...26).map { clock.localOffsetSeconds(at: local + $0 * 3600) })
        let fitting = around.filter { clock.localOffsetSeconds(at: local - Int64($0)) == $0 }
        isSkipped = fitting.isEmpty
        if isSkipped {
            let moments = [around.max(), around.min()].compactMap { $0 }.map { local - Int64($0) }
            choices = moments.map { clock.localOffsetSeconds(at: $0) }
        } else {
            // The larger offset is the earlier moment.
            choices = fitting.sorted(by: >)
        }
    }

    /// `+05:30`, with seconds where there are some, as Python writes it.
    static func name(_ seconds: Int) -> String {
        func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let size = abs(seconds)
        let minutes = "\(seconds < 0 ? "-" : "+")\(pad(size / 3600)):\(pad(size / 60 % 60))"
        return size % 60 == 0 ? minutes : minutes + ":\(pad(size % 60))"
    }
}
