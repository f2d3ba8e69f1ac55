import ApusParallel
import Foundation

/// The line that makes any program able to run as a worker of its own process pool.
///
/// ```swift
/// @main struct MyProgram {
///   static func main() async throws {
///     WorkerHook.runIfWorker(registry)   // first of all; returns at once unless this process is a worker
///     …
///     let backend = try ProcessBackend(registry: registry)
///   }
/// }
/// ```
public enum WorkerHook {
  /// The environment variable that tells a process that it was started as a worker.
  package static let variable = "APUS_WORKER"

  /// Runs jobs for the pool that started this process, and never returns; does nothing in any other process.
  ///
  /// - Parameter registry: the job types that this program can run; the same ones that its process backends get.
  public static func runIfWorker(_ registry: @autoclosure () -> JobRegistry) {
    guard let value = getenv(variable) else { return }
    let terms = WorkerTerms(String(cString: value))
    // What jobs start is not a worker.
    unsetenv(variable)
    Worker(registry: registry(), terms: terms).run()
  }

  /// Runs jobs that arrive on standard input, and never returns: for a program that was told to be a worker by
  /// its arguments, by whoever speaks the worker protocol on its standard input and output.
  public static func run(_ registry: JobRegistry) -> Never {
    let terms = WorkerTerms(getenv(variable).map { String(cString: $0) } ?? "")
    unsetenv(variable)
    Worker(registry: registry, terms: terms).run()
  }
}

/// What a pool tells the workers it starts through the environment.
package struct WorkerTerms: Sendable, Equatable {
  /// The pool's process, whose end ends the worker.
  package var parent: Int32?
  /// Whether descriptor 3 is a status page.
  package var hasStatusPage = false
  /// The fingerprint and the digest of the executable that the pool started.
  package var executable: (fingerprint: String, digest: String)?

  /// Reads `pid:page:fingerprint:digest`; anything else says nothing.
  package init(_ text: String) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard fields.count == 4 else { return }
    parent = Int32(fields[0])
    hasStatusPage = fields[1] == "1"
    executable = (fields[2], fields[3])
  }

  package init(parent: Int32, fingerprint: String, digest: String) {
    self.parent = parent
    hasStatusPage = true
    executable = (fingerprint, digest)
  }

  package var text: String {
    "\(parent ?? 0):\(hasStatusPage ? 1 : 0):\(executable?.fingerprint ?? ""):\(executable?.digest ?? "")"
  }

  package static func == (left: WorkerTerms, right: WorkerTerms) -> Bool { left.text == right.text }
}
