import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Many queries at once are answered by a tree where there are few features, a few by comparing all rows; both must say
/// the same to the bit.
@Suite struct NeighbourTreeTests {
  enum Shape: String, CaseIterable {
    case uniform, grid, clusters, oneLine, copies, tiny, mixedScales, distant, large
  }

  private func table(_ shape: Shape, rows: Int, columns: Int, seed: UInt64) -> Matrix<Double> {
    var random = Seed(seed).randomSource()
    var table = Matrix<Double>(rowCount: rows, columnCount: columns)
    for row in 0..<rows {
      let centre = Double(random.integer(below: 7))
      let place = random.uniform()
      for column in 0..<columns {
        let draw = random.uniform()
        table[row, column] =
          switch shape {
          case .uniform: draw
          // Most distances occur many times.
          case .grid: Double(Int(draw * 4))
          case .clusters: 100 * centre + draw * draw
          case .oneLine: place * Double(column + 1)
          case .copies: centre
          case .tiny: draw * 1e-120
          case .mixedScales: column == 0 ? draw * 1e9 : draw * 1e-9
          // Single precision alone would take all of them for one point.
          case .distant: 1e9 + draw
          case .large: draw * 1e140
          }
      }
    }
    return table
  }

  @Test(arguments: Shape.allCases, [1, 2, 4, 9]) func aTreeGivesTheNeighboursOfAComparisonWithAllRows(
    shape: Shape, columns: Int
  ) throws {
    let stored = table(shape, rows: 3_000, columns: columns, seed: 1)
    // A target that tells every row from every other.
    let data = try Dataset(
      features: stored, target: .values((0..<3_000).map { (Double($0) * 0.37).squareRoot() }))
    var queries = table(shape, rows: 700, columns: columns, seed: 2)
    // Some queries are stored rows, some lie outside of everything.
    for row in 0..<100 {
      for column in 0..<columns { queries[row, column] = stored[row * 7, column] * (row < 60 ? 1 : -3) }
    }
    for (count, weights) in [(1, NeighbourWeighting.uniform), (5, .distance), (60, .distance)] {
      var estimator = KNeighboursRegressor()
      (estimator.neighbourCount, estimator.weights) = (count, weights)
      let model = try estimator.fit(data)
      let together = try model.predict(queries)
      var apart: [Double] = []
      for start in stride(from: 0, to: 700, by: 100) {
        apart += try model.predict(queries.gatheringRows(Array(start..<start + 100)))
      }
      #expect(together.map(\.bitPattern) == apart.map(\.bitPattern), "\(count) neighbours")
      let threaded = try model.predict(queries, ComputeContext(threads: 3))
      #expect(threaded.map(\.bitPattern) == together.map(\.bitPattern))
    }
  }

  /// Weights decide which rows are neighbours at all, and how they vote.
  @Test func rowsWithoutWeightAreNoNeighboursOfATreeEither() throws {
    let stored = table(.uniform, rows: 4_000, columns: 3, seed: 3)
    let target = (0..<4_000).map { Int32($0 % 3) }
    let data = try Dataset(
      features: stored, target: .classes(indices: target, labels: ["a", "b", "none"]),
      weights: target.map { $0 == 2 ? 0 : 1 + Double($0) })
    let model = try KNeighboursClassifier().fit(data)
    let probabilities = try model.predictProbabilities(stored, .sequential)
    for row in 0..<4_000 {
      #expect(probabilities[row, probabilities.columnCount - 1] == 0 || model.classLabels.count == 2)
    }
    let part = try model.predictProbabilities(stored.gatheringRows(Array(0..<200)), .sequential)
    #expect((0..<200).allSatisfy { part.row($0) == probabilities.row($0) })
  }

  /// Squares that overflow are all the same distance away; a tree is not asked about them.
  @Test func hugeValuesHaveNeighboursToo() throws {
    let stored = table(.uniform, rows: 1_500, columns: 2, seed: 4)
    let huge = Matrix(stored.rowArrays.map { $0.map { $0 * 1e200 } })
    let data = try Dataset(features: huge, target: .values((0..<1_500).map(Double.init)))
    let predicted = try KNeighboursRegressor().fit(data).predict(huge)
    let areFinite = predicted.allSatisfy(\.isFinite)
    #expect(areFinite)
  }
}
