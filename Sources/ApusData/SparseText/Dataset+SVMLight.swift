import ApusParallel

extension Dataset {
  /// Reads a file in SVMlight's or LIBSVM's format, plain or gzipped, into a dense table.
  ///
  /// A line is `target index:value index:value … # comment`, with indices from 1, or from 0 where the file has
  /// an index 0; features that a line leaves out are 0. `qid:n` gives the row's group. The options say only how
  /// to read the target.
  ///
  /// - Parameter featureCount: the number of features; nil takes the largest index.
  /// - Throws: ``ApusError`` of kind `file`, or `data` with the line and what was found there.
  public init(svmlight path: String, featureCount: Int? = nil, options: TableOptions = TableOptions()) throws
  {
    self = try SVMLightReader(TextSource(contentsOf: path), options: options).read(featureCount: featureCount)
  }

  /// Reads text in SVMlight's format, as ``init(svmlight:featureCount:options:)`` reads a file.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  public init(
    svmlightText text: String, name: String = "text", featureCount: Int? = nil,
    options: TableOptions = TableOptions()
  ) throws {
    self = try SVMLightReader(TextSource(text: text.utf8, name: name), options: options)
      .read(featureCount: featureCount)
  }
}
