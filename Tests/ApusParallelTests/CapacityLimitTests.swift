import ApusParallel
import Foundation
import Testing

@Suite struct CapacityLimitTests {
  struct NameThread: Job {
    static let wireName = "test.thread-name"
    func run(in context: JobContext) throws -> String {
      try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
    }
  }

  @Test func moreWorkersThanMachinesRunAreRefused() {
    for workers in [8_193, 100_000_000_000, Int.max] {
      #expect {
        try ThreadBackend(workers: workers)
      } throws: { error in
        (error as? ApusError)?.kind == .invalidParameter && "\(error)".contains("\(workers.grouped) workers")
          && "\(error)".contains("8,192")
      }
      #expect(throws: ApusError.self) { try Parallel(jobs: workers) }
      #expect(throws: ApusError.self) { try ThreadBackend(workers: 1, threadsPerWorker: workers) }
    }
    #expect(throws: ApusError.self) { try ThreadBackend(workers: 0) }
    #expect(throws: Never.self) { try ThreadBackend(workers: .min) }
  }

  /// Thousands of threads for a handful of jobs would take seconds, and more memory than there may be.
  @Test func fewJobsMakeFewThreads() async throws {
    let backend = try ThreadBackend(workers: 8_192)
    let names = try await backend.outputs(of: Array(repeating: NameThread(), count: 5))
    #expect(names.count == 5)
    #expect(names.allSatisfy { $0.hasPrefix("apus-worker-") && Int($0.dropFirst(12)) ?? .max < 256 })
  }

  @Test func wholeNumbersBetweenBoundsAreUniform() {
    var random = Seed(3).randomSource()
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.integer(from: -3, to: 3) + 3] += 1 }
    // Six standard deviations of a binomial count of 70,000 draws at 1/7.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 560 })
    let halves = (0..<10_000).count { _ in random.integer(from: .min, to: .max) < 0 }
    #expect(abs(halves - 5_000) < 300)
    // Three quarters of all whole numbers: some that are drawn are not among them.
    let most = (0..<10_000).map { _ in random.integer(from: .min, to: .max / 2) }
    #expect(most.allSatisfy { $0 <= Int.max / 2 })
    #expect(abs(most.count { $0 >= 0 } - 3_333) < 283)
    #expect(random.integer(from: 5, to: 5) == 5)
  }

  @Test func digitsStandInGroupsOfThree() {
    let numbers = [0, 12, 999, 1_000, 123_456, -1_234_567]
    #expect(numbers.map(\.grouped) == ["0", "12", "999", "1,000", "123,456", "-1,234,567"])
    #expect(Int.min.grouped == "-9,223,372,036,854,775,808")
  }
}
