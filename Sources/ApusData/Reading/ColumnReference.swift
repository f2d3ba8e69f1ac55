import ApusParallel

/// A column of a file, by its name or its position.
///
/// ```swift
/// TableOptions(target: "species")  // by name
/// TableOptions(target: -1)  // the last column
/// ```
public enum ColumnReference: Hashable, Sendable, Codable {
  /// The column with a name. Where no column has it and the name is a whole number, it counts as an index, so
  /// that one option of a command line serves both.
  case name(String)
  /// The column at a position, from 0; negative positions count from the end, -1 being the last.
  case index(Int)
}

extension ColumnReference: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  /// The column with a name.
  public init(stringLiteral name: String) { self = .name(name) }

  /// The column at a position.
  public init(integerLiteral index: Int) { self = .index(index) }
}

extension ColumnReference {
  /// The position of the column among named ones.
  ///
  /// - Parameters:
  ///   - names: the columns of the file.
  ///   - role: what the column is wanted for, for the message: `target`.
  ///   - location: the file.
  /// - Throws: ``ApusError`` of kind `data` that suggests the nearest name and lists the columns.
  func position(among names: [String], role: String, at location: ApusError.Location) throws -> Int {
    switch self {
    case .name(let name):
      if let position = names.firstIndex(of: name) { return position }
      if let index = Int(name), let position = Self.resolve(index, count: names.count) { return position }
      throw ApusError(
        .data, "there is no column '\(name)' for the \(role)", hint: names.suggestion(for: name), at: location
      )
    case .index(let index):
      if let position = Self.resolve(index, count: names.count) { return position }
      throw ApusError(
        .data, "there is no column \(index) for the \(role)",
        hint: "the \(names.count) columns are counted from 0, or from -1 at the end", at: location)
    }
  }

  private static func resolve(_ index: Int, count: Int) -> Int? {
    let position = index < 0 ? index + count : index
    return (0..<count).contains(position) ? position : nil
  }
}

extension [String] {
  /// `did you mean 'species'? columns: …`, with at most twenty names.
  func suggestion(for name: String) -> String {
    let nearest = nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
    let listed = prefix(20).joined(separator: ", ") + (count > 20 ? ", … (\(count) in all)" : "")
    return "\(nearest)columns: \(listed)"
  }
}
