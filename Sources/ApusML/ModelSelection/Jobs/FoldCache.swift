import ApusData
import ApusParallel
import Synchronization

/// The training and test rows of one fold.
struct FoldRows: Sendable {
  let train: Dataset
  let test: Dataset

  init(_ data: Dataset, _ split: Split, train rows: [Int]) {
    train = data.gatheringRows(rows)
    test = data.gatheringRows(split.test)
  }

  /// About how much memory the rows take.
  var byteCount: Int { (train.rowCount + test.rowCount) * (train.featureCount + 3) * 8 }
}

/// Rows of folds that were gathered in this process, so that the candidates of a fold do not gather them anew.
///
/// At most ``byteLimit`` bytes are kept; what was not used for longest goes first.
final class FoldCache: Sendable {
  static let shared = FoldCache()

  private struct Key: Hashable {
    let data: Digest
    let splits: Digest
    let fold: Int
    let part: FoldPart?
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var byteCount = 0
    var clock = 0
  }

  private struct Entry {
    var rows: LazyRows
    var lastUse: Int
  }

  private let byteLimit: Int
  private let state = Mutex(State())

  init(byteLimit: Int = 512 << 20) { self.byteLimit = byteLimit }

  /// The rows of a fold, gathered by the first who asks while others wait.
  ///
  /// - Throws: ``ApusError`` of kind `job` when the data or the splits were not put on the backend.
  func rows(
    of data: DataReference<Dataset>, _ splits: DataReference<SplitPlan>, fold: Int,
    part: FoldPart? = nil, in context: JobContext
  ) throws -> FoldRows {
    let key = Key(data: data.digest, splits: splits.digest, fold: fold, part: part)
    let lazyRows = state.withLock { state in
      state.clock += 1
      let rows = state.entries[key]?.rows ?? LazyRows()
      state.entries[key] = Entry(rows: rows, lastUse: state.clock)
      return rows
    }
    let (rows, isNew) = try lazyRows.get { try Self.gather(data, splits, fold, part: part, in: context) }
    if isNew { makeRoom(for: rows.byteCount, sparing: key) }
    return rows
  }

  /// The rows of a fold, gathered and not kept.
  ///
  /// - Throws: ``ApusError`` of kind `job` when the data or the splits were not put on the backend.
  static func gather(
    _ data: DataReference<Dataset>, _ splits: DataReference<SplitPlan>, _ fold: Int,
    part: FoldPart? = nil, in context: JobContext
  ) throws -> FoldRows {
    let plan = try context.resolve(splits)
    guard plan.splits.indices.contains(fold) else {
      throw ApusError(.job, "there is no fold \(fold) among \(plan.splits.count)")
    }
    let rows = try context.resolve(data)
    let split = plan.splits[fold]
    return FoldRows(rows, split, train: part?.rows(of: split, fold: fold, in: rows) ?? split.train)
  }

  /// Forgets the rows of a data set, once a search is over.
  func remove(_ data: Digest) {
    state.withLock { state in
      state.entries = state.entries.filter { $0.key.data != data }
      state.byteCount = state.entries.values.reduce(0) { $0 + $1.rows.byteCount }
    }
  }

  private func makeRoom(for byteCount: Int, sparing newest: Key) {
    state.withLock { state in
      state.byteCount += byteCount
      guard state.byteCount > byteLimit else { return }
      for (key, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse })
      where key != newest && state.byteCount > byteLimit {
        state.byteCount -= entry.rows.byteCount
        state.entries[key] = nil
      }
    }
  }
}

/// Rows that are gathered once, by whoever needs them first.
private final class LazyRows: Sendable {
  private let rows = Mutex<FoldRows?>(nil)
  private let size = Atomic<Int>(0)

  var byteCount: Int { size.load(ordering: .relaxed) }

  func get(_ gather: () throws -> FoldRows) throws -> (rows: FoldRows, isNew: Bool) {
    try rows.withLock { rows in
      if let rows { return (rows, false) }
      let made = try gather()
      rows = made
      size.store(made.byteCount, ordering: .relaxed)
      return (made, true)
    }
  }
}
