import Apus
import ArgumentParser

/// `apus study`: looks at what searches have kept, and works with it.
struct StudyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Look into the file that a search has kept its fits in.",
    discussion: """
      A study is made and continued by 'apus search … --study FILE'. It can be
      looked at while searches write to it.

      EXAMPLES
        apus search digits --estimator logistic-regression \\
          --param 'c=log(1e-3,1e3,7)' --study sweep.sqlite
        apus study show sweep.sqlite
        apus study report sweep.sqlite --output sweep.html
        apus study best sweep.sqlite digits --output best.model
        apus study export sweep.sqlite results.csv
      """,
    subcommands: [
      StudyListCommand.self, StudyShowCommand.self, StudyBestCommand.self, StudyExportCommand.self,
      StudyReportCommand.self,
    ] + serving + [
      StudyDiffCommand.self, StudyRetryFailedCommand.self, StudyCollectGarbageCommand.self,
    ])

  #if WITHOUT_SERVER
    private static let serving: [any ParsableCommand.Type] = []
  #else
    private static let serving: [any ParsableCommand.Type] = [StudyServeCommand.self]
  #endif
}

/// Which study of which file.
struct StudyOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The study's file.", valueName: "file"), completion: .file())
  var file: String

  @Option(
    name: .customLong("study"),
    help: ArgumentHelp("The number of the study in its file; the latest unless given.", valueName: "number"))
  var number: Int?

  /// The study.
  ///
  /// - Throws: ``ApusError`` when there is no such file or study.
  func load() throws -> Study { try StudyFile(reading: file).study(number) }
}
