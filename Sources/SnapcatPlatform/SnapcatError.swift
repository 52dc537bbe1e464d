/// The one error type of snapcat: what failed, on what, why, and what to do about it.
///
/// Its `description` is the line that the user sees. It never holds credentials: whoever builds one names
/// places by their description, not by their options.
public struct SnapcatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a caller can decide on. Each has one exit code (CLI.md).
    public enum Code: Sendable, Equatable {
        /// The operation failed: the world said no.
        case failed
        /// Bytes on disk are not what they must be.
        case damage
        /// The catalog is damaged: it is derived, and can be built anew.
        case catalogDamage
        /// The catalog cannot be written (read-only, full, no permission): a temporary one can serve.
        case catalogUnwritable
        /// Two contents with one md5, or one md5 with two sizes.
        case collision
        /// A query ran longer than it was allowed to.
        case timedOut
        /// No such key or file.
        case notFound
        /// Something else stands where a file must be: a folder, a pipe.
        case notAFile
        /// No such repository or snapshot.
        case noSnapshot
        /// The key to be created exists.
        case alreadyExists
        /// Another process holds the lock.
        case locked
        /// The request itself is wrong.
        case usage
        /// SIGINT, SIGTERM or a cancelled task.
        case interrupted
    }

    public var code: Code
    /// What was tried: "Cannot read the snapshot".
    public var what: String
    /// On which file, key or reference; shown in quotes. Empty where there is none.
    public var subject: String
    /// Why: the system's or the parser's word.
    public var reason: String
    /// What the user can do. Empty where nothing helps.
    public var advice: String
    /// True where trying again may help (network, busy).
    public var isTransient: Bool
    /// The system's error number, 0 where there is none.
    public var errorNumber: Int32

    public init(
        _ code: Code, _ what: String, _ subject: String = "", reason: String = "", advice: String = "",
        isTransient: Bool = false, errorNumber: Int32 = 0
    ) {
        self.code = code
        self.what = what
        self.subject = subject
        self.reason = reason
        self.advice = advice
        self.isTransient = isTransient
        self.errorNumber = errorNumber
    }

    /// One line, whatever the parts hold.
    public var description: String {
        var text = what
        if !subject.isEmpty { text += " '\(subject)'" }
        if !reason.isEmpty { text += ": \(reason)" }
        if !advice.isEmpty { text += " (\(advice))" }
        return TerminalText.oneLine(text)
    }
}

/// Text that is safe to show on one line of a terminal.
public enum TerminalText {
    /// Control characters as escapes, so that a hostile name can neither break the line nor drive the terminal.
    public static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Bytes as text: what is not UTF-8 becomes U+FFFD.
    public static func lossy(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            || (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }
}
