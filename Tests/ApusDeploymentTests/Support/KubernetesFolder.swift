import ApusTestSupport
import Foundation
import Testing

/// A copy of `kubernetes/` with certificates of its own, made by the script that users run.
func withKubernetesFolder(_ body: (URL) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let copy = folder.appendingPathComponent("kubernetes")
    try FileManager.default.copyItem(
      at: repositoryRoot.appendingPathComponent("kubernetes"), to: copy)
    try? FileManager.default.removeItem(at: copy.appendingPathComponent("certificates/files"))
    // What cannot make them leaves nothing that looks like certificates.
    let programs = folder.appendingPathComponent("programs")
    try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: false)
    let broken = programs.appendingPathComponent("apus")
    try Data("#!/bin/sh\nmkdir \"$3\"\nexit 9\n".utf8).write(to: broken)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: broken.path)
    let failed = try runProgram(
      copy.appendingPathComponent("certificates/make").path,
      environment: ["PATH": "\(programs.path):/usr/bin:/bin"])
    #expect(failed.exitCode == 9)
    #expect(!FileManager.default.fileExists(atPath: copy.appendingPathComponent("certificates/files").path))
    let path = "\(buildFolder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    let make = try runProgram(
      copy.appendingPathComponent("certificates/make").path, environment: ["PATH": path])
    try #require(make.exitCode == 0, "\(make.errors)")
    let again = try runProgram(
      copy.appendingPathComponent("certificates/make").path, environment: ["PATH": path])
    #expect(again.exitCode == 3, "certificates in use must not be overwritten")
    #expect(again.errors.contains("make renew"), "\(again.errors)")
    try body(copy)
  }
}
