import Foundation
import SnapcatFuzzing
import SnapcatPlatform
import Testing

/// A short seeded slice of what `Scripts/fuzz` does for minutes.
@Suite struct FuzzTests {
    /// So many inputs take about a second of a debug build; `SNAPCAT_FUZZ_INPUTS` asks for more.
    private static func count(_ target: FuzzTarget) -> Int {
        if let given = ProcessInfo.processInfo.environment["SNAPCAT_FUZZ_INPUTS"].flatMap({ Int($0) }) { return given }
        switch target {
        case .line, .companion, .reference, .name: return 1500
        case .pattern: return 800
        case .gzip, .content: return 300
        case .query: return 120
        case .function: return 8
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `Every claim holds for any input`(target: FuzzTarget) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) {
            var mutation = Mutation(target)
            for (index, input) in mutation.inputs(Self.count(target)).enumerated() {
                do { try target.run(input) } catch {
                    Issue.record("input \(index) of \(target.rawValue), \(mutation.label): \(error)\n\(Data(input).base64EncodedString())")
                    return
                }
            }
        }
    }
}
