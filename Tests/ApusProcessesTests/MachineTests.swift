import ApusProcesses
import Testing

@Suite struct PoolMachineTests {
  typealias Machine = PoolMachine

  /// A machine with ready workers 0, 1, … and nothing to do.
  static func ready(_ slots: Int, crashLimit: Int = 2) -> Machine {
    var machine = Machine(slots: slots, crashLimit: crashLimit)
    _ = machine.handle(.wanted)
    for worker in 0..<slots { _ = machine.handle(.greeted(worker)) }
    for worker in 0..<slots { _ = machine.handle(.drawn(worker, [])) }
    return machine
  }

  @Test func workersStartTogetherWhenThereIsWork() {
    var machine = Machine(slots: 3)
    #expect(machine.handle(.wanted) == [.spawn(0), .spawn(1), .spawn(2)])
    #expect(machine.handle(.wanted) == [])
    #expect(machine.handle(.greeted(1)) == [.draw(1, count: 1)])
    #expect(machine.handle(.drawn(1, [10])) == [.send(1, [10])])
  }

  @Test func ofThousandsOfWorkersMoreStartOnlyWhileThereIsWork() {
    var machine = Machine(slots: 8_192)
    #expect(machine.handle(.wanted).count == 64)
    #expect(machine.handle(.wanted) == [])
    // Each that is ready finds work, and one more than half of them makes room for two.
    for worker in 0..<32 {
      #expect(machine.handle(.greeted(worker)) == [.draw(worker, count: 1)])
      _ = machine.handle(.drawn(worker, [UInt64(worker)]))
    }
    #expect(machine.handle(.greeted(32)) == [.draw(32, count: 1), .spawn(64), .spawn(65)])
    // Nothing is left: those that are on their way are the last.
    #expect(machine.handle(.drawn(32, [])) == [])
    for worker in 33..<66 {
      let spawned = machine.handle(.greeted(worker)).filter { if case .spawn = $0 { true } else { false } }
      #expect(spawned == [])
    }
  }

  @Test func aWorkerGetsItsNextJobsBeforeItNeedsThem() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1]))
    var drawn: UInt64 = 1
    var sizes: [Int] = []
    // Jobs of a microsecond: the number on the way doubles and is topped up when half is done.
    var ended: UInt64 = 0
    while ended < 2000 {
      ended += 1
      for case .draw(0, let count) in machine.handle(.finished(0, ended, seconds: 1e-6)) {
        sizes.append(count)
        _ = machine.handle(.drawn(0, Array((drawn + 1)...(drawn + UInt64(count)))))
        drawn += UInt64(count)
      }
      #expect(drawn > ended)
    }
    #expect((sizes.max() ?? 0) >= 256)
  }

  @Test func windowsDoubleAtMostAndLongJobsAreSentOneAtATime() {
    var window = BatchWindow()
    for size in [1, 2, 4, 8, 16] {
      #expect(window.size == size)
      for _ in 0..<size { window.finished(seconds: 1e-6) }
    }
    // Toward 0.2 s of work and no further.
    for _ in 0..<1000 { window.finished(seconds: 0.002) }
    #expect((50...100).contains(window.size))
    for _ in 0..<10 { window.finished(seconds: 2) }
    #expect(window.size == 1)
  }

  @Test func aJobThatCrashesTwoWorkersFailsAndTheOthersAreRunAgain() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    #expect(machine.handle(.drawn(0, [1, 2, 3])) == [.send(0, [1, 2, 3])])
    // Worker 0 dies on job 2; nothing is lost, a replacement starts.
    #expect(machine.handle(.died(0, running: 2)) == [.spawn(1)])
    #expect(machine.handle(.greeted(1)) == [.send(1, [1])])
    #expect(machine.handle(.finished(1, 1, seconds: 1)) == [.send(1, [2])])
    #expect(machine.handle(.died(1, running: 2)) == [.fail(2, 1, crashes: 2), .spawn(2)])
    #expect(machine.handle(.greeted(2)) == [.send(2, [3])])
  }

  @Test func aCrashThatIsFollowedByASuccessIsForgotten() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1]))
    _ = machine.handle(.died(0, running: 1))
    #expect(machine.handle(.greeted(1)) == [.send(1, [1])])
    #expect(machine.handle(.finished(1, 1, seconds: 1)) == [.draw(1, count: 1)])
  }

  @Test func aPoolWhoseWorkersNeverGreetGivesUp() {
    var machine = Machine(slots: 2)
    #expect(machine.handle(.wanted) == [.spawn(0), .spawn(1)])
    #expect(machine.handle(.died(0, running: nil)) == [.spawn(2)])
    #expect(machine.handle(.died(1, running: nil)) == [.spawn(3)])
    #expect(machine.handle(.died(2, running: nil)) == [.giveUp(2)])
    #expect(machine.handle(.died(3, running: nil)) == [])
    // The next run tries again.
    #expect(machine.handle(.wanted) == [.spawn(4), .spawn(5)])
  }

  @Test func anIdleWorkerTakesOverWhatWaitsBehindALongJob() {
    var machine = Self.ready(2)
    _ = machine.handle(.wanted)
    #expect(machine.handle(.drawn(0, [1, 2, 3, 4, 5])) == [.send(0, [1, 2, 3, 4, 5])])
    #expect(machine.handle(.drawn(1, [])) == [.recall(0, [4, 5])])
    #expect(machine.handle(.returned(0, 4)) == [.send(1, [4])])
    // What had been started meanwhile ends where it is.
    #expect(!machine.handle(.finished(0, 5, seconds: 1)).contains(.send(1, [5])))
  }

  @Test func aJobThatRunsTooLongGoesWithItsWorkerAndSparesTheRest() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1, 2]))
    #expect(machine.handle(.timedOut(0, 1)) == [.kill(0)])
    #expect(machine.handle(.died(0, running: 1)) == [.spawn(1)])
    // It has not been blamed for the death: it may crash a worker once.
    #expect(machine.handle(.greeted(1)) == [.send(1, [2])])
    #expect(machine.handle(.died(1, running: 2)) == [.spawn(2)])
  }

  @Test func workersThatDoStartGoOnAloneWhereOthersCannot() {
    var machine = Machine(slots: 2)
    _ = machine.handle(.wanted)
    _ = machine.handle(.greeted(0))
    // An executable that has started once is given ten times as many chances.
    for id in 1..<30 { #expect(machine.handle(.died(id, running: nil)) == [.spawn(id + 1)]) }
    #expect(machine.handle(.died(30, running: nil)) == [])
    #expect(machine.handle(.wanted) == [.draw(0, count: 1)])
  }

  @Test func aPoolThatHasWorkedGivesUpOnlyAfterManyFailedStarts() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1]))
    #expect(machine.handle(.died(0, running: 1)) == [.spawn(1)])
    for id in 1..<30 { #expect(machine.handle(.died(id, running: nil)) == [.spawn(id + 1)]) }
    #expect(machine.handle(.died(30, running: nil)) == [.giveUp(30)])
  }

  @Test func aGrownWorkerIsReplacedBetweenTwoJobs() {
    var machine = Self.ready(1)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1, 2]))
    #expect(machine.handle(.grown(0)) == [.recall(0, [2])])
    #expect(machine.handle(.grown(0)) == [])
    #expect(machine.handle(.returned(0, 2)) == [])
    #expect(machine.handle(.finished(0, 1, seconds: 1)) == [.dismiss(0), .spawn(1)])
    #expect(machine.handle(.greeted(1)) == [.send(1, [2])])
  }

  @Test func cancelledJobsAreStoppedOrDroppedAndNeverRunAgain() {
    var machine = Self.ready(2)
    _ = machine.handle(.wanted)
    _ = machine.handle(.drawn(0, [1, 2]))
    _ = machine.handle(.drawn(1, [3]))
    #expect(machine.handle(.cancelled([1, 2])) == [.stop(0, [1, 2])])
    #expect(machine.handle(.returned(0, 2)).contains(.drop(2)))
    let after = machine.handle(.died(0, running: 1))
    #expect(after.contains(.drop(1)))
    #expect(after.contains(.spawn(2)))
    #expect(machine.handle(.greeted(2)).allSatisfy { if case .send = $0 { false } else { true } })
  }
}
