import ApusParallel

extension Dataset {
  /// Reads a file whose kind its name tells: `.csv`, `.tsv` and other text, plain or gzipped.
  ///
  /// ```swift
  /// let data = try Dataset(contentsOf: "iris.csv", options: TableOptions(target: "species"))
  /// ```
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` with the place in the file and what was found there.
  public init(
    contentsOf path: String, options: TableOptions = TableOptions(), compute: ComputeContext = .allCPUs
  ) throws {
    try self.init(csv: path, options: options, compute: compute)
  }
}
