import ApusParallel

/// Where the threads that parse chunks write: each chunk writes the rows that are its own.
///
/// Unchecked Sendable: every row is written by the one call that parses its chunk, and read after all have
/// returned.
final class TableOutput: @unchecked Sendable {
  /// The features, row by row.
  let features: UnsafeMutablePointer<Double>
  let featureCount: Int
  let targetValues: UnsafeMutableBufferPointer<Double>
  let targetCodes: UnsafeMutableBufferPointer<Int32>
  let weights: UnsafeMutableBufferPointer<Double>
  let groupCodes: UnsafeMutableBufferPointer<Int32>

  /// Allocates what a plan needs beside the features.
  init(plan: TablePlan, rowCount: Int, features: UnsafeMutablePointer<Double>) {
    self.features = features
    featureCount = plan.features.count
    let target = plan.targetColumn.map { plan.columns[$0].role }
    let wantsNumbers = target == .targetNumber || target == .targetEither
    let wantsLabels = target == .targetLabel || target == .targetEither
    targetValues = .allocate(capacity: wantsNumbers ? rowCount : 0)
    targetCodes = .allocate(capacity: wantsLabels ? rowCount : 0)
    weights = .allocate(capacity: plan.column(with: .weight) == nil ? 0 : rowCount)
    groupCodes = .allocate(capacity: plan.column(with: .group) == nil ? 0 : rowCount)
  }

  deinit {
    targetValues.deallocate()
    targetCodes.deallocate()
    weights.deallocate()
    groupCodes.deallocate()
  }
}
