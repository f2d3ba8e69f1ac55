import ApusParallel
import CApusReport
import Foundation

extension Study {
  /// The report of the study as one HTML page that needs nothing else, neither files nor a network.
  ///
  /// It shows the leaderboard with error bars, scores by each hyperparameter and by pairs of them, parallel
  /// coordinates, importances, curves, fit times, workers in time, failures, and how to reproduce the study.
  /// Of a large study, the charts show the best candidates and a sample of the others.
  ///
  /// - Parameter path: the study's file, to be named on the page.
  /// - Throws: ``ApusError`` when the study cannot be read.
  public func report(path: String) throws -> Data {
    try StudyPage.html(ReportCollector(study: self, path: path).collect())
  }

  /// The page as a server sends it, which asks for `data.json` now and then, and that data.
  package func liveReport(path: String) throws -> (page: Data, data: Data) {
    var data = try ReportCollector(study: self, path: path).collect()
    data.isLive = true
    return (try StudyPage.html(data), Data(try StudyPage.json(data).utf8))
  }
}

/// The page of a report.
enum StudyPage {
  /// The page with some data.
  static func html(_ data: ReportData) throws -> Data {
    let page = text(capusreport_page())
    let charts = bytes(capusreport_charts()).base64EncodedString()
    // The parts are put in one after the other, so that nothing in a part is taken for a place.
    var html = ""
    var rest = page[...]
    for (place, part) in [
      ("{{style}}", text(capusreport_style())), ("{{data}}", try json(data)), ("{{charts}}", charts),
      ("{{script}}", text(capusreport_script())),
    ] {
      guard let range = rest.range(of: place) else { continue }
      html += rest[..<range.lowerBound] + part
      rest = rest[range.upperBound...]
    }
    return Data((html + rest).utf8)
  }

  /// The data as JSON that may stand in a page.
  static func json(_ data: ReportData) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(data), as: UTF8.self).replacing("<", with: "\\u003c")
  }

  private static func bytes(_ file: capusreport_file) -> Data { Data(bytes: file.bytes, count: file.count) }

  private static func text(_ file: capusreport_file) -> String {
    String(decoding: bytes(file), as: UTF8.self)
  }
}
