extension Capacity {
  /// The most workers, and threads of each: as many as Linux can be built to know CPUs.
  package static let mostSlots = 8_192

  /// The capacity that a caller asks for in joblib's way of counting.
  ///
  /// - Parameters:
  ///   - workers: a positive number of slots; -1 for as many as the budget holds, -2 for one CPU less, ….
  ///   - threadsPerWorker: threads of each slot; unless given, what the budget leaves to each slot.
  ///   - budget: the CPUs that may be used.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for 0 workers, less than one thread, or more than 8,192 of
  ///   either.
  package init(workers: Int, threadsPerWorker: Int?, budget: CPUBudget) throws {
    guard workers != 0 else {
      throw ApusError(
        .invalidParameter, "0 workers cannot run anything",
        hint: "1 is a plain loop, -1 uses every CPU, -2 all but one")
    }
    if let threadsPerWorker, threadsPerWorker < 1 {
      throw ApusError(
        .invalidParameter, "\(threadsPerWorker) threads a worker cannot run anything",
        hint: "give each worker at least one thread")
    }
    // What is asked for is made: threads, queues and places in tables.
    for (count, what) in [(workers, "workers"), (threadsPerWorker ?? 1, "threads a worker")]
    where count > Self.mostSlots {
      throw ApusError(
        .invalidParameter,
        "\(count.grouped) \(what) are more than the \(Self.mostSlots.grouped) that a machine can run at once",
        hint: "-1 uses every CPU")
    }
    let slots: Int
    if workers > 0 {
      slots = workers
    } else {
      slots = max(1, (budget.cpuCount + 1 + workers) / (threadsPerWorker ?? 1))
    }
    self.init(slots: slots, threadsPerSlot: threadsPerWorker ?? max(1, budget.cpuCount / slots))
  }

  /// This capacity cut down to the share of the job that runs here; unchanged outside of jobs.
  package var withinCurrentShare: Capacity {
    guard let share = CPUShare.current else { return self }
    let slots = min(slots, share)
    return Capacity(slots: slots, threadsPerSlot: min(threadsPerSlot, max(1, share / slots)))
  }
}
