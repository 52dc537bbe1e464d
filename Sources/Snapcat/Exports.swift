// The library's vocabulary lives in the lower modules; whoever imports Snapcat needs it.
@_exported public import SnapcatFormat
@_exported public import SnapcatPlatform
@_exported public import SnapcatStorage
