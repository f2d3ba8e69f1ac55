import ApusParallel

extension MatchedDataset {
  /// Reads from a CSV or TSV file what a model needs: columns are found by their names, wherever they stand.
  ///
  /// The target is read too if the file has it. In a file without a header the columns are named `x0`, `x1`, …
  /// in their order, as they were when the model's data was read from such a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - schema: what the model expects.
  ///   - options: how the file is written, and columns of weights and groups; the target is the schema's.
  ///   - compute: the threads that may be used.
  /// - Throws: ``ApusError`` of kind `file`, or `data`: as for a file to learn from, and for a missing column,
  ///   which is named.
  public init(
    csv path: String, schema: DatasetSchema, options: TableOptions = TableOptions(),
    compute: ComputeContext = .allCPUs
  ) throws {
    var reader = try DelimitedTextReader(TextSource(contentsOf: path), options: options, compute: compute)
    self = try reader.read(matching: schema)
  }

  /// Reads CSV or TSV text in memory, as ``init(csv:schema:options:compute:)`` reads a file.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  public init(
    csvText text: String, name: String = "text", schema: DatasetSchema,
    options: TableOptions = TableOptions(), compute: ComputeContext = .allCPUs
  ) throws {
    var reader = try DelimitedTextReader(
      TextSource(text: text.utf8, name: name), options: options, compute: compute)
    self = try reader.read(matching: schema)
  }
}
