import ApusCommandLine
import ApusTestSupport
import Testing

@Suite(.blocking) struct ProgressLineTests {
  let state = ProgressState(done: 42, total: 150, failed: 2, best: 0.97667, elapsed: 3.5)

  @Test func aWideTerminalShowsEverything() {
    #expect(
      ProgressLine.bar(state, width: 100)
        == "━━━━━━━━──────────────────────  42/150 fits  12.0/s  9.00 s left  best 0.9767  2 failed")
  }

  @Test func eightyColumnsShowEverythingWithAShorterBar() {
    #expect(
      ProgressLine.bar(state, width: 79)
        == "━━━━━━────────────────  42/150 fits  12.0/s  9.00 s left  best 0.9767  2 failed")
  }

  @Test func noLineIsLongerThanTheTerminal() {
    let long = ProgressState(
      done: 999_999, total: 1_000_000, failed: 12_345, best: -1.2345e12, elapsed: 1e6)
    for width in 0...120 {
      #expect(ProgressLine.bar(state, width: width).count <= width)
      #expect(ProgressLine.bar(long, width: width).count <= width)
    }
  }

  @Test func narrowTerminalsKeepTheCount() {
    #expect(ProgressLine.bar(state, width: 20) == "42/150 fits")
    #expect(ProgressLine.bar(state, width: 50) == "42/150 fits  9.00 s left  best 0.9767  2 failed")
  }

  @Test func nothingIsSaidAboutTimeBeforeAFitIsFinished() {
    let start = ProgressState(total: 10, elapsed: 4)
    #expect(ProgressLine.bar(start, width: 60) == String(repeating: "─", count: 30) + "  0/10 fits")
    #expect(ProgressLine.sentence(start) == "0 of 10 fits (0%)")
  }

  @Test func aClusterIsShownWhereThereIsRoom() {
    var state = state
    state.cluster = "4 workers, 8 slots, 1 sent again"
    #expect(ProgressLine.bar(state, width: 120).hasSuffix("2 failed  4 workers, 8 slots, 1 sent again"))
    #expect(ProgressLine.bar(state, width: 79) == ProgressLine.bar(self.state, width: 79))
    #expect(ProgressLine.sentence(state).hasSuffix(", 2 failed, 4 workers, 8 slots, 1 sent again"))
  }

  @Test func sentencesForLogs() {
    #expect(
      ProgressLine.sentence(state)
        == "42 of 150 fits (28%), 12.0/s, 9.00 s left, best 0.9767, 2 failed")
    #expect(
      ProgressLine.sentence(ProgressState(done: 150, total: 150, best: 1, elapsed: 75))
        == "150 of 150 fits (100%), 2.00/s, best 1.0000")
  }
}
