import CKernels

/// The working memory of a search for splits.
final class SplitRoom {
  /// The places of the arrays below, as the kernels want them.
  let scratch: UnsafeMutablePointer<forest_scratch>
  private let cellSums: Room<Int64>
  private let cellWeights: Room<Double>
  private let cellRows: Room<Int32>
  private let sums: Room<Double>
  private let weights: Room<Double>
  private let classLeft: Room<Double>
  private let classTerms: Room<Double>
  private let scores: Room<Int64>
  private let order: Room<UInt64>
  private let orderBuffer: Room<UInt64>
  private let classCells: Room<Int32>

  /// - Parameters:
  ///   - rowCount: the most rows of a node.
  ///   - codeCount: the most codes of a column.
  ///   - classCount: the number of classes; 1 for regression.
  init(rowCount: Int, codeCount: Int, classCount: Int) {
    // Rows in sorted order take the place of cells where codes spread over more than 256.
    let cells = max(codeCount, codeCount > 256 ? rowCount : 0) + 64
    cellSums = Room(cells)
    cellWeights = Room(cells)
    cellRows = Room(max(codeCount, 4 * 24 + 16) + 64)
    sums = Room(cells)
    weights = Room(cells)
    scores = Room(cells)
    classLeft = Room(classCount)
    classTerms = Room(2 * classCount)
    order = Room(rowCount + 1)
    orderBuffer = Room(codeCount > 256 ? rowCount + 1 : 1)
    // The kernel uses cells only for nodes of at least an eighth as many rows; it pads the classes.
    let stride = (classCount + 7) / 8 * 8
    let classCellCount = classCount == 1 ? 1 : min((codeCount + 2) * stride, 16 * rowCount + 2 * stride)
    classCells = Room(max(classCellCount, stride))
    scratch = .allocate(capacity: 1)
    scratch.initialize(
      to: forest_scratch(
        cell_sums: cellSums.base, cell_weights: cellWeights.base, cell_rows: cellRows.base, sums: sums.base,
        weights: weights.base, class_left: classLeft.base, class_terms: classTerms.base, scores: scores.base,
        order: order.base, order_buffer: orderBuffer.base, class_cells: classCells.base,
        class_cell_capacity: Int64(classCells.capacity)))
  }

  deinit { scratch.deallocate() }
}
