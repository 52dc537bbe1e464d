import CPlatform

/// Where the time comes from: injected, so that tests can turn the clock.
public protocol WallClock: Sendable {
    /// Nanoseconds since 1970, UTC.
    var nowNanoseconds: Int64 { get }
    /// The same by the clock that stamps files: never ahead of a stamp given later.
    var fileClockNanoseconds: Int64 { get }
    /// Seconds east of UTC in the user's zone at `seconds` since 1970.
    func localOffsetSeconds(at seconds: Int64) -> Int
}

/// The machine's clocks and zone.
public struct SystemClock: WallClock {
    public init() {}
    public var nowNanoseconds: Int64 { cplatform_wall_clock_ns() }
    public var fileClockNanoseconds: Int64 { cplatform_file_clock_ns() }
    public func localOffsetSeconds(at seconds: Int64) -> Int { cplatform_local_offset(seconds) }
}

/// Elapsed time for progress and timeouts.
package func monotonicNanoseconds() -> Int64 { cplatform_monotonic_ns() }
