import ApusParallel

/// The labels of one column from all chunks, sorted, and the number that each chunk's label gets among them.
struct LabelMerge {
  /// The labels: those known before in their order, or all in sorted order.
  let labels: [String]
  /// For each chunk, the new number of each of its labels; -1 for one that is not kept.
  let codes: [[Int32]]

  /// Merges tables in the order of their chunks.
  ///
  /// - Parameters:
  ///   - known: labels that have their numbers already; nil where none has.
  ///   - keepsUnknown: whether labels that are not known are added after those that are.
  /// - Throws: ``ApusError`` of kind `data` for a label that is not UTF-8.
  init(_ tables: [LabelTable], known: [String]?, keepsUnknown: Bool, source: TextSource) throws {
    var texts: [[String]] = []
    for table in tables {
      texts.append(
        try (0..<table.count).map { code in
          guard let text = String(validating: table.label(code), as: UTF8.self) else {
            throw source.error(
              "\"\(String(decoding: table.label(code), as: UTF8.self))\" is not UTF-8 text",
              at: table.firstOffsets[code], hint: "convert the file: iconv -f LATIN1 -t UTF-8")
          }
          return text
        })
    }
    var numbers: [String: Int32] = [:]
    var labels = known ?? []
    for (number, label) in labels.enumerated() { numbers[label] = Int32(number) }
    if known == nil || keepsUnknown {
      let new = Set(texts.joined()).subtracting(labels).sortedAsLabels()
      for (number, label) in new.enumerated() { numbers[label] = Int32(labels.count + number) }
      labels += new
    }
    self.labels = labels
    codes = texts.map { $0.map { numbers[$0] ?? -1 } }
  }
}
