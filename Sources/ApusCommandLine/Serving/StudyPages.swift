import Apus
import Foundation

/// What a study's server answers with; a study is read again at most once a second, and only when it has grown.
actor StudyPages {
  private let study: Study
  private let path: String
  private var cached: (progress: Study.Progress, time: ContinuousClock.Instant, page: Data, data: Data)?

  init(_ study: Study, path: String) {
    self.study = study
    self.path = path
  }

  func page() throws -> Data { try current().page }

  func data() throws -> Data { try current().data }

  private func current() throws -> (page: Data, data: Data) {
    if let cached, cached.time + .seconds(1) > .now { return (cached.page, cached.data) }
    let progress = try study.progress()
    if let cached, cached.progress == progress {
      self.cached?.time = .now
      return (cached.page, cached.data)
    }
    let made = try study.liveReport(path: path)
    cached = (progress, .now, made.page, made.data)
    return made
  }

  /// The study in Prometheus' text format.
  func metrics() throws -> Data {
    let progress = try study.progress()
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
