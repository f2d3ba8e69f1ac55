import ApusML
import ApusTestSupport
import Foundation
import Testing

/// The notebook of the examples, executed as a whole, and looked at in a browser.
@Suite(.blocking, .serialized, .timeLimit(.minutes(20))) struct NotebookTests {
  /// The demonstration, executed once for all tests; it stays there for whoever wants to see it.
  private static let executed = Result { () throws -> Jupyter in
    let folder = repositoryRoot.appendingPathComponent(".build/notebooks/demonstration")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let jupyter = try Jupyter(folder)
    let source = repositoryRoot.appendingPathComponent("Examples/notebooks/tuning-on-a-cluster.ipynb")
    let run = try jupyter.run(
      "jupyter",
      ["nbconvert", "--to", "notebook", "--execute", source.path, "--output", "\(folder.path)/done.ipynb"])
    try #require(run.exitCode == 0, "\(run.errors)")
    return jupyter
  }

  @Test func theDemonstrationFindsWhatTheCommandLineFinds() throws {
    let jupyter = try Self.executed.get()
    try withTemporaryFolder { folder in
      let notebook = try JSONDecoder().decode(
        Notebook.self, from: Data(contentsOf: jupyter.folder.appendingPathComponent("done.ipynb")))
      let outputs = notebook.cells.flatMap { $0.outputs ?? [] }
      let text = outputs.compactMap(\.text?.joined).joined()
      #expect(text.contains("connected to Dask 20") && text.contains("1797 images of 64 pixels"), "\(text)")
      #expect(text.contains("candidates 60 fits 180"))
      #expect(text.components(separatedBy: "coarse (").count == 3 && text.contains("refined ("), "\(text)")
      // The score as the program prints it, to the bit.
      let results = folder.appendingPathComponent("results.csv")
      let search = try runProgram(
        buildFolder.appendingPathComponent("apus").path,
        [
          "search", "digits", "--estimator", "svc", "--random", "60", "--cv", "stratified:3", "--seed", "7",
          "--param", "c=loguniform(1e-2,1e3)", "--param", "gamma=loguniform(1e-5,1e-1)", "--param",
          "tolerance=loguniform(1e-4,1e-1)", "--param", "classWeight=[null,balanced]", "--quiet", "--results",
          results.path,
        ])
      try #require(search.exitCode == 0, "\(search.errors)")
      let lines = try String(contentsOf: results, encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      // From the right: parameters on the left hold commas of their own.
      let place = try #require(Array(lines[0].reversed()).firstIndex { $0.hasPrefix("mean_test") })
      let best = try #require(lines.dropFirst().compactMap { Double($0[$0.count - 1 - place]) }.max())
      #expect(text.contains("best \(best)\n"), "\(best) is not in \(text)")
      let progress = outputs.compactMap { $0.data?["text/html"]?.joined }.first { $0.contains("<progress") }
      #expect(progress?.contains("180 of 180 fits") == true, "\(progress ?? "no progress")")
      #expect(outputs.filter { $0.data?["application/vnd.vegalite.v5+json"] != nil }.count == 4)
    }
  }

  /// Exports the executed notebook and lets a browser draw it.
  @Test(.enabled(if: InstalledBrowser.path != nil, InstalledBrowser.missing))
  func aBrowserDrawsTheCharts() throws {
    let browser = try #require(InstalledBrowser.path)
    let jupyter = try Self.executed.get()
    let export = try jupyter.run("jupyter", ["nbconvert", "--to", "html", "done.ipynb"])
    try #require(export.exitCode == 0, "\(export.errors)")
    let page = jupyter.folder.appendingPathComponent("done.html")
    // The page itself counts the pictures that have a size, which those that cannot be drawn have not.
    let count = """
      <script>addEventListener("load", () => document.body.dataset.drawn =
      [...document.images].filter(image => image.naturalWidth > 300 && image.naturalHeight > 200).length)</script>
      """
    try Data((String(contentsOf: page, encoding: .utf8) + count).utf8).write(to: page)
    let picture = jupyter.folder.appendingPathComponent("page.png")
    let document = try browse(browser, ["--dump-dom"], page, jupyter.folder) { $0.contains("</html>") }
    #expect(document.contains("data-drawn=\"4\""), "four charts are drawn")
    #expect(document.contains("<th>classWeight</th>"))
    _ = try browse(browser, ["--screenshot=\(picture.path)"], page, jupyter.folder) { _ in
      FileManager.default.fileExists(atPath: picture.path)
    }
    #expect(try Data(contentsOf: picture).count > 100_000)
  }

  /// Lets a browser look at a page, without a network: what the page would load for formulas is not needed.
  ///
  /// Browsers give up now and then on a machine that is very busy; then once more.
  private func browse(
    _ browser: String, _ options: [String], _ page: URL, _ folder: URL, until isDone: (String) -> Bool
  ) throws -> String {
    var last = ""
    for attempt in 0..<3 {
      let profile = folder.appendingPathComponent("profile \(attempt) \(UUID().uuidString)").path
      let run = try runProgram(
        "timeout",
        [
          "240", browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
          "--disable-dev-shm-usage", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND",
          "--user-data-dir=\(profile)", "--window-size=1000,5600", "--virtual-time-budget=20000",
        ] + options + ["file://\(page.path)"])
      if run.exitCode == 0, isDone(run.output) { return run.output }
      last = String(run.errors.suffix(600))
    }
    Issue.record("the browser does not show the page: \(last)")
    return ""
  }

  private struct Notebook: Decodable {
    var cells: [Cell]

    struct Cell: Decodable { var outputs: [Output]? }
    struct Output: Decodable {
      var text: Lines?
      var data: [String: Lines]?
    }
    /// Text as one string or as lines; JSON of other kinds is there without being read.
    struct Lines: Decodable {
      var joined: String
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        joined = (try? container.decode(String.self)) ?? (try? container.decode([String].self).joined()) ?? ""
      }
    }
  }
}
