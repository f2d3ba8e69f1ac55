import ApusML
import Testing

@Suite struct BestScoreTests {
  @Test func theHighestCounts() {
    var best = BestScore()
    #expect(best.value == nil)
    for score in [-3, .nan, -1, -2] { best.take(score, resource: nil) }
    #expect(best.value == -1)
  }

  @Test func scoresWithMoreOfAResourceTakeThePlaceOfThoseWithLess() {
    var best = BestScore()
    best.take(0.9, resource: 10)
    best.take(.nan, resource: 30)
    #expect(best.value == 0.9)
    best.take(0.7, resource: 30)
    best.take(0.95, resource: 10)
    #expect(best.value == 0.7)
    best.take(0.8, resource: 30)
    #expect(best.value == 0.8)
  }
}
