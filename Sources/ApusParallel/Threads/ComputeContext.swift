/// What a computation may use: how many threads, and the flag that asks it to stop.
///
/// Whatever the number of threads, results are the same to the bit: work is cut into parts that depend on the
/// input alone, and parts are combined in a fixed order.
public struct ComputeContext: Sendable {
  /// The number of threads the computation may keep busy, the calling one included.
  public let threads: Int
  /// The flag that asks the computation to stop.
  public let cancellation: Cancellation
  /// Where the computation says how far it has come; nil where nobody asks.
  public let progress: WorkProgress?

  /// Creates a context.
  public init(threads: Int, cancellation: Cancellation = Cancellation(), progress: WorkProgress? = nil) {
    self.threads = max(1, threads)
    self.cancellation = cancellation
    self.progress = progress
  }

  /// The same context, in which the computation says how far it has come.
  public func reporting(to progress: WorkProgress) -> ComputeContext {
    ComputeContext(threads: threads, cancellation: cancellation, progress: progress)
  }

  /// One thread, never cancelled.
  public static var sequential: ComputeContext { ComputeContext(threads: 1) }

  /// One thread for a part of a computation whose other threads are busy with its other parts; cancelled with it.
  public var onOneThread: ComputeContext { ComputeContext(threads: 1, cancellation: cancellation) }

  /// Calls `body` with every index in `0 ..< count`, on up to ``threads`` threads, and waits for all.
  ///
  /// Each thread, the caller's among them, begins with a part of the indices that is its own, in order, and then takes what
  /// the others have left: one index at a time, or several where calls are very short. With one thread, or one index, this
  /// is a plain loop. Inside a job no more threads are used than the job was given.
  ///
  /// - Throws: the error of the lowest index that threw, indices not yet started being left out; ``ApusError`` of kind
  ///   `cancelled` between calls.
  public func forEach(_ count: Int, _ body: @Sendable (Int) throws -> Void) throws {
    try forEach(count, slots: threads, inOrder: false, body)
  }

  /// The results of `transform` for every index in `0 ..< count`, in order, computed on up to ``threads``
  /// threads.
  ///
  /// - Throws: the error of the lowest index that threw; ``ApusError`` of kind `cancelled` between calls.
  @inlinable
  public func map<Result: Sendable>(_ count: Int, _ transform: @Sendable (Int) throws -> Result) throws
    -> [Result]
  {
    try map(count, slots: threads, inOrder: false, transform)
  }

  /// As ``forEach(_:_:)``, with at most `slots` calls at once, among which the threads are divided; indices may be handed
  /// out in ascending order.
  @usableFromInline
  func forEach(_ count: Int, slots: Int, inOrder: Bool, _ body: @Sendable (Int) throws -> Void) throws {
    try ComputeThreads.forEach(count, threads: threads, slots: slots, inOrder: inOrder, cancellation, body)
  }

  /// As ``map(_:_:)``, with at most `slots` calls at once, among which the threads are divided; indices may be handed out
  /// in ascending order.
  @inlinable
  func map<Result: Sendable>(
    _ count: Int, slots: Int, inOrder: Bool, _ transform: @Sendable (Int) throws -> Result
  ) throws -> [Result] {
    if slots == 1 || count <= 1 {
      return try (0..<count).map { index in
        try cancellation.check()
        return try transform(index)
      }
    }
    let results = ResultSlots<Result>(count: count)
    try forEach(count, slots: slots, inOrder: inOrder) { results.set($0, try transform($0)) }
    return results.take()
  }
}

/// Places for results that are written by index from several threads, each place by one.
///
/// Unchecked Sendable: distinct indices are written by distinct calls of a `forEach`, and read after it has
/// returned.
@usableFromInline
final class ResultSlots<Result: Sendable>: @unchecked Sendable {
  @usableFromInline let places: UnsafeMutableBufferPointer<Result?>

  @inlinable
  init(count: Int) {
    places = .allocate(capacity: count)
    places.initialize(repeating: nil)
  }

  @inlinable
  deinit {
    places.deinitialize()
    places.deallocate()
  }

  @inlinable
  func set(_ index: Int, _ result: Result) { places[index] = result }

  @inlinable
  func take() -> [Result] { places.map { $0! } }
}
