import Apus
import ArgumentParser
import Foundation

/// The program `apus`: parses the arguments, runs the command, and turns whatever happened into an exit code.
@main
enum ApusProgram {
  static func main() async {
    WorkerHook.runIfWorker(.modelSelection)
    // A reader that went away is noticed where bytes are written, so that saved files are still finished.
    signal(SIGPIPE, SIG_IGN)
    OpenBLAS.useOneThread
    exit(await run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }

  static func run(_ arguments: [String]) async -> ExitStatus {
    do {
      try refuseUnknownCommand(arguments)
      let command = try await ApusCommand.asyncParseAsRoot(arguments)
      guard var command = command as? any AsyncParsableCommand else {
        var plain = command
        try plain.run()
        return .success
      }
      try await command.run()
      return .success
    } catch let status as ExitStatus {
      return status
    } catch is BrokenPipe {
      return .success
    } catch {
      return report(error)
    }
  }

  private static func report(_ error: any Error) -> ExitStatus {
    if let error = error as? ApusError {
      if error.kind != .cancelled || !Interruption.shared.isRaised { Report.error(error) }
      return ExitStatus(error.kind)
    }
    let message = ApusCommand.fullMessage(for: error)
    let code = ApusCommand.exitCode(for: error)
    guard code.isSuccess else {
      Report.line(message)
      return code == .validationFailure ? .usage : .data
    }
    do {
      try StandardOutput.write(message.isEmpty ? "" : message + "\n")
      return .success
    } catch is BrokenPipe {
      return .success
    } catch {
      return report(error)
    }
  }

  /// The argument parser calls a mistyped command an unexpected argument; this says which one was meant.
  private static func refuseUnknownCommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-") else { return }
    let names = ApusCommand.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard !names.contains(word) else { return }
    let suggestion = names.nearest(to: word).map { "did you mean '\($0)'? " } ?? ""
    throw ApusError(
      .invalidParameter, "there is no command '\(word)'",
      hint: "\(suggestion)commands: \(names.joined(separator: ", ")); see `apus --help`")
  }
}
