import Foundation

/// Golden values that a script in `Tests/Goldens` made with scikit-learn and that are committed beside it.
public enum Golden {
  /// The folder of the golden files.
  public static let folder = repositoryRoot.appendingPathComponent("Tests/Goldens")

  /// Reads a golden file, such as `ridge.json`.
  ///
  /// NaN and infinities stand in the files as the strings `nan`, `inf` and `-inf`.
  public static func load<Value: Decodable>(_ file: String, as type: Value.Type = Value.self) throws -> Value
  {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(Value.self, from: Data(contentsOf: folder.appendingPathComponent(file)))
  }
}

/// The root folder of the repository, found from this file's own path.
public let repositoryRoot = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The largest difference between two lists, relative to the largest magnitude of the expected one (at least
/// `floor`, so that lists of zeros compare too); infinite when their lengths differ or a value is NaN.
public func relativeDifference(_ actual: [Double], _ expected: [Double], floor: Double = 1e-12) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let scale = max(floor, expected.map(abs).max() ?? 0)
  var largest = 0.0
  for (a, e) in zip(actual, expected) {
    let difference = abs(a - e) / scale
    guard difference == difference else { return .infinity }
    largest = max(largest, difference)
  }
  return largest
}
