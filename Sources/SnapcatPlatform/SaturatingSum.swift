extension FixedWidthInteger {
    /// The sum, or the end of the range that it is beyond: sizes of foreign lines may fit in no sum.
    package func addingSaturated(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
