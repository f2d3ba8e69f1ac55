import Apus
import ArgumentParser

/// Runs jobs that arrive on standard input: what a process pool or a cluster starts.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Runs jobs that arrive on standard input, for a process pool or a cluster.",
    discussion: """
      Speaks the worker protocol on standard input and output; what jobs print goes to standard error. It ends
      with its standard input. Nobody needs to start it by hand.
      """,
    shouldDisplay: false)

  func run() async throws { WorkerHook.run(.modelSelection) }
}
