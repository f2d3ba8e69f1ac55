import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// A fit that scikit-learn made, from one of the golden files of `make_linear_models.py`.
struct LinearModelCase: Decodable, Sendable, CustomTestStringConvertible {
  let name, dataset, weights: String
  let every, features: Int
  let center, scale: [Double]
  let parameters: [String: ParameterValue]
  let coefficients: [[Double]]
  let intercepts: [Double]

  var testDescription: String { name }

  static func load(_ file: String) -> [LinearModelCase] { (try? Golden.load(file)) ?? [] }

  /// The data that the model was fitted on.
  func data() throws -> Dataset {
    let whole = try Dataset(bundled: dataset)
    let rows = whole.gatheringRows(Array(stride(from: 0, to: whole.rowCount, by: every)))
    let mapped = Matrix(rowCount: rows.rowCount, columnCount: features) { target in
      for row in 0..<rows.rowCount {
        for column in 0..<features {
          target[row * features + column] = (rows.features[row, column] - center[column]) / scale[column]
        }
      }
    }
    let rowWeights: [Double]? =
      switch weights {
      case "mod3": (0..<rows.rowCount).map { Double($0 % 3) }
      case "graded": (0..<rows.rowCount).map { 0.5 + Double($0 % 7) / 4 }
      default: nil
      }
    return try Dataset(features: mapped, target: rows.target, weights: rowWeights)
  }
}

extension Dataset {
  /// Normal features and a target that is linear in them but for normal noise.
  static func linear(
    _ n: Int, _ p: Int, noise: Double = 0.1, seed: UInt64 = 1, weights: [Double]? = nil
  ) throws -> Dataset {
    var random = Seed(seed).randomSource()
    let features = Matrix<Double>(rowCount: n, columnCount: p) { x in
      for index in x.indices { x[index] = random.normal() }
    }
    let truth = (0..<p).map { Double($0 % 5) - 2 }
    let target = try features.multiplied(by: truth).map { $0 + 3 + noise * random.normal() }
    return try Dataset(features: features, target: .values(target), weights: weights)
  }
}
