@_exported import ApusML
