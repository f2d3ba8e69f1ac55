import Apus
import ApusNotebook
import CApusNotebook
import Foundation

/// The process behind a notebook: it loads each cell as a library and runs it. It is also the worker of the
/// notebook's backends, here and on clusters.
@main struct NotebookHost {
  static func main() throws {
    WorkerHook.runIfWorker(.modelSelection)
    if CommandLine.arguments.dropFirst().first == "worker" { WorkerHook.run(.modelSelection) }
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let input = Int32(arguments[1]), let output = Int32(arguments[2]) else {
      FileHandle.standardError.write(
        Data("apus-notebook is started by Jupyter: python -m apus_kernel install\n".utf8))
      exit(2)
    }
    for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    CellOutput.shared.open(output)
    capus_cell_prepare()
    signal(SIGINT, SIG_IGN)
    let interrupts = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    interrupts.setEventHandler { CellProgress.current.interrupt() }
    interrupts.resume()
    let folder = URL(fileURLWithPath: arguments[3])
    // The main thread stays free for what belongs to the main actor.
    Thread.detachNewThread { serve(input, folder) }
    // A source that is let go of hears no signal.
    withExtendedLifetime(interrupts) { dispatchMain() }
  }

  private static func serve(_ input: Int32, _ folder: URL) {
    let environment = ProcessInfo.processInfo.environment
    let products =
      environment["APUS_NOTEBOOK_BUILD"].map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    guard let requests = fdopen(input, "r") else { exit(3) }
    do {
      let session = NotebookSession(try CellCompiler(products: products, folder: folder))
      CellOutput.shared.write(session.state)
      var line: UnsafeMutablePointer<CChar>?
      var capacity = 0
      while getline(&line, &capacity, requests) > 0, let text = line {
        let request = try JSONDecoder().decode(Request.self, from: Data(bytes: text, count: strlen(text)))
        CellOutput.shared.write(session.run(request))
      }
      exit(0)
    } catch {
      var finished = Finished(status: "error", name: "StartError", message: "\(error)")
      finished.lines = ["\(error)"]
      CellOutput.shared.write(finished)
      exit(3)
    }
  }
}
