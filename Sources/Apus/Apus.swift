@_exported import ApusDask
@_exported import ApusData
@_exported import ApusLinearAlgebra
@_exported import ApusML
@_exported import ApusParallel
@_exported import ApusProcesses
@_exported import ApusSearch
@_exported import ApusStudies

/// The version of this package, as `apus --version` prints it.
public let apusVersion = "0.1.0"
