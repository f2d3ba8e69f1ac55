import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Which rows the trees of a forest are grown on, read off forests whose trees are one leaf.
enum ForestDraws {
  /// How often each tree counts each row: `multiplicities[tree][row]`.
  ///
  /// A tree that is one leaf predicts the mean of the rows drawn for it; of a target that is 1 for one row and 0 for
  /// the others that is the row's share of the draws. The draws do not depend on the target.
  ///
  /// - Parameter drawCount: the number of rows drawn for a tree; as many as there are unless given.
  static func multiplicities(
    rowCount n: Int, treeCount: Int, drawCount: Int? = nil, _ context: FitContext
  ) throws -> [[Double]] {
    var forest = RandomForestRegressor()
    (forest.treeCount, forest.minSamplesSplit) = (treeCount, .count(10 * n))
    forest.maxSamples = drawCount.map { .count($0) }
    let draws = Double(drawCount ?? n)
    let features = Matrix((0..<n).map { [Double($0)] })
    var result = [[Double]](repeating: [Double](repeating: 0, count: n), count: treeCount)
    for row in 0..<n {
      let data = try Dataset(features: features, target: .values((0..<n).map { $0 == row ? 1 : 0 }))
      let model = try forest.fit(data, context)
      #expect(model.nodeCount == treeCount)
      let means = try model.predict(features.rows(0..<1), treeCounts: Array(1...treeCount), .sequential)
      var before = 0.0
      for tree in 0..<treeCount {
        let sum = means[tree][0] * Double(tree + 1)
        result[tree][row] = ((sum - before) * draws).rounded()
        #expect(abs((sum - before) * draws - result[tree][row]) < 1e-6)
        before = sum
      }
    }
    return result
  }
}
