import ApusParallel
import Foundation
import Synchronization

/// Squares a number.
struct Square: Job {
  static let wireName = "test.square"
  let number: Int
  func run(in context: JobContext) throws -> Int { number * number }
}

/// Computes nothing.
struct Nothing: Job {
  static let wireName = "test.nothing"
  func run(in context: JobContext) throws -> Int { 0 }
}

/// Throws for some numbers.
struct ThrowForMultiples: Job {
  static let wireName = "test.throw"
  let number: Int
  let divisor: Int
  var label: String { "number \(number)" }
  func run(in context: JobContext) throws -> Int {
    if number % divisor == 0 { throw ApusError(.numerical, "\(number) is a multiple of \(divisor)") }
    return number
  }
}

/// Reports what its context holds.
struct ReportContext: Job {
  static let wireName = "test.context"
  struct Output: Codable, Sendable, Equatable {
    var index: Int
    var seed: Seed
    var threads: Int
    var budget: Int
  }
  func run(in context: JobContext) throws -> Output {
    Output(
      index: context.index, seed: context.seed, threads: context.compute.threads,
      budget: CPUBudget.current.cpuCount)
  }
}

/// Runs until it is asked to stop, and counts both moments.
struct RunUntilStopped: Job {
  static let wireName = "test.until-stopped"
  static let started = Atomic<Int>(0)
  static let stopped = Atomic<Int>(0)
  func run(in context: JobContext) throws -> Int {
    Self.started.wrappingAdd(1, ordering: .relaxed)
    while !context.compute.cancellation.isCancelled { usleep(500) }
    Self.stopped.wrappingAdd(1, ordering: .relaxed)
    try context.compute.cancellation.check()
    return 0
  }
}

/// Bytes that jobs share.
struct SharedText: SharedData, Equatable {
  static let typeName = "test.text"
  var text: String
  var digest: Digest { layout().digest(typeName: Self.typeName) }
  init(_ text: String) { self.text = text }
  func layout() -> SharedLayout { SharedLayout(header: Array(text.utf8), regions: []) }
  init(layout: SharedLayout) throws { text = String(decoding: layout.header, as: UTF8.self) }
}

/// Counts the characters of a shared text.
struct CountCharacters: Job {
  static let wireName = "test.count"
  let text: DataReference<SharedText>
  func run(in context: JobContext) throws -> Int { try context.resolve(text).text.count }
}

/// The results of a run by their index, and the number of results in all.
func collect<Output>(_ results: JobResults<Output>) async -> (byIndex: [Int: JobOutcome<Output>], count: Int)
{
  var byIndex: [Int: JobOutcome<Output>] = [:]
  var count = 0
  for await result in results {
    byIndex[result.index] = result.outcome
    count += 1
  }
  return (byIndex, count)
}

/// Waits until a condition holds; false when it does not within five seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<5000 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return condition()
}

/// Values seen by several threads.
final class Seen<Value: Hashable & Sendable>: Sendable {
  private let values = Mutex<[Value: Int]>([:])
  func insert(_ value: Value) { values.withLock { $0[value, default: 0] += 1 } }
  var distinct: Set<Value> { values.withLock { Set($0.keys) } }
}

/// The highest number of those inside at once.
final class HighWater: Sendable {
  private let state = Mutex((now: 0, most: 0))
  func enter() {
    state.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
  }
  func leave() { state.withLock { $0.now -= 1 } }
  var most: Int { state.withLock { $0.most } }
}
