#if SNAPCAT_LIBFUZZER
    import Foundation
    import SnapcatFuzzing
    import Synchronization

    /// The fuzzer of the toolchain's clang, guided by what code an input reaches.
    enum LibFuzzer {
        private static let target = Mutex(FuzzTarget.line)

        /// Runs until an input fails (it is saved, and the process ends with a signal) or the time is over.
        static func run(_ target: FuzzTarget, arguments: [String]) {
            self.target.withLock { $0 = target }
            var count = CInt(arguments.count + 1)
            var pointers = ([CommandLine.arguments[0]] + arguments).map { strdup($0) } + [nil]
            pointers.withUnsafeMutableBufferPointer { buffer in
                var start = buffer.baseAddress
                _ = runDriver(&count, &start) { bytes, count in
                    let target = LibFuzzer.target.withLock { $0 }
                    do { try target.run(Array(UnsafeBufferPointer(start: bytes, count: count))) } catch { fatalError("\(target.rawValue): \(error)") }
                    return 0
                }
            }
        }

        private typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

        @_silgen_name("LLVMFuzzerRunDriver")
        private static func runDriver(
            _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
            _ body: Body
        ) -> CInt
    }
#endif
