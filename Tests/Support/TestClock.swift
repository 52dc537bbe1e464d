import SnapcatFormat
import SnapcatPlatform
import Synchronization

/// A clock that tests set, in a zone of their own.
package final class TestClock: WallClock {
    private let now: Mutex<Int64>
    private let offset: @Sendable (Int64) -> Int

    /// `offset`: seconds east of UTC at a time in seconds since 1970.
    package init(nanoseconds: Int64, offset: @escaping @Sendable (Int64) -> Int = { _ in 0 }) {
        now = Mutex(nanoseconds)
        self.offset = offset
    }

    /// The machine's time now.
    package convenience init() { self.init(nanoseconds: SystemClock().nowNanoseconds) }

    package func advance(hours: Double) { now.withLock { $0 += Int64(hours * 3_600e9) } }
    package var nowNanoseconds: Int64 { now.withLock { $0 } }
    package var fileClockNanoseconds: Int64 { SystemClock().fileClockNanoseconds }
    package func localOffsetSeconds(at seconds: Int64) -> Int { offset(seconds) }
}
