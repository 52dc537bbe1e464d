import SnapcatFormat
import SnapcatPlatform
import Synchronization

/// A clock that tests set, in a zone of their own: one that stands, or the machine's with a lie.
package final class TestClock: WallClock {
    /// Of the time, or of what is added to the machine's.
    private let now: Mutex<Int64>
    private let isRunning: Bool
    private let offset: @Sendable (Int64) -> Int

    /// `offset`: seconds east of UTC at a time in seconds since 1970.
    package init(nanoseconds: Int64, offset: @escaping @Sendable (Int64) -> Int = { _ in 0 }) {
        now = Mutex(nanoseconds)
        isRunning = false
        self.offset = offset
    }

    /// The machine's clock, until it is advanced.
    package init() {
        now = Mutex(0)
        isRunning = true
        offset = { _ in 0 }
    }

    package func advance(hours: Double) { now.withLock { $0 += Int64(hours * 3_600e9) } }
    package var nowNanoseconds: Int64 { now.withLock { $0 } + (isRunning ? SystemClock().nowNanoseconds : 0) }
    package var fileClockNanoseconds: Int64 { SystemClock().fileClockNanoseconds }
    package func localOffsetSeconds(at seconds: Int64) -> Int { offset(seconds) }
}
