// Feeds the fuzz targets: Scripts/fuzz
import Foundation
import SnapcatFuzzing

func fail(_ message: String, status: Int32 = 64) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(status)
}

func target(_ name: String) -> FuzzTarget {
    guard let target = FuzzTarget(rawValue: name) else {
        fail("No fuzz target '\(name)' (there are: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")))")
    }
    return target
}

/// One input, from a file: what an earlier run has saved.
func replay(_ target: FuzzTarget, _ path: String) throws {
    try target.run(Array(Data(contentsOf: URL(fileURLWithPath: path))))
    print("\(target.rawValue): every claim holds for \(path)")
}

/// The small examples as files: what libFuzzer begins with.
func writeSeeds(_ target: FuzzTarget, _ folder: String) throws {
    for (index, seed) in target.seeds.enumerated() { try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(index)")) }
    let words = target.words.map { word in "\"" + word.map { String(format: "\\x%02x", $0) }.joined() + "\"" }
    try Data(words.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder + ".words"))
}

/// Seeded changes, without a guide. Ends the process with 1 at the first input for which a claim does not hold.
func mutate(_ target: FuzzTarget, seconds: Double, seed: UInt64, saving folder: String) throws {
    var mutation = Mutation(target, seed: seed)
    let end = Date().addingTimeInterval(seconds)
    var count = 0
    let path = "\(folder)/\(target.rawValue)-\(seed)"
    func run(_ input: [UInt8]) throws {
        // Before it runs: a crash leaves it there.
        try Data(input).write(to: URL(fileURLWithPath: path))
        do { try target.run(input) } catch { fail("\(target.rawValue), input \(count), seed \(seed): \(error)\nsaved as \(path)", status: 1) }
        count += 1
    }
    for input in target.seeds { try run(input) }
    while Date() < end { try run(mutation.next()) }
    try FileManager.default.removeItem(atPath: path)
    print("\(target.rawValue): \(count) inputs, seed \(seed)")
}

var arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "list" where arguments.count == 1: print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
case "seeds" where arguments.count == 3: try writeSeeds(target(arguments[1]), arguments[2])
case "replay" where arguments.count == 3:
    do { try replay(target(arguments[1]), arguments[2]) } catch { fail("\(arguments[1]): \(error)", status: 1) }
case "mutate" where arguments.count == 5:
    guard let seconds = Double(arguments[2]), let seed = UInt64(arguments[3]) else { fail("mutate TARGET SECONDS SEED FOLDER") }
    try mutate(target(arguments[1]), seconds: seconds, seed: seed, saving: arguments[4])
#if SNAPCAT_LIBFUZZER
case "libfuzzer" where arguments.count >= 2: LibFuzzer.run(target(arguments[1]), arguments: Array(arguments.dropFirst(2)))
#endif
default: fail("list | seeds TARGET FOLDER | replay TARGET FILE | mutate TARGET SECONDS SEED FOLDER (see Scripts/fuzz --help)")
}
