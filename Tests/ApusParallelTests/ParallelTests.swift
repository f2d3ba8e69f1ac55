import ApusParallel
import Foundation
import Synchronization
import Testing

@Suite struct ParallelTests {
  static func four() throws -> Parallel { try Parallel(jobs: 4, threadsPerJob: 1) }

  // Plain functions choose the plain overloads.
  static func plainMap(_ parallel: Parallel, _ count: Int) throws -> [Int] {
    try parallel.map(0..<count) { $0 * 3 }
  }

  @Test(arguments: [1, 2, 4]) func resultsComeInTheOrderOfTheItems(_ jobs: Int) async throws {
    let parallel = try Parallel(jobs: jobs, threadsPerJob: 1)
    #expect(try Self.plainMap(parallel, 1000) == (0..<1000).map { $0 * 3 })
    #expect(try await parallel.map(0..<1000) { $0 * 3 } == (0..<1000).map { $0 * 3 })
    #expect(try Self.plainMap(parallel, 0) == [])
    let lazily: [String] = try await parallel.map(["a", "b"]) { $0 + "!" }
    #expect(lazily == ["a!", "b!"])
  }

  @Test(arguments: [1, 4]) func theFirstErrorIsThrownAndTheRestLeftOut(_ jobs: Int) async throws {
    struct Bad: Error, Equatable { let item: Int }
    let parallel = try Parallel(jobs: jobs, threadsPerJob: 1)
    let calls = Atomic<Int>(0)
    func plain() throws {
      try parallel.forEach(0..<100_000) { item in
        calls.wrappingAdd(1, ordering: .relaxed)
        if item >= 10 { throw Bad(item: item) }
      }
    }
    #expect(throws: Bad(item: 10)) { try plain() }
    #expect(calls.load(ordering: .relaxed) < 100)
    await #expect(throws: Bad(item: 10)) {
      try await parallel.map(0..<100_000) { item in
        if item >= 10 { throw Bad(item: item) }
        return item
      }
    }
    await #expect(throws: Bad.self) {
      for try await _ in parallel.stream(0..<100_000, { throw Bad(item: $0) }) {}
    }
  }

  @Test func aStreamGivesEveryItemOnceWithItsIndex() async throws {
    var seen: [Int: String] = [:]
    for try await (index, output) in try Self.four().stream((0..<5000).map { $0 * 2 }, { "\($0)" }) {
      #expect(seen[index] == nil)
      seen[index] = output
    }
    #expect(seen.count == 5000)
    #expect(seen.allSatisfy { $1 == "\($0 * 2)" })
  }

  @Test(arguments: [1, 4]) func resultsAreReceivedOnTheCallingThread(_ jobs: Int) throws {
    let caller = pthread_self()
    var sum = 0
    try Parallel(jobs: jobs, threadsPerJob: 1).forEachResult(of: 0..<100_000, { $0 }) { index, value in
      #expect(index == value)
      #expect(pthread_equal(pthread_self(), caller) != 0)
      sum += value
    }
    #expect(sum == 4_999_950_000)
  }

  @Test func aFlagOrACancelledTaskEndsALoop() async throws {
    let flag = Cancellation()
    let parallel = try Parallel(jobs: 2, threadsPerJob: 1, cancellation: flag)
    func plain() throws {
      try parallel.forEach(0..<1_000_000) { if $0 == 100 { flag.cancel() } }
    }
    #expect { try plain() } throws: { ($0 as? ApusError)?.kind == .cancelled }

    let calls = Atomic<Int>(0)
    let started = Cancellation()
    let task = Task {
      try await Parallel(jobs: 2, threadsPerJob: 1).forEach(0..<100_000) { _ in
        calls.wrappingAdd(1, ordering: .relaxed)
        started.cancel()
        usleep(1000)
      }
    }
    #expect(await eventually { started.isCancelled })
    task.cancel()
    let result = await task.result
    #expect { try result.get() } throws: { ($0 as? ApusError)?.kind == .cancelled }
    #expect(calls.load(ordering: .relaxed) < 50_000)
  }
}

/// Nested parallelism keeps within the threads that the outer loop or job was given.
@Suite struct NestedParallelismTests {
  struct NestedLoops: Job {
    static let wireName = "test.nested"
    static let inside = HighWater()

    /// How many threads the nested loops used, and whether they stayed on the job's own one.
    struct Output: Codable, Sendable {
      var threads: Int
      var onOwnThread: Bool
      var budget: Int
    }

    func run(in context: JobContext) throws -> Output {
      let threads = Seen<pthread_t>()
      let own = pthread_self()
      @Sendable func work() {
        Self.inside.enter()
        threads.insert(pthread_self())
        usleep(300)
        Self.inside.leave()
      }
      // Every way to ask for more than one has.
      try Parallel().forEach(0..<8) { _ in work() }
      try Parallel(jobs: 8).forEach(0..<8) { _ in work() }
      try Parallel(jobs: 4).forEachResult(of: 0..<8, { _ in work() }) { _, _ in }
      try ComputeContext(threads: 8).forEach(8) { _ in work() }
      try ComputeContext.allCPUs.forEach(4) { _ in
        try ComputeContext(threads: 8).forEach(4) { _ in work() }
      }
      return Output(
        threads: threads.distinct.count,
        onOwnThread: threads.distinct.allSatisfy { pthread_equal($0, own) != 0 },
        budget: CPUBudget.current.cpuCount)
    }
  }

  @Test func aJobOfOneThreadRunsNestedLoopsOnIt() async throws {
    let reports = try await ThreadBackend(workers: 3, threadsPerWorker: 1)
      .outputs(of: Array(repeating: NestedLoops(), count: 9))
    #expect(reports.allSatisfy { $0.threads == 1 && $0.onOwnThread && $0.budget == 1 })
    #expect(NestedLoops.inside.most <= 3)
  }

  @Test func aJobOfTwoThreadsUsesTwoAtOnce() async throws {
    let inside = HighWater()
    let outer = try Parallel(jobs: 2, threadsPerJob: 2)
    let budgets = try await outer.map(0..<4) { _ in
      try Parallel(jobs: 8).forEach(0..<20) { _ in
        inside.enter()
        // A busy machine may be slow to bring the third thread.
        let deadline = ContinuousClock.now + .seconds(20)
        repeat { usleep(500) } while inside.most < 3 && ContinuousClock.now < deadline
        inside.leave()
      }
      return CPUBudget.current.cpuCount
    }
    #expect(budgets == [2, 2, 2, 2])
    #expect(inside.most == 3 || inside.most == 4)
  }

  @Test func aRunNestedInTheSameBackendDoesNotWaitForItself() async throws {
    struct Outer: Job {
      static let wireName = "test.outer"
      static let parallel = Mutex<Parallel?>(nil)
      func run(in context: JobContext) throws -> Int {
        var sum = 0
        let parallel = Self.parallel.withLock { $0 }
        try parallel?.forEachResult(of: 0..<10, { $0 }) { sum += $1 }
        return sum
      }
    }
    Outer.parallel.withLock { $0 = try? Parallel(jobs: 2, threadsPerJob: 2) }
    let sums = try await ThreadBackend(workers: 2, threadsPerWorker: 2)
      .outputs(of: Array(repeating: Outer(), count: 6))
    #expect(sums == Array(repeating: 45, count: 6))
  }
}
