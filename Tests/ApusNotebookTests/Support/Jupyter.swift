import ApusTestSupport
import Foundation
import Testing

/// A real Jupyter, as `Scripts/install-notebooks` has installed it, with the kernel of this build.
struct Jupyter {
  /// A step of a session: a cell to run, or text to complete.
  struct Step: Encodable {
    var code: String?
    var complete: String?
    /// Whether to interrupt the cell once it has printed something.
    var interrupt: Bool?
    /// A file to create once the cell has printed something.
    var create: String?

    static func cell(_ code: String) -> Step { Step(code: code) }
    static func interrupted(_ code: String) -> Step { Step(code: code, interrupt: true) }
    static func cell(_ code: String, creates file: String) -> Step { Step(code: code, create: file) }
    static func completion(_ code: String) -> Step { Step(complete: code) }
  }

  /// What became of a step.
  struct Result: Decodable {
    var text: String
    /// The last value shown, by MIME type, where it is text.
    var data: [String: String]
    var displays: [String]
    var error: String?
    var lines: [String]?
    var matches: [String]?

    var plain: String { data["text/plain"] ?? "" }
  }

  let folder: URL

  /// Installs the kernel in a folder.
  init(_ folder: URL) throws {
    self.folder = folder
    let install = try run(
      "python", ["-m", "apus_kernel", "install", "--build", buildFolder.path, "--prefix", folder.path])
    try #require(install.exitCode == 0, "\(install.errors)")
  }

  static func tool(_ name: String) -> String {
    repositoryRoot.appendingPathComponent(".build/notebooks/bin/\(name)").path
  }

  /// Runs a program of Jupyter's.
  func run(_ tool: String, _ arguments: [String], input: String? = nil) throws -> ProgramResult {
    try runProgram(
      Self.tool(tool), arguments, in: folder,
      environment: [
        "JUPYTER_PATH": folder.appendingPathComponent("share/jupyter").path,
        "XDG_STATE_HOME": folder.appendingPathComponent("state").path,
        "XDG_CACHE_HOME": repositoryRoot.appendingPathComponent(".build/notebooks/cache").path,
        "IPYTHONDIR": folder.appendingPathComponent("ipython").path,
      ], input: input)
  }

  /// Runs steps in one kernel.
  func results(of steps: [Step]) throws -> [Result] {
    let script = repositoryRoot.appendingPathComponent("Tests/ApusNotebookTests/Support/run_cells.py")
    let input = String(decoding: try JSONEncoder().encode(steps), as: UTF8.self)
    let run = try run("python", [script.path], input: input)
    try #require(run.exitCode == 0, "\(run.errors)")
    return try JSONDecoder().decode([Result].self, from: Data(run.output.utf8))
  }
}
