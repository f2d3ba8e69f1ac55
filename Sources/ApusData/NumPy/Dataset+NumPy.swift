import ApusLinearAlgebra
import ApusParallel

extension Dataset {
  /// Reads a NumPy `.npy` file: a table of numbers, or a list as one column.
  ///
  /// The columns are named `x0`, `x1`, …; the options' columns are found by these names or by index. Doubles
  /// that lie row by row in the file are used where they lie, without a copy, unless a column is taken out.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` for a file that is damaged or not a table of numbers.
  public init(npy path: String, options: TableOptions = TableOptions()) throws {
    try self.init(
      npyTable: NPYArray(FileBytes.contents(of: path), path: path).matrix(), options: options, path: path)
  }

  /// Reads features, a target and weights from `.npy` files of their own, so that features of any size are used where
  /// they lie: Doubles that lie row by row are mapped, and read as an estimator such as ``SGDClassifier`` asks for them.
  ///
  /// ```swift
  /// let data = try Dataset(npy: "features.npy", target: "labels.npy")
  /// ```
  ///
  /// - Parameters:
  ///   - path: the table of features.
  ///   - target: a list with a number or a label for each row.
  ///   - weights: a list with a weight for each row.
  ///   - options: how the target is read, and which columns are left out; then the features are copied.
  /// - Throws: ``ApusError`` of kind `file`, or `data` for a file that is damaged, is not a list, or has another number
  ///   of rows than the table.
  public init(
    npy path: String, target: String?, weights: String? = nil, options: TableOptions = TableOptions()
  ) throws {
    let table = try Dataset(npy: path, options: options)
    func list(_ path: String, _ role: String) throws -> NPYArray {
      let array = try NPYArray(FileBytes.contents(of: path), path: path)
      guard array.header.count == table.rowCount else {
        throw ApusError(
          .data,
          "the \(role) of \(array.header.count) elements does not belong to a table of \(table.rowCount) rows",
          at: ApusError.Location(file: path))
      }
      return array
    }
    try self.init(
      features: table.features, columns: table.columns,
      target: target.map { try list($0, "target").target(options.targetKind) } ?? table.target,
      weights: weights.map { try list($0, "weights").numbers(for: "weights") } ?? table.weights,
      groups: table.groups, targetName: target == nil ? table.targetName : "target")
  }

  private init(npyTable table: Matrix<Double>, options: TableOptions, path: String) throws {
    try options.requireNoCategories(path: path)
    var parts = TableParts(
      table, names: (0..<table.columnCount).map { "x\($0)" }, options: options, path: path)
    let target = try options.target.map { try parts.take($0, for: "target") }
    let weights = try options.weights.map { try parts.take($0, for: "weights").values }
    let groups = try options.groups.map { try parts.take($0, for: "groups").values }
    let (features, columns) = try parts.features()
    try self.init(
      features: features, columns: columns,
      target: target.map { Target(numbers: $0.values, kind: options.targetKind) } ?? .none, weights: weights,
      groups: groups.map { try [Int32](groups: $0, path: path) }, targetName: target?.name)
  }

  /// Reads a NumPy `.npz` file, as `numpy.savez` and `savez_compressed` write it.
  ///
  /// Arrays are known by their names, in any case: the features are `X`, `data` or `features`; the target `y`,
  /// `target` or `labels`; the weights `sample_weight` or `weights`; the groups `groups`; and `feature_names`
  /// names the columns. The options may name other arrays for the target, the weights and the groups. A target of
  /// text is read as classes.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` for an archive that is damaged or has no features.
  public init(npz path: String, options: TableOptions = TableOptions()) throws {
    try options.requireNoCategories(path: path)
    let arrays = try NPZArrays(contentsOf: path)
    guard let features = try arrays.array(among: ["x", "data", "features"])?.matrix() else {
      throw ApusError(
        .data, "the archive has no features", hint: "name the table X; arrays: \(arrays.listing)",
        at: ApusError.Location(file: path))
    }
    let names = try arrays.array(among: ["feature_names"])?.labels(for: "feature names")
    var parts = TableParts(
      features, names: names ?? (0..<features.columnCount).map { "x\($0)" }, options: options, path: path)
    if let names, names.count != features.columnCount || Set(names).count != names.count {
      throw ApusError(
        .data, "feature_names holds \(Set(names).count) distinct names for features of \(features.shape)",
        at: ApusError.Location(file: path))
    }
    let (matrix, columns) = try parts.features()
    let target = try arrays.array(options.target, among: ["y", "target", "labels"], role: "target")
    let weights = try arrays.array(options.weights, among: ["sample_weight", "weights"], role: "weights")
    let groups = try arrays.array(options.groups, among: ["groups"], role: "groups")
    try self.init(
      features: matrix, columns: columns, target: target.map { try $0.target(options.targetKind) } ?? .none,
      weights: weights?.numbers(for: "weights"),
      groups: groups.map { try [Int32](groups: $0.numbers(for: "groups"), path: path) },
      targetName: target?.name)
  }
}

extension TableOptions {
  fileprivate func requireNoCategories(path: String) throws {
    guard !categorical.isEmpty else { return }
    throw ApusError(
      .unsupported, "arrays of NumPy hold no categories", hint: "write a CSV file",
      at: ApusError.Location(file: path))
  }
}

extension NPYArray {
  /// The name of the array within its archive.
  fileprivate var name: String { String(path.split(separator: "/").last?.dropLast(4) ?? "") }

  fileprivate func target(_ kind: TargetKind) throws -> Target {
    if kind == .classes || isText || header.kind == .boolean {
      guard kind != .values || !isText else {
        throw ApusError(
          .data, "the target is text, not numbers", hint: "read it as classes",
          at: ApusError.Location(file: path))
      }
      return .classes(try labels(for: "target"))
    }
    return Target(numbers: try numbers(for: "target"), kind: kind)
  }
}

/// The arrays of an `.npz` archive.
private struct NPZArrays {
  private let archive: ZipArchive

  init(contentsOf path: String) throws {
    archive = try ZipArchive(FileBytes.contents(of: path), path: path)
  }

  var listing: String { archive.entries.map(\.name).joined(separator: ", ") }

  /// The first array with one of some names.
  func array(among names: [String]) throws -> NPYArray? {
    for name in names {
      if let entry = archive.entries.first(where: { $0.name.lowercased() == name + ".npy" }) {
        return try array(entry)
      }
    }
    return nil
  }

  /// The array that was asked for by name, or the first with one of the usual names.
  func array(_ reference: ColumnReference?, among names: [String], role: String) throws -> NPYArray? {
    guard case .name(let name)? = reference else { return try array(among: names) }
    if let entry = archive.entries.first(where: { $0.name == name + ".npy" }) { return try array(entry) }
    let all = archive.entries.map { String($0.name.dropLast(4)) }
    throw ApusError(
      .data, "there is no array '\(name)' for the \(role)", hint: all.suggestion(for: name),
      at: ApusError.Location(file: archive.path))
  }

  private func array(_ entry: ZipArchive.Entry) throws -> NPYArray {
    let (storage, bytes) = try archive.contents(of: entry)
    return try NPYArray(storage, bytes: bytes, path: "\(archive.path)/\(entry.name)")
  }
}
