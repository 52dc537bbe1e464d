import SnapcatPlatform

/// What a fuzzer feeds: each target takes any bytes, and throws where a claim about them does not hold.
///
/// Claims, not only "it does not crash": two parsers agree, what is read and written again is the same, and the time
/// follows the length.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case line, companion, gzip, content, reference, pattern, name, function, query

    /// A claim that did not hold.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Longer inputs say nothing new, and take long where an answer may cost pattern times name.
    package var longestInput: Int {
        switch self {
        case .line, .companion, .gzip, .content: 1 << 16
        case .reference, .pattern, .name: 4096
        case .function, .query: 1024
        }
    }

    /// Tries one input. Throws `Failure` where a claim does not hold or it took longer than its length allows.
    package func run(_ input: [UInt8]) throws {
        let start = ThreadTime.nanoseconds()
        try check(input)
        let milliseconds = (ThreadTime.nanoseconds() - start) / 1_000_000
        // Of the thread: a busy machine does not count. A checked build with a sanitizer needs a tenth of it.
        let most = mostMilliseconds + Int64(input.count) / 5
        if milliseconds > most { throw Failure(description: "\(input.count) bytes took \(milliseconds) ms, over \(most)") }
    }

    /// A query may scan; its own limit is a second.
    private var mostMilliseconds: Int64 { self == .query ? 4000 : 1000 }

    private func check(_ input: [UInt8]) throws {
        switch self {
        case .line: try LineFuzz.check(input)
        case .companion: try CompanionFuzz.check(input)
        case .gzip: try GzipFuzz.check(input)
        case .content: try GzipFuzz.checkContent(input)
        case .reference: try ReferenceFuzz.check(input)
        case .pattern: try PatternFuzz.check(input)
        case .name: try NameFuzz.check(input)
        case .function: try QueryFuzz.shared.get().checkFunctions(input)
        case .query: try QueryFuzz.shared.get().check(input)
        }
    }
}

/// Throws where a claim does not hold.
func claim(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw FuzzTarget.Failure(description: what()) }
}

/// The error of a call that may fail with a `SnapcatError` only; any other is a failure.
func outcome<R>(_ body: () throws -> R) throws -> Result<R, SnapcatError> {
    do { return .success(try body()) } catch let error as SnapcatError {
        try claim(!error.description.utf8.contains(0x0a), "an error of two lines: \(error)")
        return .failure(error)
    } catch { throw FuzzTarget.Failure(description: "an error of another kind: \(error)") }
}

extension Result {
    var success: Success? { if case .success(let value) = self { value } else { nil } }
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
