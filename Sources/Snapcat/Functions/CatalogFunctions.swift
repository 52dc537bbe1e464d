import SnapcatCatalog
import SnapcatHeap
import SnapcatPlatform

/// snapcat's functions of SQL.
public enum CatalogFunctions {
    /// Adds them to a connection of any program: what the loadable extension does. The heap is the one that the
    /// catalog remembers.
    public static func install(on connection: OpaquePointer) throws {
        let support = FunctionSupport(clock: SystemClock(), heap: nil)
        PatternFunctions.install(on: connection, globs: NameGlob.matcher)
        try SQLFunctions.install(support.scalars, support.tables, on: connection, failure: FunctionFailure())
    }
}
