import ArgumentParser
import Snapcat

/// What a command that writes does where another process holds the lock.
struct LockOptions: ParsableArguments {
    /// The value that a bare `--wait` stands for.
    static let unlimited = "forever"

    @Option(help: ArgumentHelp("Wait for another process to end, so long at most (30s, 10m, 2h); alone: however long.", valueName: "time"))
    var wait: String?

    func validate() throws { _ = try parsed() }

    /// 0 where it is not to be waited.
    var seconds: Double { get throws { try parsed() } }

    private func parsed() throws -> Double {
        guard let wait else { return 0 }
        if wait == Self.unlimited { return .infinity }
        return Double(try TimeArgument.microseconds(wait, "--wait")) / 1e6
    }

    /// `--wait` without a time gets the one that it stands for: the parser knows no options whose value may be absent.
    static func completed(_ arguments: [String]) -> [String] {
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument == "--" { return result + arguments[index...] }
            guard argument == "--wait" else { result.append(argument); continue }
            let next = index + 1 < arguments.count ? arguments[index + 1] : ""
            let hasTime = next == unlimited || next.utf8.first.map { (48...57).contains($0) } ?? false
            result.append(hasTime ? argument : "\(argument)=\(unlimited)")
        }
        return result
    }
}
