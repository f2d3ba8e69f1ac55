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
    #expect(found[0] == 1 && zip(found, found.dropFirst()).allSatisfy { $1 <= 4 * $0 })
  }

  @Test func jobsThatTakeLongerThanTheFirstGoInSmallerBatches() {
    var size = BatchSize()
    for _ in 0..<10 { size.finished(jobs: size.jobs, seconds: 1e-3 * Double(size.jobs)) }
    #expect(size.jobs == 500)
    size.finished(jobs: 500, seconds: 500)
    #expect(size.jobs == 1)
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
