#if SNAPCAT_LIBFUZZER
    import Foundation
    import SnapcatFuzzing
    import Synchronization

    /// The name that the library asks for.
    @_cdecl("LLVMFuzzerTestOneInput")
    func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        LibFuzzer.test(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

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
                _ = runDriver(&count, &start) { testOneInput($0, $1) }
            }
        }

        /// Ends the process where a claim does not hold.
        fileprivate static func test(_ input: [UInt8]) {
            let target = target.withLock { $0 }
            do { try target.run(input) } catch { fatalError("\(target.rawValue): \(error)") }
        }

        private typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

        @_silgen_name("LLVMFuzzerRunDriver")
        private static func runDriver(
            _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
            _ body: Body
        ) -> CInt
    }
#endif
