import SystemPackage

extension SnapcatError {
    /// An error of the operating system, on a named file.
    package static func system(_ what: String, _ subject: String, _ errno: Errno, advice: String = "") -> SnapcatError {
        let code: Code =
            switch errno {
            case .noSuchFileOrDirectory, .notDirectory: .notFound
            case .fileExists: .alreadyExists
            default: .failed
            }
        let transient: Set<Errno> = [.resourceTemporarilyUnavailable, .tooManyOpenFiles]
        return SnapcatError(
            code, what, subject, reason: errno.description, advice: advice.isEmpty ? defaultAdvice(errno) : advice,
            isTransient: transient.contains(errno), errorNumber: errno.rawValue)
    }

    package static func system(
        _ what: String, _ subject: some Collection<UInt8>, _ errno: Errno, advice: String = ""
    ) -> SnapcatError {
        system(what, TerminalText.lossy(subject), errno, advice: advice)
    }

    private static func defaultAdvice(_ errno: Errno) -> String {
        switch errno {
        case .noSpace, .diskQuotaExceeded: "free some space and run it again"
        case .readOnlyFileSystem: "choose a place that can be written"
        case .permissionDenied, .notPermitted: "check the owner and mode"
        case .tooManyOpenFiles: "raise the limit with ulimit -n"
        default: ""
        }
    }
}

extension Errno {
    /// No room is left on the disk, or in the user's quota.
    package var meansFull: Bool { self == .noSpace || self == .diskQuotaExceeded }

    /// The place cannot be written: read-only, full, failing, or not permitted.
    package var meansUnwritable: Bool {
        meansFull || [.readOnlyFileSystem, .permissionDenied, .notPermitted, .ioError].contains(self)
    }

    /// The disk, or the file system on it, cannot give what it holds of one file: of others that tells nothing.
    package var meansUnreadable: Bool {
        #if os(Linux)
            // EUCLEAN: the file system finds its own structure damaged.
            if self == Errno(rawValue: 117) { return true }
        #endif
        return self == .ioError || self == .badMessage
    }
}

extension SnapcatError {
    /// The system's error number means so.
    package var meansUnreadable: Bool { errorNumber != 0 && Errno(rawValue: errorNumber).meansUnreadable }
}

/// Gives an `Errno` among the errors of `body` a message.
package func withSystemErrors<R>(_ what: String, _ subject: [UInt8], _ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as Errno { throw SnapcatError.system(what, subject, error) }
}

/// Runs `body` and gives its `Errno` a message.
package func withSystemError<R>(
    _ what: @autoclosure () -> String, _ subject: @autoclosure () -> [UInt8], _ body: () throws(Errno) -> R
) throws(SnapcatError) -> R {
    do { return try body() } catch { throw .system(what(), subject(), error) }
}
