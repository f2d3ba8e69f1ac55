import ArgumentParser

/// How results and progress are shown.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as one JSON object.")
  var json = false

  @Flag(help: "Print no notes and no progress.")
  var quiet = false

  /// Puts `--quiet` into force.
  func apply() { if quiet { Report.beQuiet() } }
}
