import Testing

/// Runs a command line that must be refused as usage: exit code 2, nothing on the standard output, and certain words in
/// the message.
func expectRefusal(
  _ arguments: [String], _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let run = try ApusBinary.run(arguments: arguments)
  #expect(run.status == 2, "\(run.errors.suffix(400))", sourceLocation: sourceLocation)
  #expect(run.output.isEmpty, sourceLocation: sourceLocation)
  for word in words {
    #expect(run.errors.contains(word), "\(run.errors.suffix(400))", sourceLocation: sourceLocation)
  }
}
