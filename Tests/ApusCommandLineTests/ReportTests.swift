import Apus
import ApusTestSupport
import Foundation
import Testing

/// The report of a study, read by a real browser where there is one.
@Suite(.blocking) struct ReportTests {
  private func study(_ scratch: Scratch) throws -> String {
    let path = scratch.path("sweep.sqlite")
    let run = try ApusBinary.run(
      arguments: [
        "search", "iris", "--estimator", "svc", "--estimator", "decision-tree-classifier", "--random", "40",
        "--param", "c=loguniform(1e-2,1e3)", "--param", "gamma=loguniform(1e-4,1)", "--param",
        "maxDepth=[1,2,4,null]", "--param", "minSamplesLeaf=integer(1,60)", "--train-scores", "--study", path,
        "--quiet",
      ])
    try #require(run.status == 0, "\(run.errors)")
    return path
  }

  private func page(_ scratch: Scratch, _ path: String) throws -> String {
    let report = scratch.path("sweep.html")
    let run = try ApusBinary.run("study", "report", path, "--output", report)
    try #require(run.status == 0, "\(run.errors)")
    return try String(contentsOfFile: report, encoding: .utf8)
  }

  /// What the page draws.
  private func data(_ page: String) throws -> [String: ParameterValue] {
    let start = try #require(page.range(of: "type=\"application/json\">"))
    let end = try #require(page[start.upperBound...].range(of: "</script>"))
    return try JSONDecoder().decode(
      [String: ParameterValue].self, from: Data(page[start.upperBound..<end.lowerBound].utf8))
  }

  /// Nearly all candidates have the same score, so that taking all of the best would be taking all.
  @Test func theReportOfALargeStudyDrawsASample() throws {
    let scratch = try Scratch()
    let path = scratch.path("sweep.sqlite")
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "gaussian-naive-bayes", "--param", "varSmoothing=log(1e-12,1e-9,4000)",
      "--study", path, "--quiet")
    try #require(run.status == 0, "\(run.errors)")
    let page = try page(scratch, path)
    let entries = try data(page)
    #expect(entries["candidateCount"] == .integer(4_000) && entries["isSampled"] == .boolean(true))
    guard case .list(let candidates) = entries["candidates"], case .list(let timeline) = entries["timeline"]
    else { throw CocoaError(.fileReadCorruptFile) }
    let numbers = candidates.compactMap { candidate -> Int? in
      guard case .object(let values) = candidate, case .integer(let number) = values["candidate"] else {
        return nil
      }
      return number
    }
    // The first 500 of the equally good ones, and every third of all 4,000.
    #expect(numbers == (0..<4_000).filter { $0 < 500 || $0 % 3 == 0 })
    #expect((2_000...6_000).contains(timeline.count) && page.utf8.count < 3_500_000)
  }

  @Test func theReportAsksNoNetworkForAnything() throws {
    let scratch = try Scratch()
    let page = try page(scratch, study(scratch))
    // What the page says itself, without the library of charts, whose text is compressed.
    #expect(!page.contains("src=") && !page.contains("href=") && !page.contains("@import"))
    #expect(page.contains("apus search iris") && page.contains("leaderboard"))
    #expect(page.utf8.count < 3_000_000)
    let entries = try data(page)
    guard case .list(let candidates) = entries["candidates"], case .list(let leaders) = entries["leaders"],
      case .list(let importances) = entries["importances"], case .list(let timeline) = entries["timeline"]
    else { throw CocoaError(.fileReadCorruptFile) }
    // Candidates that are drawn twice are one.
    #expect((30...40).contains(candidates.count) && timeline.count == 5 * candidates.count)
    #expect(leaders.count == 20 && importances.count >= 3)
    // Each fit has its own end, not that of the commit that it shared with others.
    let ends = timeline.compactMap { fit in
      if case .object(let fit) = fit, case .real(let end) = fit["end"] { end } else { nil }
    }
    #expect(ends.count == timeline.count && 10 * Set(ends).count >= 9 * ends.count)
  }

  @Test(.enabled(if: Browser.isInstalled, "there is no browser"), arguments: [1280, 500])
  func theReportIsDrawnInABrowser(width: Int) throws {
    let scratch = try Scratch()
    _ = try page(scratch, study(scratch))
    let url = "file://" + scratch.path("sweep.html")
    let dom = try Browser.document(url, width: width, scratch)
    #expect(dom.contains("data-drawn=\"true\"") && !dom.contains("data-problem"))
    // Every chart but the curves, for which this study has no iterations.
    #expect(dom.contains("data-charts=\"8\""), "\(dom.firstMatch(of: /data-charts="\d+"/)?.output ?? "none")")
    #expect(
      dom.contains("data-overflow=\"0\""), "\(dom.firstMatch(of: /data-overflow="-?\d+"/)?.output ?? "none")")
    #expect(dom.contains("Nothing to show: no fit has failed"))
    // A page without charts is a few thousand bytes.
    #expect(try Browser.screenshot(url, width: width, scratch).count > 60_000)
  }

  /// Halving on rows draws the charts that a plain search leaves empty, and failed fits are listed.
  @Test(.enabled(if: Browser.isInstalled, "there is no browser")) func curvesAndFailuresAreDrawn() throws {
    let scratch = try Scratch()
    let path = scratch.path("sweep.sqlite")
    let run = try ApusBinary.run(
      arguments: [
        "search", "iris", "--estimator", "svc", "--estimator", "k-neighbours-classifier", "--param",
        "c=[0.1,1,10]", "--param", "gamma=[0.1,1]", "--param", "neighbourCount=[1,5,100]", "--method",
        "halving",
        "--least", "30", "--factor", "2", "--train-scores", "--study", path, "--quiet",
      ])
    #expect(run.status == 4, "\(run.errors)")
    let page = try page(scratch, path)
    let entries = try data(page)
    guard case .list(let curves) = entries["curves"], case .object(let curve) = curves.first,
      case .list(let means) = curve["means"], case .list(let training) = curve["trainMeans"],
      case .list(let rows) = curve["rows"]
    else { throw CocoaError(.fileReadCorruptFile) }
    #expect(means.count == rows.count && training.count == rows.count && rows.count > 1)
    let dom = try Browser.document("file://" + scratch.path("sweep.html"), width: 1280, scratch)
    #expect(dom.contains("data-drawn=\"true\"") && !dom.contains("data-problem"), "\(dom.suffix(300))")
    // c and gamma vary together, neighbourCount with neither.
    #expect(dom.contains("id=\"curves-chart\"") && dom.contains("option value=\"neighbourCount\""))
    let heat = try #require(dom.firstMatch(of: /id="heat-chart".*?id="parallel"/.dotMatchesNewlines()))
    #expect(heat.output.contains(">gamma<") && heat.output.contains(">c<"), "\(heat.output.count)")
    #expect(!dom.contains("Nothing to show: no fit has failed"))
  }

  /// A browser's window is never as narrow as a phone, but a frame in it is.
  @Test(.enabled(if: Browser.isInstalled, "there is no browser")) func thePageFitsAPhone() throws {
    let scratch = try Scratch()
    _ = try page(scratch, study(scratch))
    let frame = try scratch.write(
      "phone.html",
      """
      <body><iframe id="phone" src="sweep.html" width="375" height="2500" style="border:0"></iframe><script>
      const phone = document.getElementById("phone");
      setInterval(() => {
        const page = phone.contentDocument;
        if (page?.body) Object.assign(document.body.dataset, page.body.dataset,
          { pageWidth: page.documentElement.clientWidth, pageScrolls: page.documentElement.scrollWidth });
      }, 200);
      </script></body>
      """)
    let dom = try Browser.document("file://" + frame, width: 800, scratch)
    #expect(dom.contains("data-drawn=\"true\"") && dom.contains("data-charts=\"8\""), "\(dom.suffix(600))")
    #expect(dom.contains("data-page-width=\"375\"") && dom.contains("data-page-scrolls=\"375\""))
    #expect(try Browser.screenshot("file://" + frame, width: 800, scratch).count > 40_000)
  }

  @Test func aStudyWithoutFitsHasAReportToo() throws {
    let scratch = try Scratch()
    let path = scratch.path("empty.sqlite")
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "svc", "--param", "c=[1]", "--cv", "2", "--study", path, "--quiet")
    try #require(run.status == 0)
    #expect(try page(scratch, path).contains("\"importances\":[]"))
  }
}
