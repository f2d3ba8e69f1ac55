import ApusML
import ApusNotebook
import ApusParallel
import CApusNotebook
import Foundation
import Synchronization

/// What the Jupyter half asks for, a line of JSON each.
struct Request: Decodable {
  /// The number of the cell to run.
  var number: Int
  /// Its text.
  var code: String
}

/// What became of a cell, and what the next one may use.
struct Finished: Encodable {
  var event = "finished"
  var status: String
  var name = ""
  var message = ""
  var lines: [String] = []
  var preamble = ""
  var names: [String] = []
  var arguments: [String] = []
}

/// Compiles, loads and runs one cell after another. Only the thread that reads requests uses it.
final class NotebookSession {
  private let compiler: CellCompiler
  private var scope = CellScope()
  private var starts: [UInt] = []
  private var ends: [UInt] = []

  init(_ compiler: CellCompiler) { self.compiler = compiler }

  /// What is known before the first cell.
  var state: Finished {
    Finished(
      status: "ok", preamble: scope.preamble(), names: scope.names, arguments: compiler.moduleArguments)
  }

  func run(_ request: Request) -> Finished {
    do {
      try execute(request)
      return state
    } catch {
      let failure =
        error as? CellError
        ?? CellError(name: "\(type(of: error))", message: "\(error)", lines: ["\(error)"])
      var finished = state
      finished.status = "error"
      (finished.name, finished.message, finished.lines) = (failure.name, failure.message, failure.lines)
      return finished
    }
  }

  private func execute(_ request: Request) throws {
    CellProgress.current.begin()
    let (syntax, tokens) = try compiler.parse(request.code, number: request.number)
    guard !syntax.items.isEmpty else { return }
    let all = CellScope.declarations(of: syntax, tokens, reached: .max)
    let library = try compiler.compile(
      CellRewriting(tokens, syntax), number: request.number,
      preamble: scope.preamble(without: Set(all.names.map(\.name))))
    guard let handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL), let main = dlsym(handle, "main") else {
      let message = dlerror().map { String(cString: $0) } ?? "the cell cannot be loaded"
      throw CellError(name: "LoadError", message: message, lines: [message])
    }
    var (start, end): (UInt, UInt) = (0, 0)
    capus_library_range(handle, &start, &end)
    starts.append(start)
    ends.append(end)
    let ending = run(main)
    let isWhole = if case .returned = ending { true } else { false }
    scope.add(
      CellScope.declarations(of: syntax, tokens, reached: isWhole ? .max : CellProgress.current.reached),
      module: "Cell\(request.number)")
    switch ending {
    case .returned: break
    case .interrupted:
      throw CellError(
        name: "Interrupted", message: "the cell was interrupted", lines: ["The cell was interrupted."])
    case .stuck:
      throw CellError(name: "Stuck", message: "the cell did not stop", lines: [])
    case .threw(let error):
      if CellProgress.current.isInterrupted {
        throw CellError(
          name: "Interrupted", message: "the cell was interrupted", lines: ["The cell was interrupted."])
      }
      throw error
    }
  }

  private enum Ending {
    case returned
    case threw(any Error)
    case interrupted
    case stuck
  }

  /// Runs a cell on a thread of its own, so that it can be stopped.
  private func run(_ main: UnsafeMutableRawPointer) -> Ending {
    typealias Main = @convention(c) (Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32
    let cell = unsafeBitCast(main, to: Main.self)
    let box = Mutex<(any Error)?>(nil)
    let shared = Shared(box)
    let thread = Thread {
      if let pointer = capus_cell_run(cell) {
        // On Linux a thrown error is a pointer to its box, which `main` owned.
        let error = unsafeBitCast(pointer, to: (any Error).self)
        shared.error.withLock { $0 = error }
      }
      fflush(nil)
      shared.isDone.signal()
    }
    thread.stackSize = 64 << 20
    thread.name = "apus-cell"
    thread.start()
    var attempts = 0
    while shared.isDone.wait(timeout: .now() + .milliseconds(attempts == 0 ? 50 : 2)) == .timedOut {
      guard CellProgress.current.isInterrupted else { continue }
      attempts += 1
      // Half a second for what listens to cancellation; then code of the cell itself may be stopped anywhere.
      guard attempts > 250 else { continue }
      let isParked = starts.withUnsafeBufferPointer { starts in
        ends.withUnsafeBufferPointer { ends in
          capus_cell_park(starts.baseAddress, ends.baseAddress, starts.count) == 1
        }
      }
      if isParked { return .interrupted }
      if attempts > 2_000 { return .stuck }
    }
    return shared.error.withLock { error in error.map { .threw($0) } ?? .returned }
  }

  private final class Shared: Sendable {
    let isDone = DispatchSemaphore(value: 0)
    let error: Mutex<(any Error)?>
    init(_ error: consuming Mutex<(any Error)?>) { self.error = error }
  }
}
