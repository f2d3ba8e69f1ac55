import ApusTestSupport
import Foundation
import Testing

/// Runs every shell command of the guides with the `apus` of this build.
@Suite(.blocking) struct ShellSnippetTests {
  @Test func everyCommandOfTheGuidesSucceeds() throws {
    let snippets = try Snippet.all(language: "sh")
    #expect(!snippets.isEmpty)
    try withTemporaryFolder { folder in
      // One folder for all: later commands use files that earlier ones made, as a reader's would.
      for snippet in snippets where !snippet.code.contains("Scripts/") {
        let run = try runProgram(
          "/bin/bash", ["-euo", "pipefail", "-c", snippet.code], in: folder,
          environment: [
            "APUS_PYTHON": repositoryRoot.appendingPathComponent(".build/dask/bin/python").path,
            "XDG_STATE_HOME": folder.appendingPathComponent("state").path,
            "PATH": "\(buildFolder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")",
          ])
        #expect(run.exitCode == 0, "\(snippet)\n\(run.output)\(run.errors)")
      }
    }
  }
}
