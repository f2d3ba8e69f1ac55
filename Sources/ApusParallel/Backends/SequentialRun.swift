/// One run of items in the task or thread that reads the results.
final class SequentialRun<Items: Sequence & Sendable, Output: Sendable>: Sendable
where Items.Element: Sendable {
  private let source: JobSource<Items>
  private let work: WorkItem<Items.Element, Output>
  private let threads: Int
  private let cancellation: Cancellation

  init(
    _ items: Items, work: WorkItem<Items.Element, Output>, threads: Int, cancellation: Cancellation
  ) {
    source = JobSource(items)
    self.work = work
    self.threads = threads
    self.cancellation = Cancellation(parent: cancellation)
  }

  /// An iterator whose every step runs one item.
  var iterator: JobResults<Output>.Iterator {
    JobResults.Iterator(step: { [self] in next() }, cancel: { [cancellation] in cancellation.cancel() })
  }

  /// Runs the next item; nil after the last one.
  func next() -> JobResult<Output>? {
    guard let (index, item) = source.next() else { return nil }
    let compute = ComputeContext(threads: threads, cancellation: cancellation)
    var stopwatch = JobStopwatch()
    return CPUShare.$current.withValue(threads) {
      work.run(item, index: index, compute: compute, worker: "calling thread", stopwatch: &stopwatch)
    }
  }
}
