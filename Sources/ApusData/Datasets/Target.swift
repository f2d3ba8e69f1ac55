import ApusParallel

/// What a data set asks to be predicted: nothing, a number a row, or a class a row.
public enum Target: Sendable, Equatable {
  /// No target: clustering and transformations.
  case none
  /// A number a row: regression.
  case values([Double])
  /// A class a row: classification. `indices[i]` is the position of row i's class in `labels`; the labels are
  /// the strings of the file, sorted (as numbers where all of them are numbers).
  case classes(indices: [Int32], labels: [String])

  /// The number of rows, or nil without a target.
  public var count: Int? {
    switch self {
    case .none: nil
    case .values(let values): values.count
    case .classes(let indices, _): indices.count
    }
  }

  /// The target of some rows, in the order given; class labels are kept even where no row has them.
  public func gathering(_ rows: some Collection<Int>) -> Target {
    switch self {
    case .none: .none
    case .values(let values): .values(rows.map { values[$0] })
    case .classes(let indices, let labels): .classes(indices: rows.map { indices[$0] }, labels: labels)
    }
  }

  /// Classes from one label a row: the distinct labels are sorted, as numbers where all of them are numbers.
  public static func classes(_ labels: [String]) -> Target {
    let sorted = Set(labels).sortedAsLabels()
    let positions = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
    return .classes(indices: labels.map { positions[$0]! }, labels: sorted)
  }
}

extension Target {
  /// Whether numbers are taken for classes where the caller leaves it open, as ``TargetKind/automatic`` says.
  static func looksLikeClasses(_ values: some Collection<Double>) -> Bool {
    var distinct: Set<Double> = []
    for value in values {
      guard value == value.rounded() else { return false }
      distinct.insert(value)
      if distinct.count > 20 { return false }
    }
    return distinct.count <= Swift.max(2, values.count / 2)
  }
}

extension Set<String> {
  /// The labels in order: as numbers where all of them are numbers, alphabetically otherwise.
  func sortedAsLabels() -> [String] {
    let numbers = compactMap { label in Double(label).flatMap { $0.isNaN ? nil : (label, $0) } }
    return numbers.count == count
      ? numbers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0) : sorted()
  }
}
