import ApusTestSupport
import Foundation
import Testing

/// JupyterLab with the kernel of this build, as somebody uses it: in a browser, with the mouse and the keyboard.
@Suite(.blocking, .timeLimit(.minutes(20))) struct LabTests {
  @Test(.enabled(if: InstalledBrowser.path != nil, InstalledBrowser.missing))
  func cellsOfANotebookAndTypedOnesRunInTheBrowser() throws {
    let browser = try #require(InstalledBrowser.path)
    try withTemporaryFolder { folder in
      let jupyter = try Jupyter(folder)
      try Self.write(
        [
          "let scores = [1.0, 2, 3]\nprint(\"total\", scores.reduce(0, +))",
          """
          Chart.heatMap(
            x: [0.02, 0.3, 4], y: [1e-4, 2e-3, 3e-2], values: scores, names: ("C", "γ", "mean accuracy"))
          """,
        ], to: folder.appendingPathComponent("work.ipynb"))
      let script = repositoryRoot.appendingPathComponent("Tests/ApusNotebookTests/Support/use_lab.py").path
      // The picture stays there for whoever wants to see it.
      let picture = repositoryRoot.appendingPathComponent(".build/notebooks/lab.png")
      try? FileManager.default.removeItem(at: picture)
      let run = try jupyter.run(
        "python", [script, browser, "work.ipynb", "scores.count * 14", picture.path])
      try #require(run.exitCode == 0, "\(run.errors)")
      let shown = try JSONDecoder().decode(Shown.self, from: Data(run.output.utf8))
      #expect(shown.outputs.first == "total 6.0" && shown.outputs.last == "42", "\(shown)")
      #expect(shown.charts == 1)
      #expect(shown.status.contains("Swift (Apus) | Idle"), "\(shown)")
      #expect(try Data(contentsOf: picture).count > 20_000)
    }
  }

  /// What the page shows in the end.
  private struct Shown: Decodable {
    var outputs: [String]
    var charts: Int
    var status: String
  }

  private static func write(_ cells: [String], to file: URL) throws {
    let notebook: [String: Any] = [
      "nbformat": 4, "nbformat_minor": 5,
      "metadata": ["kernelspec": ["name": "apus", "display_name": "Swift (Apus)", "language": "swift"]],
      "cells": cells.enumerated().map { index, source in
        [
          "cell_type": "code", "id": "cell-\(index)", "metadata": [String: String](),
          "execution_count": NSNull(), "outputs": [String](), "source": source,
        ] as [String: Any]
      },
    ]
    try JSONSerialization.data(withJSONObject: notebook).write(to: file)
  }
}
