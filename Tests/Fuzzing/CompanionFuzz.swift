import SnapcatFormat
import SnapcatPlatform

/// The text of a companion.
enum CompanionFuzz {
    static func check(_ input: [UInt8]) throws {
        let first = try outcome { try read(input) }
        guard let (facts, nodes) = first.success else {
            try claim(first.failure?.code == .damage, "\(String(describing: first.failure))")
            return
        }
        // Written and read again, it says the same; and once more, it is the same bytes.
        let written = spelled(facts, nodes)
        let (factsAgain, nodesAgain) = try read(written)
        try claim(facts == factsAgain && nodes == nodesAgain, "read again it says another thing: \(text(written))")
        try claim(spelled(factsAgain, nodesAgain) == written, "written again it is spelled otherwise: \(text(written))")
    }

    private static func read(_ input: [UInt8]) throws -> (SnapshotFacts, [Node]) {
        let reader = try CompanionReader(ArraySource(input), name: "fuzz")
        var nodes: [Node] = []
        while let node = try reader.nextNode() { nodes.append(node) }
        return (reader.facts, nodes)
    }

    private static func spelled(_ facts: SnapshotFacts, _ nodes: [Node]) -> [UInt8] {
        nodes.reduce(into: facts.line) { $0 += [0x0a] + $1.line }
    }
}
