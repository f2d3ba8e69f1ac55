import Apus
import Foundation
import GRDB
import Testing

/// Searches that are killed, and what their studies hold in the end.
enum StudyKilling {
  /// A study's table without the times, which no two runs share.
  static func table(_ path: String, study: String? = nil) throws -> [[String: ParameterValue]] {
    let scratch = try Scratch()
    let run = try ApusBinary.run(
      arguments: ["study", "export", path, scratch.path("table.json")]
        + (study.map { ["--study", $0] } ?? []))
    try #require(run.status == 0, "\(run.errors)")
    let rows = try JSONDecoder().decode(
      [[String: ParameterValue]].self, from: Data(scratch.read("table.json").utf8))
    return rows.map { row in row.filter { !$0.key.hasSuffix("_time") } }
  }

  /// Fits that were brought to a study although they were finished.
  static func repeatedFits(_ path: String) throws -> Int? {
    try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT sum(repeated) FROM session") }
  }

  /// Kills a search at random moments and starts it again, each study until it is done, until so many kills
  /// have been made; calls a function with each study.
  static func kill(
    _ search: [String], times: Int, in scratch: Scratch, _ check: (String) throws -> Void
  ) throws {
    var random = Seed(11).randomSource()
    var (kills, studies) = (0, 0)
    while kills < times {
      let path = scratch.path("killed \(studies).sqlite")
      studies += 1
      try #require(studies < 4 * times, "the search is over before it can be killed")
      while kills < times {
        let process = try ApusBinary.start(
          search + ["--study", path, "--quiet"], output: FileHandle.nullDevice,
          errors: FileHandle.nullDevice)
        usleep(UInt32(random.integer(below: 120_000)))
        let isOver = !process.isRunning
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        // Where a run ends by itself before it is killed, a new file is begun.
        if isOver || process.terminationReason != .uncaughtSignal { break }
        kills += 1
      }
      let last = try ApusBinary.run(arguments: search + ["--study", path, "--json"])
      #expect(last.status == 0, "\(last.errors)")
      try check(path)
    }
  }

  /// What was decided in the searches of a study, in order.
  static func decisions(_ path: String) throws -> [String] {
    try DatabaseQueue(path: path).read {
      try String.fetchAll($0, sql: "SELECT search || step || decision FROM decision ORDER BY search, step")
    }
  }
}
