import ApusDask
import Testing

/// How many jobs travel together.
@Suite struct BatchSizeTests {
  /// The size that is found for jobs of a duration, and how many batches it takes.
  private func sizes(_ seconds: Double) -> [Int] {
    var size = BatchSize()
    var found = [size.jobs]
    for _ in 0..<20 {
      size.finished(jobs: size.jobs, seconds: seconds * Double(size.jobs))
      found.append(size.jobs)
    }
    return found
  }

  @Test(arguments: [1e-7, 1e-4, 3e-3, 0.1, 0.4, 7]) func batchesTakeHalfASecond(seconds: Double) {
    let found = sizes(seconds)
    #expect(found.last == max(1, min(16384, Int(0.5 / seconds))))
    // From one job, by steps that are not so large that a few quick jobs bring a batch of minutes.
    #expect(found[0] == 1 && zip(found, found.dropFirst()).allSatisfy { $1 <= 32 * $0 })
  }

  @Test func jobsThatTakeLongerThanTheFirstGoInSmallerBatches() {
    var size = BatchSize()
    for _ in 0..<10 { size.finished(jobs: size.jobs, seconds: 1e-3 * Double(size.jobs)) }
    #expect(size.jobs == 500)
    size.finished(jobs: 500, seconds: 500)
    #expect(size.jobs == 1)
  }

  @Test func aRunThatFollowsOneOfTheSameNameBeginsWithSome() {
    var size = BatchSize()
    #expect(BatchSize(after: size).jobs == 1)
    for _ in 0..<10 { size.finished(jobs: size.jobs, seconds: 1e-5 * Double(size.jobs)) }
    // They may have been far quicker, which the first batch shows that comes back.
    var next = BatchSize(after: size)
    #expect(size.jobs == 16384 && next.jobs == 16384)
    // Before that, all slots share what there is.
    #expect(next.next(left: 2000, slots: 2) == 500)
    next.finished(jobs: 100, seconds: 100)
    #expect(next.jobs == 1)
  }

  /// The sizes of the batches of a run of so many jobs of a duration, whose size was found before.
  private func batches(_ jobs: Int, _ seconds: Double, slots: Int) -> [Int] {
    var size = BatchSize()
    for _ in 0..<20 { size.finished(jobs: size.jobs, seconds: seconds * Double(size.jobs)) }
    var (left, found) = (jobs, [Int]())
    while left > 0 {
      found.append(min(left, size.next(left: left, slots: slots)))
      left -= found.last ?? 0
    }
    return found
  }

  @Test func allSlotsHaveSomethingToDoUntilTheEnd() {
    // What is too short to be shared often is shared once.
    #expect(batches(2000, 30e-6, slots: 2) == [1000, 1000])
    #expect(batches(7, 30e-6, slots: 4) == [2, 2, 2, 1])
    for (jobs, seconds, slots) in [(10_000, 1e-3, 2), (300, 0.1, 8), (100_000, 1e-3, 64), (1000, 0.4, 3)] {
      let found = batches(jobs, seconds, slots: slots)
      #expect(found.reduce(0, +) == jobs)
      #expect(zip(found, found.dropFirst()).allSatisfy { $0 >= $1 })
      // From half a second down to some hundredths, and not to ever smaller ones.
      #expect(found.allSatisfy { Double($0) * seconds <= 0.5 })
      #expect(Double(found.last ?? 0) * seconds <= max(seconds, 0.1))
      #expect(found.count <= Int(Double(jobs) * seconds / 0.25) + 20 * slots)
    }
    // Before the first has come back nothing is known but how many there are.
    var size = BatchSize(after: BatchSize())
    #expect(size.next(left: 100, slots: 2) == 1)
    // Where it is not known how many there are, nothing becomes smaller.
    for _ in 0..<10 { size.finished(jobs: size.jobs, seconds: 1e-3 * Double(size.jobs)) }
    #expect(size.next(left: nil, slots: 2) == 500)
  }

  @Test func whatIsLargeTravelsInSmallBatches() {
    var size = BatchSize()
    for _ in 0..<10 {
      size.finished(jobs: size.jobs, seconds: 1e-4 * Double(size.jobs), bytes: 1_000_000 * size.jobs)
    }
    // 16 MB at once, and 256 MB on their way.
    #expect(size.jobs == 16 && size.batchesThatFit == 16)
    // One that is far larger is enough to be careful.
    size.finished(jobs: 16, seconds: 16e-4, bytes: 16 * 40_000_000)
    #expect(size.jobs == 1 && size.batchesThatFit == 6)
    for _ in 0..<20 {
      size.finished(jobs: size.jobs, seconds: 1e-4 * Double(size.jobs), bytes: 100 * size.jobs)
    }
    #expect(size.jobs == 5000 && size.batchesThatFit == 512)
  }

  @Test func neitherIdleNorFlooded() {
    var size = BatchSize()
    #expect(size.batchesPerSlot == 2)
    for _ in 0..<10 { size.finished(jobs: size.jobs, seconds: 1e-3 * Double(size.jobs)) }
    // Batches of half a second: twelve seconds of work wait for each slot.
    #expect(size.batchesPerSlot == 24)
    for _ in 0..<20 { size.finished(jobs: size.jobs, seconds: 30 * Double(size.jobs)) }
    #expect(size.jobs == 1 && size.batchesPerSlot == 2)
    for _ in 0..<60 { size.finished(jobs: size.jobs, seconds: 1e-6 * Double(size.jobs)) }
    #expect(size.jobs == 16384 && size.batchesPerSlot * size.jobs == 65536)
  }
}
