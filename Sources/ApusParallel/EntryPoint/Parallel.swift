/// Parallel loops over anything, on the threads of this process: the entry point for a program that has
/// closures rather than jobs.
///
/// ```swift
/// let parallel = try Parallel()                          // every CPU; Parallel(jobs: 4) for four
/// let roots = try parallel.map(1...1000) { Double($0).squareRoot() }
/// ```
///
/// Every call exists twice: a plain one, in which the calling thread takes part, and an asynchronous one, which
/// leaves Swift's cooperative threads free. Inside a parallel loop or a job, nested calls keep within the
/// threads that the loop or job was given, so they never oversubscribe the CPUs.
///
/// To run work in other processes or on other hosts, write it as a ``Job`` and choose a ``ParallelBackend``;
/// ``ParallelBackend/outputs(of:options:)`` then gives the ordered outputs.
public struct Parallel: Sendable {
  /// How many calls run at once, with how many threads each.
  public let capacity: Capacity
  /// Raised to end every loop early.
  public let cancellation: Cancellation
  let backend: ThreadBackend

  /// Creates an entry point.
  ///
  /// - Parameters:
  ///   - jobs: how many calls run at once, counted as joblib counts: 1 is a plain loop in the calling thread,
  ///     -1 (the default) all CPUs of the budget, -2 all but one.
  ///   - threadsPerJob: threads that each call may use; unless given, what the budget leaves to each.
  ///   - cancellation: raised to end every loop early.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for 0 jobs, less than one thread, or more than 8,192 of either.
  public init(jobs: Int = -1, threadsPerJob: Int? = nil, cancellation: Cancellation = Cancellation()) throws {
    backend = try ThreadBackend(workers: jobs, threadsPerWorker: threadsPerJob)
    capacity = backend.capacity
    self.cancellation = cancellation
  }
}

extension Parallel {
  /// The results of `transform` for all items, in the items' order; the calling thread takes part.
  ///
  /// ```swift
  /// let lengths = try Parallel().map(["a", "bcd"]) { $0.count }   // [1, 3]
  /// ```
  ///
  /// - Throws: the error of the first item, in the items' order, among those that threw; items not yet started
  ///   are then left out. ``ApusError`` of kind `cancelled` when the loop was cancelled.
  @inlinable
  public func map<Items: Sequence, Result: Sendable>(
    _ items: Items, _ transform: @Sendable (Items.Element) throws -> Result
  ) throws -> [Result] where Items.Element: Sendable {
    try map(Array(items), cancellation: cancellation, transform)
  }

  /// Calls `body` with every item and waits for all; the calling thread takes part.
  ///
  /// - Throws: as ``map(_:_:)-(_,(Items.Element)->Result)`` does.
  @inlinable
  public func forEach<Items: Sequence>(
    _ items: Items, _ body: @Sendable (Items.Element) throws -> Void
  ) throws where Items.Element: Sendable {
    let items = Array(items)
    let (compute, slots) = loop(cancellation)
    try compute.forEach(items.count, slots: slots, inOrder: true) { index in
      try compute.cancellation.check()
      try body(items[index])
    }
  }

  /// Hands results to `receive` on the calling thread as they are completed, with the index of their item.
  ///
  /// Items are taken a bounded number ahead of `receive`, so a lazy sequence of any length fits.
  ///
  /// ```swift
  /// var best = Int.min
  /// try Parallel().forEachResult(of: 1...1_000_000, score) { index, value in best = max(best, value) }
  /// ```
  ///
  /// - Throws: the first error to come, from `transform` or `receive`; what runs is then asked to stop.
  public func forEachResult<Items: Sequence & Sendable, Result: Sendable>(
    of items: Items, _ transform: @escaping @Sendable (Items.Element) throws -> Result,
    receive: (_ index: Int, _ result: Result) throws -> Void
  ) throws where Items.Element: Sendable {
    let here = capacity.withinCurrentShare
    let work = Self.work(transform)
    if here.slots == 1 {
      let run = SequentialRun(
        items, work: work, threads: here.threadsPerSlot, cancellation: cancellation)
      while let result = run.next() { try receive(result.index, ParallelStream.value(of: result)) }
      return
    }
    let run = backend.threadRun(
      items, work: work, capacity: here, lookAhead: nil, cancellation: cancellation)
    defer { run.stop() }
    while let batch = run.nextBatchBlocking() {
      for result in batch { try receive(result.index, ParallelStream.value(of: result)) }
    }
  }

  static func work<Item: Sendable, Output: Sendable>(
    _ transform: @escaping @Sendable (Item) throws -> Output
  ) -> WorkItem<Item, Swift.Result<Output, any Error>> {
    WorkItem(
      label: { _, index in "item \(index)" },
      body: { item, _, _ in Swift.Result { try transform(item) } })
  }

  @inlinable
  func map<Item: Sendable, Result: Sendable>(
    _ items: [Item], cancellation: Cancellation, _ transform: @Sendable (Item) throws -> Result
  ) throws -> [Result] {
    let (compute, slots) = loop(cancellation)
    return try compute.map(items.count, slots: slots, inOrder: true) { index in
      try compute.cancellation.check()
      return try transform(items[index])
    }
  }

  /// What a loop may use here: all slots' threads together, and the number of slots.
  @usableFromInline
  func loop(_ cancellation: Cancellation) -> (ComputeContext, slots: Int) {
    let here = capacity.withinCurrentShare
    let threads = here.slots * here.threadsPerSlot
    return (ComputeContext(threads: threads, cancellation: cancellation), here.slots)
  }
}

extension Parallel {
  /// The results of `transform` for all items, in the items' order, computed on threads of their own while
  /// the calling task is suspended.
  ///
  /// - Throws: as the plain version does; ``ApusError`` of kind `cancelled` when the task is cancelled.
  public func map<Items: Sequence & Sendable, Result: Sendable>(
    _ items: Items, _ transform: @escaping @Sendable (Items.Element) throws -> Result
  ) async throws -> [Result] where Items.Element: Sendable {
    let flag = Cancellation(parent: cancellation)
    let share = CPUShare.current
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        let thread = ParkedThread.borrow(1)
        thread[0].start(named: "apus-loop") {
          let result = CPUShare.$current.withValue(share) {
            Swift.Result { try map(Array(items), cancellation: flag, transform) }
          }
          ParkedThread.giveBack(thread)
          continuation.resume(with: result)
        }
      }
    } onCancel: {
      flag.cancel()
    }
  }

  /// Calls `body` with every item on threads of their own while the calling task is suspended.
  ///
  /// - Throws: as the plain version does; ``ApusError`` of kind `cancelled` when the task is cancelled.
  public func forEach<Items: Sequence & Sendable>(
    _ items: Items, _ body: @escaping @Sendable (Items.Element) throws -> Void
  ) async throws where Items.Element: Sendable {
    _ = try await map(items, body)
  }

  /// The results of `transform` as they are completed, each with the index of its item.
  ///
  /// Items are taken a bounded number ahead of the reader, so a lazy sequence of any length fits. Ending the
  /// loop early ends the work.
  ///
  /// ```swift
  /// for try await (index, length) in try Parallel().stream(files, parse) { print(index, length) }
  /// ```
  ///
  /// - Parameters:
  ///   - items: what to work on.
  ///   - lookAhead: how many items may be started or finished ahead of the results that were read; nil for a
  ///     small multiple of the slots.
  ///   - transform: the work for an item; what it throws ends the stream.
  public func stream<Items: Sequence & Sendable, Output: Sendable>(
    _ items: Items, lookAhead: Int? = nil,
    _ transform: @escaping @Sendable (Items.Element) throws -> Output
  ) -> ParallelStream<Output> where Items.Element: Sendable {
    ParallelStream(
      results: backend.run(
        items, work: Self.work(transform), lookAhead: lookAhead, cancellation: cancellation))
  }
}
