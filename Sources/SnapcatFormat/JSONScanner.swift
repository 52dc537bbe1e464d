import SnapcatPlatform

/// A strict scanner over the JSON of one line, as Python's `json.loads` accepts it.
///
/// It finds the extent of values without building them: a line is read in one pass, with no allocation.
package struct JSONScanner {
    package enum Kind { case string, number, object, array, literal }

    /// One value: where it is, and what it is. For a string `range` is the contents between the quotes.
    package struct Value {
        package var range: Range<Int>
        package var kind: Kind
        /// A string with a backslash in it.
        package var isEscaped = false
    }

    package struct Failure: Error {
        package var reason: String
        package var offset: Int
    }

    /// Deeper nesting is damage (FORMAT.md).
    private static let deepestNesting = 500

    package let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0
    /// A byte above 0x7f was seen: the line has to be checked for UTF-8.
    package private(set) var hasNonASCII = false

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Steps through the members of the object that is the whole text.
    package mutating func members(
        _ body: (_ key: Value, _ value: Value) throws(Failure) -> Void
    ) throws(Failure) {
        skipSpace()
        try expect(UInt8(ascii: "{"), "the line is no JSON object")
        skipSpace()
        if peek == UInt8(ascii: "}") {
            position += 1
        } else {
            while true {
                guard peek == UInt8(ascii: "\"") else { throw failure("a key was expected") }
                let key = try string()
                skipSpace()
                try expect(UInt8(ascii: ":"), "':' was expected")
                skipSpace()
                try body(key, try value(depth: 1))
                skipSpace()
                if peek == UInt8(ascii: ",") {
                    position += 1
                    skipSpace()
                    continue
                }
                try expect(UInt8(ascii: "}"), "',' or '}' was expected")
                break
            }
        }
        skipSpace()
        if position < bytes.count { throw failure("more text after the object") }
        if hasNonASCII && !UTF8Check.isValid(bytes) { throw failure("not UTF-8") }
    }

    /// Steps over one value.
    package mutating func value(depth: Int = 0) throws(Failure) -> Value {
        let start = position
        switch peek {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try container(depth: depth)
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        case UInt8(ascii: "N"): try literal("NaN")
        case UInt8(ascii: "I"): try literal("Infinity")
        default: return try number()
        }
        return Value(range: start..<position, kind: .literal)
    }

    private mutating func container(depth: Int) throws(Failure) -> Value {
        guard depth < Self.deepestNesting else { throw failure("nested deeper than \(Self.deepestNesting) levels") }
        let start = position
        let isObject = bytes[position] == UInt8(ascii: "{")
        let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        position += 1
        skipSpace()
        if peek == close {
            position += 1
            return Value(range: start..<position, kind: isObject ? .object : .array)
        }
        while true {
            if isObject {
                guard peek == UInt8(ascii: "\"") else { throw failure("a key was expected") }
                _ = try string()
                skipSpace()
                try expect(UInt8(ascii: ":"), "':' was expected")
                skipSpace()
            }
            _ = try value(depth: depth + 1)
            skipSpace()
            if peek == UInt8(ascii: ",") {
                position += 1
                skipSpace()
                continue
            }
            try expect(close, "the end of a value was expected")
            return Value(range: start..<position, kind: isObject ? .object : .array)
        }
    }

    private mutating func string() throws(Failure) -> Value {
        position += 1
        let start = position
        var escaped = false
        while position < bytes.count {
            skipPlain()
            guard position < bytes.count else { break }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return Value(range: start..<position - 1, kind: .string, isEscaped: escaped)
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                try escape()
                continue
            }
            if byte < 0x20 { throw failure("a control character in a string") }
            if byte >= 0x80 { hasNonASCII = true }
            position += 1
        }
        throw failure("a string without an end")
    }

    /// Steps over the characters of a string that stand for themselves, eight at a time.
    ///
    /// The lowest byte that a test finds is right: a borrow goes to the bytes above only.
    private mutating func skipPlain() {
        func zeroBytes(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word }
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let quotes = zeroBytes(word ^ 0x2222_2222_2222_2222)
            let backslashes = zeroBytes(word ^ 0x5c5c_5c5c_5c5c_5c5c)
            let controls = (word &- 0x2020_2020_2020_2020) & ~word
            let special = (quotes | backslashes | controls | word) & 0x8080_8080_8080_8080
            if special != 0 {
                position += special.trailingZeroBitCount >> 3
                return
            }
            position += 8
        }
    }

    private mutating func escape() throws(Failure) {
        guard position + 1 < bytes.count else { throw failure("a string without an end") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard position + 6 <= bytes.count,
                (position + 2..<position + 6).allSatisfy({ Self.hexValue(bytes[$0]) != nil })
            else { throw failure("a bad \\u escape") }
            position += 6
        default: throw failure("a bad escape")
        }
    }

    private mutating func number() throws(Failure) -> Value {
        let start = position
        if peek == UInt8(ascii: "-") {
            position += 1
            if peek == UInt8(ascii: "I") {
                try literal("Infinity")
                return Value(range: start..<position, kind: .literal)
            }
        }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if let byte = peek, byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            position += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return Value(range: start..<position, kind: .number)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
        if position == start { throw failure("a value was expected") }
    }

    private mutating func literal(_ text: StaticString) throws(Failure) {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard position + expected.count <= bytes.count,
            (0..<expected.count).allSatisfy({ bytes[position + $0] == expected[$0] })
        else { throw failure("a value was expected") }
        position += expected.count
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func expect(_ byte: UInt8, _ reason: String) throws(Failure) {
        guard peek == byte else { throw failure(reason) }
        position += 1
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private func failure(_ reason: String) -> Failure {
        Failure(reason: position >= bytes.count ? reason + ", but the line ends" : reason, offset: position)
    }

    package static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }

    /// An integer in its only canonical spelling, nil for any other number.
    package static func canonicalInteger(_ text: Slice<UnsafeRawBufferPointer>) -> Int64? {
        var negative = false
        var digits = text
        if digits.first == UInt8(ascii: "-") {
            negative = true
            digits = digits.dropFirst()
        }
        guard let first = digits.first, digits.count <= 19 else { return nil }
        if first == UInt8(ascii: "0") { return digits.count == 1 && !negative ? 0 : nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte &- 48 < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.subtractingReportingOverflow(Int64(byte) - 48)
            if overflow || overflow2 { return nil }
            value = sum
        }
        if negative { return value }
        return value == .min ? nil : -value
    }
}
