/// What a run does with each of its items: how to call it in a failure, and the work itself.
struct WorkItem<Item: Sendable, Output: Sendable>: Sendable {
  /// A few words that name an item.
  let label: @Sendable (_ item: Item, _ index: Int) -> String
  /// Does the work for an item.
  let body: @Sendable (_ item: Item, _ index: Int, _ compute: ComputeContext) throws -> Output

  /// Does the work, or records why it could not be done.
  func run(
    _ item: Item, index: Int, compute: ComputeContext, worker: String, stopwatch: inout JobStopwatch
  ) -> JobResult<Output> {
    if compute.cancellation.isCancelled {
      return JobResult(index: index, outcome: .failure(.notStarted(label(item, index))))
    }
    do {
      let output = try body(item, index, compute)
      return JobResult(index: index, outcome: .success(output, stopwatch.lap(worker: worker)))
    } catch {
      _ = stopwatch.lap(worker: worker)
      let failure = JobFailure.thrown(
        error, by: label(item, index), worker: worker, cancelled: compute.cancellation.isCancelled)
      return JobResult(index: index, outcome: .failure(failure))
    }
  }
}

extension WorkItem where Item: Job, Output == Item.Output {
  /// Runs jobs with the seeds of a run and the data of a store.
  init(seed: Seed, store: any SharedDataStore) {
    label = { job, _ in job.label }
    body = { job, index, compute in
      try job.run(
        in: JobContext(index: index, seed: seed.derived("job", index), compute: compute, store: store))
    }
  }
}
