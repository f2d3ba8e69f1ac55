import ApusParallel

extension Dataset {
  /// Reads a file whose kind its name tells: `.npy`, `.npz`, `.svm`, `.svmlight` and `.libsvm`; anything else is
  /// read as delimited text. Text may be gzipped.
  ///
  /// ```swift
  /// let data = try Dataset(contentsOf: "iris.csv", options: TableOptions(target: "species"))
  /// ```
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` with the place in the file and what was found there.
  public init(
    contentsOf path: String, options: TableOptions = TableOptions(), compute: ComputeContext = .allCPUs
  ) throws {
    switch FileKind(path) {
    case .npy: try self.init(npy: path, options: options)
    case .npz: try self.init(npz: path, options: options)
    case .svmlight: try self.init(svmlight: path, options: options)
    case .delimitedText: try self.init(csv: path, options: options, compute: compute)
    }
  }
}

extension MatchedDataset {
  /// Reads from a file of any kind what a model needs.
  ///
  /// Columns of text files are found by their names. Other formats have no names: their columns are the model's
  /// in order, and there must be as many.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data`: as ``init(csv:schema:options:compute:)`` does, and for
  ///   another number of columns.
  public init(
    contentsOf path: String, schema: DatasetSchema, options: TableOptions = TableOptions(),
    compute: ComputeContext = .allCPUs
  ) throws {
    switch FileKind(path) {
    case .delimitedText: try self.init(csv: path, schema: schema, options: options, compute: compute)
    case .npy: try self.init(Dataset(npy: path, options: options), schema: schema, path: path)
    case .npz: try self.init(Dataset(npz: path, options: options), schema: schema, path: path)
    case .svmlight:
      let data = try Dataset(svmlight: path, featureCount: schema.columns.count, options: options)
      try self.init(data, schema: schema, path: path)
    }
  }

  /// Reads what a model needs from `.npy` files, one of features and one of the target.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data`: as ``Dataset/init(npy:target:weights:options:)`` does, and for
  ///   another number of columns.
  public init(
    npy path: String, target: String, schema: DatasetSchema, options: TableOptions = TableOptions()
  ) throws {
    var options = options
    if schema.classLabels != nil { options.targetKind = .classes }
    try self.init(Dataset(npy: path, target: target, options: options), schema: schema, path: path)
  }

  /// Gives unnamed columns the model's names.
  private init(_ data: Dataset, schema: DatasetSchema, path: String) throws {
    guard data.featureCount == schema.columns.count else {
      throw ApusError(
        .data, "the file has \(data.featureCount) features, but the model needs \(schema.columns.count)",
        hint: "if one column is the target, say which", at: ApusError.Location(file: path))
    }
    guard !schema.columns.contains(where: \.isCategorical) else {
      throw ApusError(
        .data, "the model needs categories, which this format does not hold", hint: "use a CSV file",
        at: ApusError.Location(file: path))
    }
    dataset = try Dataset(
      features: data.features, columns: schema.columns, target: data.target.matching(schema.classLabels),
      weights: data.weights, groups: data.groups, targetName: schema.targetName ?? data.targetName)
    ignoredColumns = []
    unseenCategories = [:]
  }
}

extension Target {
  /// The same target with the labels that a model knows first; numbers where the model predicts numbers.
  fileprivate func matching(_ known: [String]?) -> Target {
    switch (self, known) {
    case (.classes(let indices, let labels), let known?):
      let all = known + labels.filter { !known.contains($0) }
      let positions = labels.map { label in Int32(all.firstIndex(of: label) ?? 0) }
      return .classes(indices: indices.map { positions[Int($0)] }, labels: all)
    case (.classes(let indices, let labels), nil):
      let numbers = labels.compactMap(Double.init)
      return numbers.count == labels.count ? .values(indices.map { numbers[Int($0)] }) : self
    case (.values(let values), let known?):
      let classes = Target.classes(values.map { Int(exactly: $0).map(String.init) ?? "\($0)" })
      return classes.matching(known)
    default: return self
    }
  }
}

/// The formats that are read, by the ending of a file's name.
enum FileKind {
  case delimitedText, npy, npz, svmlight

  init(_ path: String) {
    var name = path.lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    switch name.split(separator: "/").last?.split(separator: ".").last {
    case "npy": self = .npy
    case "npz": self = .npz
    case "svm", "svmlight", "libsvm": self = .svmlight
    default: self = .delimitedText
    }
  }
}
