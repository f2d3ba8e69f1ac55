import ApusData
import Testing

extension Dataset {
  /// The numbers to be predicted; a test that looks at those of other data fails.
  func targetValues() throws -> [Double] {
    let values: [Double]? = if case .values(let values) = target { values } else { nil }
    return try #require(values)
  }

  /// The classes to be predicted, by their positions; a test that looks at those of other data fails.
  func targetClasses() throws -> [Int32] {
    let indices: [Int32]? = if case .classes(let indices, _) = target { indices } else { nil }
    return try #require(indices)
  }
}
