import ApusParallel

extension Dataset {
  /// Reads a CSV or TSV file, plain or gzipped.
  ///
  /// Cells may be quoted, with quotation marks inside doubled and newlines as they are; empty lines are
  /// skipped. A column is categorical when at least half of its cells in the first 1,000 rows, the missing ones
  /// left out, are not numbers; in other columns a cell that is not a number is refused. Numbers are read as the
  /// nearest doubles.
  ///
  /// ```swift
  /// let data = try Dataset(csv: "iris.csv", target: "species")
  /// ```
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - target: the column to predict; overrides the one in the options.
  ///   - options: which column is what, and how the file is written.
  ///   - compute: the threads that may be used; the result does not depend on their number.
  /// - Throws: ``ApusError`` of kind `file`, or `data` with the line and the field and what was found there.
  /// - Complexity: O(size of the file); beside the result it needs memory for the inflated text of a gzip file
  ///   only.
  public init(
    csv path: String, target: ColumnReference? = nil, options: TableOptions = TableOptions(),
    compute: ComputeContext = .allCPUs
  ) throws {
    var options = options
    if let target { options.target = target }
    var reader = try DelimitedTextReader(TextSource(contentsOf: path), options: options, compute: compute)
    self = try reader.read()
  }

  /// Reads CSV or TSV text in memory, as ``init(csv:target:options:compute:)`` reads a file.
  ///
  /// - Parameter name: what messages call the text.
  /// - Throws: ``ApusError`` of kind `data`.
  public init(
    csvText text: String, name: String = "text", options: TableOptions = TableOptions(),
    compute: ComputeContext = .allCPUs
  ) throws {
    var reader = try DelimitedTextReader(
      TextSource(text: text.utf8, name: name), options: options, compute: compute)
    self = try reader.read()
  }
}
