import Benchmark
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// The canonical line codec, and the merge of two snapshots.
func formatBenchmarks() {
    Benchmark("line codec: write 10,000 lines") { benchmark, input in
        var line: [UInt8] = []
        for (name, entry) in input {
            line.removeAll(keepingCapacity: true)
            name.withUnsafeBytes { EntryLine.append(entry, name: $0, to: &line) }
            blackHole(line.count)
        }
    } setup: {
        (0..<Lines.count).map { (Lines.name($0), Lines.local($0)) }
    }

    Benchmark("line codec: read 10,000 lines") { benchmark, input in
        let reader = EntryReader(ArraySource(input), name: "lines")
        while try reader.advance() { blackHole(try reader.parse().size) }
    } setup: {
        Lines.snapshot()
    }

    Benchmark("merge: 10,000 lines, 1 % changed") { benchmark, input in
        var changes = 0
        let merge = MergeSource(
            before: EntryReader(ArraySource(input.before), name: "before"),
            after: EntryReader(ArraySource(input.after), name: "after"))
        try merge.forEachChange(warn: { _, _ in }) { _ in changes += 1 }
        precondition(changes == Lines.count / 100)
    } setup: {
        (before: Lines.snapshot(), after: Lines.snapshot(changing: 100))
    }
}
