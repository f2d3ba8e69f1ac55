import ApusParallel
import Foundation
import Testing

/// What both backends of this process promise.
@Suite struct BackendTests {
  static let backends: [any ParallelBackend] = {
    var all: [any ParallelBackend] = [SequentialBackend()]
    for workers in [1, 2, 4] {
      if let backend = try? ThreadBackend(workers: workers, threadsPerWorker: 1) { all.append(backend) }
    }
    return all
  }()

  @Test(arguments: 0..<4) func everyIndexComesOnceWithItsOutput(_ choice: Int) async throws {
    let backend = Self.backends[choice]
    func run(_ backend: some ParallelBackend) async throws {
      let (outcomes, count) = await collect(backend.run((0..<5000).map { Square(number: $0) }))
      #expect(count == 5000)
      #expect(outcomes.count == 5000)
      for (index, outcome) in outcomes { #expect(try outcome.get() == index * index) }
    }
    try await run(backend)
  }

  @Test(arguments: 0..<4) func aJobThatThrowsIsAnOutcome(_ choice: Int) async throws {
    func run(_ backend: some ParallelBackend) async throws {
      let jobs = (1...100).map { ThrowForMultiples(number: $0, divisor: 10) }
      let (outcomes, count) = await collect(backend.run(jobs))
      #expect(count == 100)
      for (index, outcome) in outcomes {
        let number = index + 1
        switch outcome {
        case .success(let output, let execution):
          #expect(output == number)
          #expect(number % 10 != 0)
          #expect(execution.wallSeconds >= 0 && execution.wallSeconds < 5)
        case .failure(let failure):
          #expect(number % 10 == 0)
          #expect(failure.reason == .threw)
          #expect(failure.job == "number \(number)")
          #expect(failure.message == "\(number) is a multiple of 10")
          #expect(failure.worker != nil)
        }
      }
    }
    try await run(Self.backends[choice])
  }

  @Test(arguments: 0..<4) func seedsDependOnTheRunAndTheIndexAlone(_ choice: Int) async throws {
    func run(_ backend: some ParallelBackend) async throws {
      let reports = try await backend.outputs(
        of: Array(repeating: ReportContext(), count: 50), options: RunOptions(seed: Seed(11)))
      #expect(reports.map(\.index) == Array(0..<50))
      #expect(reports.map(\.seed) == (0..<50).map { Seed(11).derived("job", $0) })
      #expect(reports.allSatisfy { $0.threads == 1 && $0.budget == 1 })
    }
    try await run(Self.backends[choice])
  }

  @Test(arguments: 0..<4) func dataIsFoundByDigestUntilItIsRemovedAsOftenAsPut(_ choice: Int) async throws {
    func run(_ backend: some ParallelBackend) async throws {
      let reference = try await backend.put(SharedText("twelve chars"))
      #expect(try await backend.put(SharedText("twelve chars")) == reference)
      await backend.remove(reference.digest)
      #expect(try await backend.outputs(of: [CountCharacters(text: reference)]) == [12])
      await backend.remove(reference.digest)
      let outcome = try await backend.outcomes(of: [CountCharacters(text: reference)])[0]
      guard case .failure(let failure) = outcome else {
        Issue.record("the data was removed")
        return
      }
      #expect(failure.message.contains("test.text"))
      #expect(failure.message.contains(reference.digest.description))
    }
    try await run(Self.backends[choice])
  }

  @Test(arguments: 0..<4) func anEmptySequenceEndsAtOnce(_ choice: Int) async {
    func run(_ backend: some ParallelBackend) async {
      #expect(await collect(backend.run([Nothing]())).count == 0)
    }
    await run(Self.backends[choice])
  }

  @Test(arguments: 0..<4) func aRaisedFlagCancelsWhatWasNotStarted(_ choice: Int) async {
    func run(_ backend: some ParallelBackend) async {
      let flag = Cancellation()
      flag.cancel()
      let jobs = (0..<300).map { Square(number: $0) }
      let (outcomes, count) = await collect(backend.run(jobs, options: RunOptions(cancellation: flag)))
      #expect(count == 300)
      #expect(
        outcomes.values.allSatisfy {
          if case .failure(let failure) = $0 { failure.reason == .cancelled } else { false }
        })
    }
    await run(Self.backends[choice])
  }

  @Test func workersAreCountedAsJoblibCounts() throws {
    func capacity(_ workers: Int, _ threads: Int? = nil, cpus: Int) throws -> Capacity {
      try Capacity(workers: workers, threadsPerWorker: threads, budget: CPUBudget(cpuCount: cpus))
    }
    #expect(try capacity(-1, cpus: 8) == Capacity(slots: 8, threadsPerSlot: 1))
    #expect(try capacity(-2, cpus: 8) == Capacity(slots: 7, threadsPerSlot: 1))
    #expect(try capacity(-9, cpus: 8) == Capacity(slots: 1, threadsPerSlot: 8))
    #expect(try capacity(1, cpus: 8) == Capacity(slots: 1, threadsPerSlot: 8))
    #expect(try capacity(3, cpus: 8) == Capacity(slots: 3, threadsPerSlot: 2))
    #expect(try capacity(-1, 4, cpus: 8) == Capacity(slots: 2, threadsPerSlot: 4))
    #expect(try capacity(16, cpus: 8) == Capacity(slots: 16, threadsPerSlot: 1))
    #expect(throws: ApusError.self) { try capacity(0, cpus: 8) }
    #expect(throws: ApusError.self) { try capacity(2, 0, cpus: 8) }
  }
}
