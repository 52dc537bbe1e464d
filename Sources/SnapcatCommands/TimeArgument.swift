import ArgumentParser
import Snapcat

/// A span of time as an option's value: 90s, 30m, 12h, 30d, 8w.
enum TimeArgument {
    /// Microseconds. Throws `ValidationError` with the option's name.
    static func microseconds(_ text: String, _ option: String) throws -> Int64 {
        do throws(SnapcatError) {
            if let microseconds = try TimeText.duration(text) { return microseconds }
        } catch { throw ValidationError(error.description) }
        throw ValidationError("\(option) takes a time such as 30s, 10m, 24h or 7d, not '\(text)'")
    }
}
