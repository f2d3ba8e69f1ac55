import Apus
import Foundation

/// What a study's server answers with; a study is read again at most once a second, and only when it has grown.
actor StudyPages {
  private let study: Study
  private let path: String
  /// What was made, when, and of which state of the study.
  private struct Made<Content> {
    var progress: Study.Progress
    var time: ContinuousClock.Instant
    var content: Content
  }

  private var report: Made<(page: Data, data: Data)>?
  private var numbers: Made<Data>?

  init(_ study: Study, path: String) {
    self.study = study
    self.path = path
  }

  func page() throws -> Data { try current(&report) { _ in try study.liveReport(path: path) }.page }

  func data() throws -> Data { try current(&report) { _ in try study.liveReport(path: path) }.data }

  /// The study in Prometheus' text format.
  func metrics() throws -> Data { try current(&numbers, metrics) }

  private func current<Content>(
    _ made: inout Made<Content>?, _ make: (Study.Progress) throws -> Content
  ) throws -> Content {
    if let made, made.time + .seconds(1) > .now { return made.content }
    let progress = try study.progress()
    if let known = made, known.progress == progress {
      made?.time = .now
      return known.content
    }
    let content = try make(progress)
    made = Made(progress: progress, time: .now, content: content)
    return content
  }

  private func metrics(_ progress: Study.Progress) throws -> Data {
    var lines: [String] = []
    func add(_ name: String, _ type: String, _ help: String, _ values: [(labels: String, value: Double)]) {
      lines.append("# HELP apus_study_\(name) \(help)")
      lines.append("# TYPE apus_study_\(name) \(type)")
      for (labels, value) in values {
        let text = value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
        lines.append("apus_study_\(name)\(labels) \(text)")
      }
    }
    add("candidates", "gauge", "Candidates of the study.", [("", Double(progress.candidates))])
    add(
      "candidates_finished", "gauge", "Candidates that were tried on every fold.",
      [("", Double(progress.finishedCandidates))])
    add("fits_total", "counter", "Fits that were made.", [("", Double(progress.fits))])
    add("failures_total", "counter", "Fits that failed.", [("", Double(progress.failures))])
    let best = try study.description.metrics.map { metric in
      let score = try study.best(by: metric)?.score(of: metric)?.mean ?? .nan
      return ("{metric=\"\(metric)\"}", score)
    }
    add("best_score", "gauge", "The highest mean score.", best)
    return Data((lines.joined(separator: "\n") + "\n").utf8)
  }
}
