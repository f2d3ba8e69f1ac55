import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

/// The loops behind scores, for every shape that they treat apart.
@Suite struct LinearScoresTests {
  private static let shapes = [2, 3, 4, 5, 8, 9, 12, 13, 17, 26, 48, 53].flatMap { k in
    [1, 3, 4, 6, 11].map { (classes: k, features: $0) }
  }

  private func data(classes: Int, features: Int) throws -> Dataset {
    var random = Seed(UInt64(100 * classes + features)).randomSource()
    let rows = 2 * classes + 7
    let matrix = Matrix<Double>(rowCount: rows, columnCount: features) { target in
      for index in target.indices { target[index] = random.normal() }
    }
    return try Dataset(
      features: matrix, target: .classes((0..<rows).map { String(format: "%02d", $0 % classes) }))
  }

  @Test(arguments: shapes) func aRowsScoresAreItsProducts(classes: Int, features: Int) throws {
    let data = try data(classes: classes, features: features)
    let model = try LogisticRegression(c: 1, maxIterations: 3).fit(data)
    let scores = try model.scores(data.features)
    for row in 0..<data.rowCount {
      // The same to the bit alone; of more scores OpenBLAS makes products whose order depends on the number of rows.
      let alone = try model.scores(data.features.rows(row..<row + 1)).elements
      #expect(classes <= 48 ? alone == scores.row(row) : relativeDifference(alone, scores.row(row)) < 1e-14)
      for score in model.intercepts.indices {
        let products = (0..<features).map { data.features[row, $0] * model.coefficients[score, $0] }
        #expect(abs(scores[row, score] - products.reduce(model.intercepts[score], +)) < 1e-13)
      }
    }
    #expect(try model.scores(data.features, ComputeContext(threads: 2)).elements == scores.elements)
  }

  /// The sums of residuals and their products with features, seen from outside: they vanish at the minimum.
  @Test(arguments: shapes) func theGradientIsZeroAtTheMinimum(classes: Int, features: Int) throws {
    let data = try data(classes: classes, features: features)
    let model = try LogisticRegression(c: 0.7, tolerance: 1e-10).fit(data)
    #expect(model.convergence?.converged == true)
    let probabilities = try model.predictProbabilities(data.features)
    let n = Double(data.rowCount)
    for score in model.intercepts.indices {
      let label = model.intercepts.count == 1 ? 1 : score
      let residuals = (0..<data.rowCount).map { probabilities[$0, label] - ($0 % classes == label ? 1 : 0) }
      #expect(abs(residuals.reduce(0, +)) / n < 1e-8)
      for feature in 0..<features {
        let products = residuals.indices.map { residuals[$0] * data.features[$0, feature] }
        let penalty = model.coefficients[score, feature] / (0.7 * n)
        #expect(abs(products.reduce(0, +) / n + penalty) < 1e-8)
      }
    }
  }

  @Test(arguments: [1, 2, 4, 5, 9, 16, 29]) func aRowsPredictionDoesNotDependOnItsNeighbours(features: Int)
    throws
  {
    var random = Seed(UInt64(features)).randomSource()
    let matrix = Matrix<Double>(rowCount: 23, columnCount: features) { target in
      for index in target.indices { target[index] = random.normal() }
    }
    let model = try Ridge().fit(Dataset(features: matrix, target: .values((0..<23).map { Double($0 * $0) })))
    let predictions = try model.predict(matrix)
    for row in 0..<23 {
      #expect(try model.predict(matrix.rows(row..<row + 1)) == [predictions[row]])
      let products = (0..<features).map { matrix[row, $0] * model.coefficients[$0] }
      #expect(abs(predictions[row] - products.reduce(model.intercept, +)) < 1e-11)
    }
  }
}
