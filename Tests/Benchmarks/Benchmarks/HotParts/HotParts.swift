import Benchmark

/// What snapcat spends its time in, one part at a time: a regression is seen where it begins.
///
/// Instructions are the figure to compare: they hardly change with what else the machine does.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.instructions, .wallClock, .throughput, .peakMemoryResident], timeUnits: .microseconds,
        warmupIterations: 1, maxDuration: .seconds(2), maxIterations: 200)
    formatBenchmarks()
    contentBenchmarks()
    treeBenchmarks()
    catalogBenchmarks()
}
