import Foundation
import GRDBSQLite
import SnapcatPlatform

/// What a pattern says of a name.
package typealias NameMatcher = @Sendable (UnsafeRawBufferPointer) -> Bool

/// The SQL functions that search names by pattern. The views need none of them.
///
/// - `path_match(pattern, name)`: the globs of this program, given by whoever installs them.
/// - `regexp(pattern, text)`, also as `text REGEXP pattern`: POSIX extended regular expressions over bytes, as
///   `grep -E` has them; `(?i)` at the start makes them blind to the case of ASCII letters.
/// - `fold_case(text)`: lower case, of all letters of Unicode.
package enum PatternFunctions {
    /// Without `globs` there is no `path_match`.
    package static func install(on connection: OpaquePointer, globs: (@Sendable ([UInt8]) -> NameMatcher)?) {
        if let globs { installGlobs(globs, on: connection) }
        sqlite3_create_function_v2(
            connection, "regexp", 2, flags, nil,
            { context, _, values in
                PatternFunctions.match(context, values) { pattern in
                    do throws(SnapcatError) {
                        let expression = try RegularExpression(pattern)
                        return Matcher { expression.matches($0) }
                    } catch {
                        sqlite3_result_error(context, error.description, -1)
                        return nil
                    }
                }
            }, nil, nil, nil)
        sqlite3_create_function_v2(
            connection, "fold_case", 1, flags, nil, { context, _, values in PatternFunctions.foldCase(context, values) },
            nil, nil, nil)
    }

    private static let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS

    private static func installGlobs(_ globs: @escaping @Sendable ([UInt8]) -> NameMatcher, on connection: OpaquePointer) {
        let compiler = Unmanaged.passRetained(Compiler(globs)).toOpaque()
        sqlite3_create_function_v2(
            connection, "path_match", 2, flags, compiler,
            { context, _, values in
                PatternFunctions.match(context, values) { pattern in
                    guard let data = sqlite3_user_data(context) else { return nil }
                    return Matcher(Unmanaged<Compiler>.fromOpaque(data).takeUnretainedValue().compile(pattern))
                }
            }, nil, nil, { data in data.map { Unmanaged<Compiler>.fromOpaque($0).release() } })
    }

    /// The pattern is compiled once for all rows of a statement: SQLite keeps it beside the first argument.
    private static func match(
        _ context: OpaquePointer?, _ values: UnsafeMutablePointer<OpaquePointer?>?,
        _ compile: ([UInt8]) -> Matcher?
    ) {
        guard let values, let pattern = bytes(values[0]), let text = bytes(values[1]) else {
            return sqlite3_result_null(context)
        }
        if let kept = sqlite3_get_auxdata(context, 0) {
            let matcher = Unmanaged<Matcher>.fromOpaque(kept).takeUnretainedValue()
            return sqlite3_result_int(context, matcher.matches(text) ? 1 : 0)
        }
        guard let matcher = compile(Array(pattern)) else { return }
        sqlite3_result_int(context, matcher.matches(text) ? 1 : 0)
        sqlite3_set_auxdata(
            context, 0, Unmanaged.passRetained(matcher).toOpaque(),
            { kept in kept.map { Unmanaged<Matcher>.fromOpaque($0).release() } })
    }

    /// nil for NULL. A text ends with a NUL, which is not counted.
    private static func bytes(_ value: OpaquePointer?) -> UnsafeRawBufferPointer? {
        guard sqlite3_value_type(value) != SQLITE_NULL, let text = sqlite3_value_text(value) else { return nil }
        return UnsafeRawBufferPointer(start: text, count: Int(sqlite3_value_bytes(value)))
    }

    private static func foldCase(_ context: OpaquePointer?, _ values: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let values, let text = bytes(values[0]) else { return sqlite3_result_null(context) }
        withUnsafeTemporaryAllocation(byteCount: max(1, text.count), alignment: 1) { buffer in
            var isASCII = true
            for (index, byte) in text.enumerated() {
                if byte >= 0x80 { isASCII = false }
                buffer[index] = (0x41...0x5a).contains(byte) ? byte + 0x20 : byte
            }
            if !isASCII, let whole = String(validating: text, as: UTF8.self) {
                return whole.lowercased().withCString { sqlite3_result_text(context, $0, -1, copied) }
            }
            sqlite3_result_text(
                context, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(text.count), copied)
        }
    }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private final class Compiler: Sendable {
        let compile: @Sendable ([UInt8]) -> NameMatcher
        init(_ compile: @escaping @Sendable ([UInt8]) -> NameMatcher) { self.compile = compile }
    }

    private final class Matcher {
        let matches: (UnsafeRawBufferPointer) -> Bool
        init(_ matches: @escaping (UnsafeRawBufferPointer) -> Bool) { self.matches = matches }
    }
}

/// A POSIX extended regular expression over bytes: the system's, whose time grows with the text alone.
package final class RegularExpression {
    private var compiled = regex_t()
    private var isCompiled = false

    /// Throws `.usage` for what is none.
    package init(_ pattern: [UInt8]) throws(SnapcatError) {
        let ignoresCase = pattern.starts(with: "(?i)".utf8)
        let text = String(decoding: ignoresCase ? pattern.dropFirst(4) : pattern[...], as: UTF8.self)
        let code = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB | (ignoresCase ? REG_ICASE : 0))
        guard code == 0 else {
            var message = [CChar](repeating: 0, count: 200)
            regerror(code, &compiled, &message, message.count)
            let reason = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw SnapcatError(.usage, "Not a regular expression", text, reason: TerminalText.lossy(reason))
        }
        isCompiled = true
    }

    deinit { if isCompiled { regfree(&compiled) } }

    /// The text must end with a NUL, as those of SQLite do; it is looked at up to the first.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress?.assumingMemoryBound(to: CChar.self) else { return false }
        return regexec(&compiled, start, 0, nil, 0) == 0
    }
}
