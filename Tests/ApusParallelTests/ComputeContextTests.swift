import ApusParallel
import Synchronization
import Testing

@Suite struct ComputeContextTests {
  /// Whatever the calls do, a loop ends between two of them.
  @Test(arguments: [1, 2, 4]) func aLoopEndsWhenItIsCancelled(threads: Int) {
    let cancellation = Cancellation()
    let compute = ComputeContext(threads: threads, cancellation: cancellation)
    let calls = Atomic<Int>(0)
    @Sendable func work(_ index: Int) -> Int {
      if calls.wrappingAdd(1, ordering: .relaxed).newValue == 5 { cancellation.cancel() }
      return index
    }
    let looped = #expect(throws: ApusError.self) { try compute.forEach(1_000_000) { _ = work($0) } }
    #expect(looped?.kind == .cancelled)
    #expect(calls.load(ordering: .relaxed) < 100_000)
    let mapped = #expect(throws: ApusError.self) { try compute.map(3, work) }
    #expect(mapped?.kind == .cancelled)
    let single = #expect(throws: ApusError.self) { try compute.map(1, work) }
    #expect(single?.kind == .cancelled)
    let alone = #expect(throws: ApusError.self) { try compute.onOneThread.forEach(1) { _ = work($0) } }
    #expect(alone?.kind == .cancelled)
  }

  /// Threads that are woken late find their work taken back; those that come in time share it.
  @Test func shortLoopsGiveTheSameAsLongOnes() throws {
    let compute = ComputeContext(threads: 4)
    for round in 0..<2_000 {
      let sums = try compute.map(7) { part in (0..<part * (round % 5)).reduce(0, +) }
      #expect(sums == (0..<7).map { part in (0..<part * (round % 5)).reduce(0, +) })
    }
  }

  /// Threads that are done with their own part take over what the slowest has left, each index once.
  @Test(arguments: [2, 3, 5], [1, 4, 7, 1_000]) func everyIndexIsTakenOnce(threads: Int, count: Int) throws {
    let calls = (0..<count).map { _ in Counter() }
    try ComputeContext(threads: threads).forEach(count) { index in
      calls[index].number.wrappingAdd(1, ordering: .relaxed)
      // The first part is much more work than the others.
      if index < count / threads { spin() }
    }
    #expect(calls.allSatisfy { $0.number.load(ordering: .relaxed) == 1 })
  }

  private final class Counter: Sendable {
    let number = Atomic<Int>(0)
  }
}

private func spin() {
  let end = ContinuousClock.now + .microseconds(50)
  while ContinuousClock.now < end {}
}
