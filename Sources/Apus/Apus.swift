@_exported import ApusData
@_exported import ApusLinearAlgebra
@_exported import ApusML
@_exported import ApusParallel
