import ApusParallel
import Testing

@Suite struct SeedTests {
  @Test func childrenOfDifferentLabelsAndIndicesDiffer() {
    let root = Seed(7)
    let children = (0..<1000).flatMap { [root.derived("fold", $0), root.derived("tree", $0)] }
    #expect(Set(children).count == 2000)
  }

  @Test func sequenceIsFixedForever() {
    var random = Seed(0).randomSource()
    // xoshiro256++ from SplitMix64(0); a change here changes every result that users have stored.
    #expect(
      (0..<3).map { _ in random.next() } == [
        0x53175D61490B23DF, 0x61DA6F3DC380D507, 0x5C0FDF91EC9A7BFC,
      ])
  }

  @Test func integersBelowABoundAreUniform() {
    var random = Seed(3).randomSource()
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.integer(below: 7)] += 1 }
    // Six standard deviations of a binomial count of 70,000 draws at 1/7.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 560 })
  }

  @Test func normalNumbersHaveMeanZeroAndVarianceOne() {
    var random = Seed(5).randomSource()
    let draws = (0..<100_000).map { _ in random.normal() }
    let mean = draws.reduce(0, +) / 1e5
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1e5
    #expect(abs(mean) < 0.02)
    #expect(abs(variance - 1) < 0.03)
  }
}
