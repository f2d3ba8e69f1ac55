/// How to read a file into a data set: which column is what, and how the file is written.
///
/// Every property has a default that suits most files; for prediction files and clustering no target is needed.
///
/// ```swift
/// var options = TableOptions(target: "price")
/// options.dropped = ["id"]
/// options.weights = "weight"
/// let data = try Dataset(contentsOf: "diamonds.csv.gz", options: options)
/// ```
public struct TableOptions: Sendable, Hashable, Codable {
  /// The column to predict; nil reads no target.
  public var target: ColumnReference?
  /// Whether the target holds classes or numbers.
  public var targetKind: TargetKind
  /// The column of row weights, if there is one.
  public var weights: ColumnReference?
  /// The column of groups, if there is one. Whole numbers are kept; other labels are numbered in sorted order.
  public var groups: ColumnReference?
  /// Columns to leave out.
  public var dropped: [ColumnReference]
  /// Columns to read as categories though their cells are numbers.
  public var categorical: [ColumnReference]
  /// Whether the first row names the columns.
  public var header: HeaderRow
  /// The byte between the cells of a row; nil looks for comma, tab or semicolon in the first rows.
  public var delimiter: Character?
  /// The cells that stand for a missing value, beside empty ones.
  public var missingValues: [String]

  /// Creates options.
  public init(
    target: ColumnReference? = nil, targetKind: TargetKind = .automatic, weights: ColumnReference? = nil,
    groups: ColumnReference? = nil, dropped: [ColumnReference] = [], categorical: [ColumnReference] = [],
    header: HeaderRow = .automatic, delimiter: Character? = nil,
    missingValues: [String] = TableOptions.defaultMissingValues
  ) {
    self.target = target
    self.targetKind = targetKind
    self.weights = weights
    self.groups = groups
    self.dropped = dropped
    self.categorical = categorical
    self.header = header
    self.delimiter = delimiter
    self.missingValues = missingValues
  }

  /// `NA`, `NaN`, `nan`, `null` and `?`.
  public static let defaultMissingValues = ["NA", "NaN", "nan", "null", "?"]
}

extension TableOptions {
  private enum CodingKeys: String, CodingKey {
    case target, targetKind, weights, groups, dropped, categorical, header, delimiter, missingValues
  }

  /// Reads what ``encode(to:)`` wrote.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    target = try container.decodeIfPresent(ColumnReference.self, forKey: .target)
    targetKind = try container.decode(TargetKind.self, forKey: .targetKind)
    weights = try container.decodeIfPresent(ColumnReference.self, forKey: .weights)
    groups = try container.decodeIfPresent(ColumnReference.self, forKey: .groups)
    dropped = try container.decode([ColumnReference].self, forKey: .dropped)
    categorical = try container.decode([ColumnReference].self, forKey: .categorical)
    header = try container.decode(HeaderRow.self, forKey: .header)
    delimiter = try container.decodeIfPresent(String.self, forKey: .delimiter)?.first
    missingValues = try container.decode([String].self, forKey: .missingValues)
  }

  /// Writes every option.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(target, forKey: .target)
    try container.encode(targetKind, forKey: .targetKind)
    try container.encodeIfPresent(weights, forKey: .weights)
    try container.encodeIfPresent(groups, forKey: .groups)
    try container.encode(dropped, forKey: .dropped)
    try container.encode(categorical, forKey: .categorical)
    try container.encode(header, forKey: .header)
    try container.encodeIfPresent(delimiter.map(String.init), forKey: .delimiter)
    try container.encode(missingValues, forKey: .missingValues)
  }
}

/// What a target column holds.
public enum TargetKind: String, Sendable, Codable, CaseIterable {
  /// Classes where most cells are text, or where they are whole numbers of few kinds: at most 20, and at most
  /// half as many as there are rows (two kinds are always few). Numbers otherwise.
  case automatic
  /// Classes, whatever the cells look like.
  case classes
  /// Numbers.
  case values
}

/// Whether the first row of a file names the columns.
public enum HeaderRow: String, Sendable, Codable, CaseIterable {
  /// It does when no column that holds numbers further down has one there, when a column that was asked for by
  /// name is found there, or when it counts the columns: `0,1,2,…`.
  case automatic
  /// The first row names the columns.
  case present
  /// The first row is data; columns are named `x0`, `x1`, ….
  case absent
}
