import ApusML
import ApusTestSupport
import Foundation
import Testing

/// The notebook of the examples, executed as a whole, and looked at in a browser where there is one.
@Suite(.blocking, .timeLimit(.minutes(10))) struct NotebookTests {
  private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  @Test func theDemonstrationFindsWhatTheCommandLineFinds() throws {
    try withTemporaryFolder { folder in
      let jupyter = try Jupyter(folder)
      let source = repositoryRoot.appendingPathComponent("Examples/notebooks/tuning-on-a-cluster.ipynb")
      let run = try jupyter.run(
        "jupyter",
        ["nbconvert", "--to", "notebook", "--execute", source.path, "--output", "\(folder.path)/done.ipynb"])
      try #require(run.exitCode == 0, "\(run.errors)")
      let notebook = try JSONDecoder().decode(
        Notebook.self, from: Data(contentsOf: folder.appendingPathComponent("done.ipynb")))
      let outputs = notebook.cells.flatMap { $0.outputs ?? [] }
      let text = outputs.compactMap(\.text?.joined).joined()
      #expect(text.contains("connected to Dask 20") && text.contains("1797 images of 64 pixels"), "\(text)")
      #expect(text.contains("candidates 30 fits 90"))
      #expect(text.components(separatedBy: "coarse (").count == 3 && text.contains("refined ("), "\(text)")
      // The score as the program prints it, to the bit.
      let results = folder.appendingPathComponent("results.csv")
      let search = try runProgram(
        buildFolder.appendingPathComponent("apus").path,
        [
          "search", "digits", "--estimator", "svc", "--random", "30", "--cv", "stratified:3", "--seed", "7",
          "--param", "c=loguniform(1e-2,1e3)", "--param", "gamma=loguniform(1e-5,1e-1)", "--param",
          "tolerance=loguniform(1e-4,1e-1)", "--param", "classWeight=[null,balanced]", "--quiet", "--results",
          results.path,
        ])
      try #require(search.exitCode == 0, "\(search.errors)")
      let lines = try String(contentsOf: results, encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      let column = try #require(lines[0].firstIndex { $0.hasPrefix("mean_test") })
      let best = try #require(lines.dropFirst().compactMap { Double($0[column]) }.max())
      #expect(text.contains("best \(best)\n"), "\(best) is not in \(text)")
      let progress = outputs.compactMap { $0.data?["text/html"]?.joined }.first { $0.contains("<progress") }
      #expect(progress?.contains("90 of 90 fits") == true, "\(progress ?? "no progress")")
      #expect(outputs.filter { $0.data?["application/vnd.vegalite.v5+json"] != nil }.count == 4)
      try look(jupyter)
    }
  }

  /// Exports the executed notebook and lets a browser draw it.
  private func look(_ jupyter: Jupyter) throws {
    guard let browser = Self.browser else { return }
    let export = try jupyter.run("jupyter", ["nbconvert", "--to", "html", "done.ipynb"])
    try #require(export.exitCode == 0, "\(export.errors)")
    let page = jupyter.folder.appendingPathComponent("done.html")
    let picture = jupyter.folder.appendingPathComponent("page.png")
    let options = [
      "240", browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
      "--user-data-dir=\(jupyter.folder.path)/profile", "--window-size=1000,5000",
      "--virtual-time-budget=10000",
    ]
    let dom = try runProgram("timeout", options + ["--dump-dom", "file://\(page.path)"])
    try #require(dom.exitCode == 0, "\(dom.errors)")
    #expect(dom.output.components(separatedBy: "aria-roledescription=\"visualization\"").count >= 5)
    #expect(dom.output.contains("<th>classWeight</th>"))
    let shot = try runProgram("timeout", options + ["--screenshot=\(picture.path)", "file://\(page.path)"])
    try #require(shot.exitCode == 0, "\(shot.errors)")
    #expect(try Data(contentsOf: picture).count > 100_000)
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
