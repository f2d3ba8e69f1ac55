import ApusParallel

/// What becomes of each column of a delimited text.
struct TablePlan: Sendable {
  /// What is done with the cells of a column.
  enum Role: UInt8, Sendable {
    /// Nothing.
    case dropped
    /// A feature that is a number.
    case number
    /// A feature that is a category.
    case category
    /// The target as a number.
    case targetNumber
    /// The target as a class.
    case targetLabel
    /// The target as a number, and as a class too while the classes are few.
    case targetEither
    /// The row's weight.
    case weight
    /// The row's group.
    case group
  }

  struct Column: Sendable {
    var role = Role.dropped
    /// The feature it becomes, for features.
    var feature = 0
    /// The table of labels that it fills, for labels.
    var table = 0
  }

  /// The names of the file's columns.
  let names: [String]
  /// What becomes of each.
  private(set) var columns: [Column]
  /// The features to make; the categories of those that have them come later, unless they were given.
  private(set) var features: [Feature] = []
  /// For each table of labels, the labels that are known before reading; nil where all are taken.
  private(set) var knownLabels: [[String]?] = []
  /// The columns that are left out because nobody expects them.
  private(set) var ignoredColumns: [String] = []

  init(names: [String]) {
    self.names = names
    columns = names.map { _ in Column() }
  }

  /// The position of the target column, if it is read.
  var targetColumn: Int? {
    columns.firstIndex { [.targetNumber, .targetLabel, .targetEither].contains($0.role) }
  }

  /// The position of the first column with a role.
  func column(with role: Role) -> Int? { columns.firstIndex { $0.role == role } }

  private mutating func addTable(known: [String]? = nil) -> Int {
    knownLabels.append(known)
    return knownLabels.count - 1
  }

  private mutating func addFeature(_ feature: Feature, column: Int) {
    columns[column].feature = features.count
    features.append(feature)
  }
}

// MARK: Planning to learn

extension TablePlan {
  /// Plans by the options and by what the first rows hold.
  ///
  /// - Throws: ``ApusError`` of kind `data` for columns that do not exist or serve twice.
  init(names: [String], samples: [ColumnSample], options: TableOptions, location: ApusError.Location) throws {
    self.init(names: names)
    var roles = ColumnRoles(names: names, location: location)
    try assignTarget(&roles, samples: samples, options: options)
    try assignWeightsAndGroups(&roles, options: options)
    for reference in options.dropped { try roles.claim(reference, "columns to drop") }
    let categorical = Set(
      try options.categorical.map {
        try $0.position(among: names, role: "categorical columns", at: location)
      })
    for column in names.indices where !roles.isTaken(column) {
      if categorical.contains(column) || samples[column].isText {
        columns[column] = Column(role: .category, table: addTable())
      } else {
        columns[column].role = .number
      }
      addFeature(Feature(name: names[column]), column: column)
    }
    guard !features.isEmpty else {
      throw ApusError(
        .data, "no column is left for the features", hint: names.suggestion(for: ""), at: location)
    }
  }

  private mutating func assignTarget(
    _ roles: inout ColumnRoles, samples: [ColumnSample], options: TableOptions
  ) throws {
    guard let reference = options.target else { return }
    let column = try roles.claim(reference, "target")
    switch options.targetKind {
    case .values: columns[column].role = .targetNumber
    case .classes: columns[column] = Column(role: .targetLabel, table: addTable())
    case .automatic:
      columns[column] = Column(
        role: samples[column].isText ? .targetLabel : .targetEither, table: addTable())
    }
  }

  private mutating func assignWeightsAndGroups(
    _ roles: inout ColumnRoles, options: TableOptions
  ) throws {
    if let reference = options.weights {
      columns[try roles.claim(reference, "weights")].role = .weight
    }
    if let reference = options.groups {
      columns[try roles.claim(reference, "groups")] = Column(role: .group, table: addTable())
    }
  }
}

// MARK: Planning to predict

extension TablePlan {
  /// Plans to read the columns that a model expects, wherever in the file they stand.
  ///
  /// - Throws: ``ApusError`` of kind `data` that names the column that is missing.
  init(names: [String], schema: DatasetSchema, options: TableOptions, location: ApusError.Location) throws {
    self.init(names: names)
    var roles = ColumnRoles(names: names, location: location)
    let positions = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    if let target = schema.targetName, let column = positions[target] {
      try roles.claim(.index(column), "target")
      if let labels = schema.classLabels {
        columns[column] = Column(role: .targetLabel, table: addTable(known: labels))
      } else {
        columns[column].role = .targetNumber
      }
    }
    try assignWeightsAndGroups(&roles, options: options)
    for feature in schema.columns {
      guard let column = positions[feature.name] else {
        throw ApusError(
          .data, "the column '\(feature.name)', which the model needs, is missing",
          hint: names.suggestion(for: feature.name), at: location)
      }
      try roles.claim(.index(column), "features")
      if let categories = feature.categories {
        columns[column] = Column(role: .category, table: addTable(known: categories))
      } else {
        columns[column].role = .number
      }
      addFeature(feature, column: column)
    }
    ignoredColumns = names.indices.filter { !roles.isTaken($0) }.map { names[$0] }
  }
}

/// Hands out columns, each once.
private struct ColumnRoles {
  let names: [String]
  let location: ApusError.Location
  private var taken: [Int: String] = [:]

  init(names: [String], location: ApusError.Location) {
    self.names = names
    self.location = location
  }

  func isTaken(_ column: Int) -> Bool { taken[column] != nil }

  @discardableResult
  mutating func claim(_ reference: ColumnReference, _ role: String) throws -> Int {
    let column = try reference.position(among: names, role: role, at: location)
    if let other = taken[column], other != role {
      throw ApusError(
        .data, "the column '\(names[column])' cannot serve for the \(other) and the \(role) at once",
        at: location)
    }
    taken[column] = role
    return column
  }
}
