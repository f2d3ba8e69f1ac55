import ApusParallel
import Foundation
import Synchronization
import Testing

@Suite(.serialized) struct ThreadBackendTests {
  struct NoteThread: Job {
    static let wireName = "test.thread"
    static let threads = Seen<pthread_t>()
    static let inside = HighWater()
    func run(in context: JobContext) throws -> String {
      Self.inside.enter()
      defer { Self.inside.leave() }
      Self.threads.insert(pthread_self())
      usleep(2000)
      return try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        .trimmingCharacters(in: .newlines)
    }
  }

  @Test func threadsAreNamedReusedAndNeverMoreThanTheSlots() async throws {
    let backend = try ThreadBackend(workers: 3, threadsPerWorker: 1)
    var names = Set<String>()
    for _ in 0..<3 {
      // Two runs at once share the backend's slots.
      async let first = backend.outputs(of: Array(repeating: NoteThread(), count: 20))
      async let second = backend.outputs(of: Array(repeating: NoteThread(), count: 20))
      names.formUnion(try await first + second)
    }
    #expect(names == ["apus-worker-0", "apus-worker-1", "apus-worker-2"])
    #expect(NoteThread.threads.distinct.count == 3)
    #expect(NoteThread.inside.most == 3)
  }

  @Test func jobsAreTakenNoFurtherAheadThanAsked() async throws {
    let backend = try ThreadBackend(workers: 2, threadsPerWorker: 1)
    let drawn = Mutex(0)
    let sequence = CountingJobs(count: 1000) { _ in drawn.withLock { $0 += 1 } }
    var iterator = backend.run(sequence, options: RunOptions(lookAhead: 6)).makeAsyncIterator()
    for read in 1...200 {
      _ = await iterator.next()
      #expect(drawn.withLock { $0 } <= read - 1 + 6)
    }
    // The threads run ahead by half of what is allowed or more, and stop there.
    #expect(await eventually { drawn.withLock { $0 } >= 199 + 3 })
    try await Task.sleep(for: .milliseconds(20))
    #expect(drawn.withLock { $0 } <= 199 + 6)
  }

  @Test func aMillionLazyJobsAreDrawnAsTheyAreRead() async throws {
    let backend = try ThreadBackend(workers: 2, threadsPerWorker: 1)
    let drawn = Mutex(0)
    var (read, sum, furthest) = (0, 0, 0)
    for await result in backend.run(CountingJobs(count: 1_000_000) { _ in drawn.withLock { $0 += 1 } }) {
      read += 1
      sum += result.index
      furthest = max(furthest, drawn.withLock { $0 } - read)
    }
    #expect(sum == 499_999_500_000)
    #expect(drawn.withLock { $0 } == 1_000_000)
    #expect(furthest < 10_000)
  }

  @Test func lettingGoOfTheIteratorStopsRunningJobs() async throws {
    let backend = try ThreadBackend(workers: 2, threadsPerWorker: 1)
    let started = RunUntilStopped.started.load(ordering: .relaxed)
    let stopped = RunUntilStopped.stopped.load(ordering: .relaxed)
    let task = Task {
      for await _ in backend.run(Array(repeating: RunUntilStopped(), count: 10)) {}
      return Task.isCancelled
    }
    #expect(await eventually { RunUntilStopped.started.load(ordering: .relaxed) == started + 2 })
    task.cancel()
    #expect(await task.value)
    #expect(await eventually { RunUntilStopped.stopped.load(ordering: .relaxed) == stopped + 2 })
    try await Task.sleep(for: .milliseconds(20))
    #expect(RunUntilStopped.started.load(ordering: .relaxed) == started + 2)
    // The slots are free again.
    #expect(try await backend.outputs(of: [Square(number: 3)]) == [9])
  }

  @Test func aRaisedFlagStopsRunningJobsAndReportsAll() async throws {
    let backend = try ThreadBackend(workers: 2, threadsPerWorker: 1)
    let flag = Cancellation()
    let started = RunUntilStopped.started.load(ordering: .relaxed)
    async let collected = collect(
      backend.run(Array(repeating: RunUntilStopped(), count: 10), options: RunOptions(cancellation: flag)))
    #expect(await eventually { RunUntilStopped.started.load(ordering: .relaxed) == started + 2 })
    flag.cancel()
    let (outcomes, count) = await collected
    #expect(count == 10)
    for outcome in outcomes.values {
      guard case .failure(let failure) = outcome else {
        Issue.record("a cancelled job succeeded")
        return
      }
      #expect(failure.reason == .cancelled)
    }
  }

  @Test func aLongJobAmongTinyOnesDoesNotHoldThemBack() async throws {
    struct Sleep: Job {
      static let wireName = "test.sleep"
      let microseconds: UInt32
      func run(in context: JobContext) throws -> Int {
        if microseconds > 0 { usleep(microseconds) }
        return Int(microseconds)
      }
    }
    let backend = try ThreadBackend(workers: 2, threadsPerWorker: 1)
    // Tiny jobs make the chunks grow; then 40 jobs of 10 ms come, which two threads finish in 200 ms.
    let jobs = (0..<20_040).map { Sleep(microseconds: $0 < 20_000 ? 0 : 10_000) }
    var shares: [String: Int] = [:]
    for await result in backend.run(jobs) where result.index >= 20_000 {
      if case .success(_, let execution) = result.outcome {
        shares[execution.worker, default: 0] += 1
        #expect(execution.wallSeconds >= 0.01)
        #expect(execution.cpuSeconds < 0.005)
      }
    }
    // Neither thread has taken most of them while the other had nothing to do.
    #expect(shares.count == 2 && shares.values.allSatisfy { $0 >= 12 }, "\(shares)")
  }
}

/// A sequence of jobs that are made as they are drawn.
struct CountingJobs: Sequence, Sendable {
  let count: Int
  let onDraw: @Sendable (Int) -> Void

  func makeIterator() -> AnyIterator<Square> {
    var next = 0
    return AnyIterator {
      guard next < count else { return nil }
      defer { next += 1 }
      onDraw(next)
      return Square(number: next)
    }
  }
}
