import ApusData
import ApusParallel

/// A category that occurs in the rows of a fit.
struct OccurringCategory: Codable, Hashable, Sendable {
  /// Its number in the data set, which is what cells hold; negative for one that keeps a place without
  /// occurring.
  var code: Int
  /// Its name.
  var name: String
}

/// Where the categories of a column go.
struct CategoryEncoding: Codable, Hashable, Sendable {
  /// The categories that have a place, in order.
  let kept: [OccurringCategory]
  /// The codes that occurred and have no place.
  let droppedCodes: [Int]
  private let positions: [Int]

  enum Place {
    case kept(Int)
    case dropped
    case unknown
  }

  init(kept: [OccurringCategory], droppedCodes: [Int] = []) {
    self.kept = kept
    self.droppedCodes = droppedCodes
    var positions = [Int](repeating: -2, count: 1 + max(-1, (kept.map(\.code) + droppedCodes).max() ?? -1))
    for code in droppedCodes { positions[code] = -1 }
    for (position, category) in kept.enumerated() where category.code >= 0 {
      positions[category.code] = position
    }
    self.positions = positions
  }

  /// The place of a cell's category; a missing value is unknown.
  func position(of value: Double) -> Place {
    guard value >= 0, value < Double(positions.count) else { return .unknown }
    let position = positions[Int(value)]
    return position >= 0 ? .kept(position) : position == -1 ? .dropped : .unknown
  }
}

extension Dataset {
  /// For each categorical column the categories that occur, in the data set's order; nil for numeric columns.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a cell that is no category.
  func occurringCategories(for estimator: String) throws -> [[OccurringCategory]?] {
    try columns.enumerated().map { column, feature in
      guard let categories = feature.categories else { return nil }
      var occurs = [Bool](repeating: false, count: categories.count)
      for row in 0..<rowCount {
        let value = features[row, column]
        if value.isNaN { continue }
        guard let code = Int(exactly: value), categories.indices.contains(code) else {
          throw ApusError(
            .data,
            "\(estimator): row \(row + 1) of the categorical column '\(feature.name)' holds \(value), which is "
              + "none of its \(categories.count) categories")
        }
        occurs[code] = true
      }
      return categories.indices.filter { occurs[$0] }.map {
        OccurringCategory(code: $0, name: categories[$0])
      }
    }
  }
}
