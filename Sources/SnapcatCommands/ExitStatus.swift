import SnapcatPlatform

/// The exit codes of CLI.md: scripts rely on them.
package enum ExitStatus: Int32 {
    case done = 0
    case differences = 1
    case failed = 2
    case doneWithProblems = 3
    case damage = 5
    case timedOut = 7
    case noSnapshot = 10
    case locked = 11
    case usage = 64
    case interrupted = 130

    package init(_ code: SnapcatError.Code) {
        self =
            switch code {
            case .failed, .notFound, .notAFile, .alreadyExists, .catalogUnwritable: .failed
            case .damage, .catalogDamage, .collision: .damage
            case .timedOut: .timedOut
            case .noSnapshot: .noSnapshot
            case .locked: .locked
            case .usage: .usage
            case .interrupted: .interrupted
            }
    }

    /// For every help text.
    package static let help = """
        Exit codes: 0 done, or equal; 1 differences (--exit-code, --fail-if); 2 failed; 3 done, with problems \
        (each named); 5 damage found; 7 query timed out; 10 no such repository or snapshot; 11 locked by another \
        process; 64 usage; 130 interrupted.
        """
}

/// Ends the command with a code: the work itself succeeded, and what there is to say has been said.
package struct ExitRequest: Error {
    package var status: ExitStatus
}
