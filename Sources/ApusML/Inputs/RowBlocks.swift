/// Rows cut into blocks whose borders depend on the number of rows alone, never on the threads that work on
/// them: the ground on which results are the same to the bit everywhere.
struct RowBlocks: Sendable {
  /// The number of rows.
  let rowCount: Int
  /// The number of rows in a block; the last one may be shorter.
  let size: Int

  /// Cuts rows into at most `maximumCount` blocks of at least `minimumSize` rows.
  init(rowCount: Int, minimumSize: Int, maximumCount: Int = 64) {
    self.rowCount = rowCount
    size = max(1, minimumSize, (rowCount - 1) / max(1, maximumCount) + 1)
  }

  /// The number of blocks.
  var count: Int { (rowCount + size - 1) / size }

  /// The rows of a block.
  subscript(index: Int) -> Range<Int> { index * size..<min(rowCount, (index + 1) * size) }
}
