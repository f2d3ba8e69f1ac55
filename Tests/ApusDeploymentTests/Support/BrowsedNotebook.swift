import ApusTestSupport
import Foundation
import Testing

/// The example that the notebook's image brings, in its JupyterLab, worked in with the mouse and the keyboard.
enum BrowsedNotebook {
  private static let python = repositoryRoot.appendingPathComponent(".build/notebooks/bin/python").path

  /// Runs the example cell by cell in a browser, and types a further cell.
  ///
  /// Without a browser and the packages that drive it there is nothing to look with; what the cells print is checked
  /// elsewhere.
  static func check(at address: String, token: String) throws {
    guard let browser = InstalledBrowser.path, FileManager.default.isExecutableFile(atPath: python) else {
      return
    }
    let script = repositoryRoot.appendingPathComponent("Tests/ApusNotebookTests/Support/use_lab.py").path
    let notebook = repositoryRoot.appendingPathComponent("Examples/notebooks/tuning-on-a-cluster.ipynb").path
    // The picture stays there for whoever wants to see it.
    let picture = repositoryRoot.appendingPathComponent(".build/notebooks/lab-of-compose.png").path
    let run = try runProgram(
      python, [script, browser, notebook, "candidates.count * 10", picture, address, token])
    try #require(run.exitCode == 0, "\(run.errors)")
    let shown = try JSONDecoder().decode(Shown.self, from: Data(run.output.utf8))
    #expect(shown.outputs.contains { $0.hasPrefix("connected to Dask 20") }, "\(shown)")
    #expect(shown.outputs.contains { $0.contains("180 of 180 fits") }, "\(shown)")
    #expect(shown.outputs.last == "600", "\(shown)")
    #expect(shown.charts == 4, "\(shown)")
  }

  /// What the page shows in the end.
  private struct Shown: Decodable {
    var outputs: [String]
    var charts: Int
  }
}
