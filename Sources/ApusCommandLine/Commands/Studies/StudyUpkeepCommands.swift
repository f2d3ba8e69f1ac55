import Apus
import ArgumentParser

/// `apus study retry-failed`: lets the next search make failed fits again.
struct StudyRetryFailedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry-failed", abstract: "Let the next search make the failed fits again.",
    discussion: """
      A search leaves alone what has failed before. This forgets the failures,
      also those of nested searches that belong to the study; run the search
      again to repeat those fits.

      EXAMPLES
        apus study retry-failed sweep.sqlite
      """)

  @OptionGroup var study: StudyOptions

  func run() async throws {
    let count = try StudyFile(study.file, creates: false).study(study.number).forgetFailures()
    try StandardOutput.write(
      count == 0
        ? "No fit has failed.\n"
        : "\(count) failed \(count == 1 ? "fit" : "fits") will be made again by the next search.\n")
  }
}

/// `apus study gc`: makes the file small again.
struct StudyCollectGarbageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Free what dead processes held, and make the file as small as it can be.",
    discussion: """
      EXAMPLES
        apus study gc sweep.sqlite
        apus study gc sweep.sqlite --remove 1
      """)

  @Argument(help: ArgumentHelp("The study's file.", valueName: "file"), completion: .file())
  var file: String

  @Option(help: ArgumentHelp("Remove this study; may be given again.", valueName: "number"))
  var remove: [Int] = []

  func run() async throws {
    let file = try StudyFile(file, creates: false)
    for study in try remove.map({ try file.study($0) }) { try file.remove(study) }
    try file.compact()
  }
}
