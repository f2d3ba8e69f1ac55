import Apus
import ApusTestSupport
import Foundation
import Testing

@Suite(.blocking) struct CommandTreeTests {
  @Test func theVersionIsTheLibrarys() throws {
    let run = try ApusBinary.run("--version")
    #expect(run.status == 0)
    #expect(run.output == apusVersion + "\n")
    #expect(run.errors.isEmpty)
  }

  @Test func aMistypedCommandIsAUsageErrorThatNamesTheNearest() throws {
    let run = try ApusBinary.run("estimatrs")
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errors.contains("there is no command 'estimatrs'"))
    #expect(run.errors.contains("did you mean 'estimators'?"))
  }

  @Test func aMistypedOptionIsAUsageErrorThatNamesTheNearest() throws {
    let run = try ApusBinary.run("estimators", "--jsn")
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errors.contains("Did you mean '--json'?"))
  }

  @Test func helpGoesToTheStandardOutput() throws {
    let run = try ApusBinary.run("--help")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output.contains("EXIT CODES"))
    #expect(try ApusBinary.run().output == run.output)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionScriptsNameTheCommands(shell: String) throws {
    let run = try ApusBinary.run("--generate-completion-script", shell)
    #expect(run.status == 0)
    #expect(run.output.contains("estimators"))
    #expect(run.output.contains("version"))
  }

  @Test func aFullDiskBehindTheOutputIsAnError() throws {
    let errors = Pipe()
    let process = try ApusBinary.start(
      ["--help"], output: FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/full")), errors: errors)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.exitStatus == 3)
    #expect(text.contains("No space left on device"))
  }

  @Test func aReaderThatLeavesIsNotAnError() throws {
    let output = Pipe()
    let errors = Pipe()
    try output.fileHandleForReading.close()
    let process = try ApusBinary.start(["--help"], output: output, errors: errors)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.exitStatus == 0)
    #expect(text.isEmpty)
  }
}
