import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// The functions of SQL that give one value (CATALOG.md, "The stable contract").
extension FunctionSupport {
    /// `content` gives no more than this: a query's row is in memory whole.
    static let largestContent = 16 << 20

    var scalars: [ScalarFunction] { [ref, ts, bytes, human, modeText, content, contentText] }

    /// `ref('yesterday')`: the id of the snapshot.
    private var ref: ScalarFunction {
        ScalarFunction("ref", [1], isDeterministic: false) { arguments, connection in
            arguments[0] == .null ? .null : .integer(try snapshot(arguments[0], connection).id)
        }
    }

    /// `ts('2d')`: a time in microseconds since 1970.
    private var ts: ScalarFunction {
        ScalarFunction("ts", [1], isDeterministic: false) { arguments, _ in
            guard let text = arguments[0].plainText else { return .null }
            guard let time = try TimeText.parse(text, clock: clock) else {
                throw SnapcatError(.usage, "Not a time", text, advice: "write 2026-11-20, 2026-11-20T12:00:00Z, yesterday or 2d")
            }
            return .integer(time.microseconds)
        }
    }

    /// `bytes('2G')`: a size in bytes.
    private var bytes: ScalarFunction {
        ScalarFunction("bytes", [1], isDeterministic: true) { arguments, _ in
            guard let text = arguments[0].plainText else { return .null }
            guard let size = SizeText.bytes(text) else {
                throw SnapcatError(.usage, "Not a size", text, advice: "write 5000, 100K, 2M or 1G")
            }
            return .integer(size)
        }
    }

    /// `human(size)`: a size as people read it.
    private var human: ScalarFunction {
        ScalarFunction("human", [1], isDeterministic: true) { arguments, _ in
            guard let number = arguments[0].wholeNumber else { return .null }
            return .text(Array(HumanText.bytes(number).utf8))
        }
    }

    /// `mode_text(mode)`: as `ls -l` shows it.
    private var modeText: ScalarFunction {
        ScalarFunction("mode_text", [1], isDeterministic: true) { arguments, _ in
            guard let number = arguments[0].wholeNumber else { return .null }
            return .text(Array(HumanText.mode(number).utf8))
        }
    }

    /// `content(md5)`, or the first bytes of it: `content(md5, 100)`. NULL where the heap does not hold it.
    private var content: ScalarFunction {
        ScalarFunction("content", [1, 2], isDeterministic: false) { arguments, connection in
            try contentBytes(arguments, connection).map { .blob($0) } ?? .null
        }
    }

    /// The same as text; NULL for what is no text: a zero byte in its first 8000, as git has it.
    private var contentText: ScalarFunction {
        ScalarFunction("content_text", [1, 2], isDeterministic: false) { arguments, connection in
            guard let bytes = try contentBytes(arguments, connection), !bytes.prefix(8000).contains(0) else { return .null }
            return .text(bytes)
        }
    }

    private func contentBytes(_ arguments: [QueryValue], _ connection: FunctionConnection) throws -> [UInt8]? {
        guard let text = arguments[0].plainText else { return nil }
        guard let md5 = MD5Digest(hex: text.lowercased()) else {
            throw SnapcatError(.usage, "Not a md5", text, advice: "give 32 hex digits")
        }
        guard arguments.count > 1 else { return try content(md5, limit: Self.largestContent, cuts: false, connection) }
        guard let count = arguments[1].wholeNumber, (0...Int64(Self.largestContent)).contains(count) else {
            throw SnapcatError(.usage, "Not a number of bytes up to \(Self.largestContent)", arguments[1].plainText ?? "NULL")
        }
        return try content(md5, limit: Int(count), cuts: true, connection)
    }
}

extension QueryValue {
    /// nil for what is no number.
    fileprivate var wholeNumber: Int64? {
        switch self {
        case .integer(let value): value
        case .real(let value): Int64(exactly: value.rounded())
        case .text(let bytes): Int64(TerminalText.lossy(bytes))
        case .null, .blob: nil
        }
    }
}
