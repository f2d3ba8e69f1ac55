import ApusTestSupport
import Foundation
import Testing

/// Data of web servers and object stores, all real, through the real program.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RemoteDataTests {
  private let scratch: Scratch
  /// Where the program makes its temporary files.
  private let temporary: URL

  init() throws {
    scratch = try Scratch()
    temporary = scratch.folder.appendingPathComponent("temporary")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
  }

  /// A folder with the flowers in several formats.
  private func flowers() throws -> URL {
    let folder = scratch.folder.appendingPathComponent("flowers")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    let iris = folder.appendingPathComponent("iris.csv")
    try FileManager.default.copyItem(
      at: repositoryRoot.appendingPathComponent("Datasets/iris.csv"), to: iris)
    let zipped = try runProgram("gzip", ["--keep", iris.path])
    #expect(zipped.exitCode == 0)
    let numbers = (0..<60).map { "\($0 % 2) 1:\(Double($0 % 7) / 3) 2:\($0 % 5 + 3 * ($0 % 2))\n" }.joined()
    try Data(numbers.utf8).write(to: folder.appendingPathComponent("numbers.svm"))
    // NumPy's format: a header of 64 bytes in all, then the numbers.
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 3), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    var array = Data([0x93] + "NUMPY".utf8 + [1, 0, 118, 0] + header.utf8)
    for row in 0..<60 {
      for value in [Double(row % 7), Double(row % 5), Double(row % 7) * 2 + Double(row % 5)] {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { array.append(contentsOf: $0) }
      }
    }
    try array.write(to: folder.appendingPathComponent("numbers.npy"))
    return folder
  }

  private func run(
    _ arguments: [String], _ environment: [String: String]
  ) throws -> ApusBinary.Result {
    try ApusBinary.run(
      arguments: arguments, in: scratch.folder,
      environment: environment.merging(["TMPDIR": temporary.path]) { mine, _ in mine })
  }

  private func leftovers() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: temporary.path)
  }

  @Test(arguments: [RemoteStore.Kind.web, .s3, .gs])
  func everyCommandReadsThem(kind: RemoteStore.Kind) throws {
    let folder = try flowers()
    let store = try RemoteStore(kind, folder: folder)
    // Every format is known by its name, and gives the scores of the file on this machine.
    for (name, estimator, target) in [
      ("iris.csv", "standard-scaler+logistic-regression", ["--target", "species"]),
      ("iris.csv.gz", "standard-scaler+logistic-regression", ["--target", "species"]),
      ("numbers.svm", "logistic-regression", []), ("numbers.npy", "ridge", ["--target", "-1"]),
    ] {
      func scores(_ data: String) throws -> String {
        let options = ["--estimator", estimator, "--cv", "3", "--json", "--quiet"] + target
        let result = try run(["evaluate", data] + options, store.environment)
        #expect(result.status == 0, "\(result.errors)")
        let scores = try #require(try result.json()["scores"])
        return String(
          decoding: try JSONSerialization.data(withJSONObject: scores, options: .sortedKeys), as: UTF8.self)
      }
      #expect(try scores("\(store.address)/\(name)") == scores("flowers/\(name)"), "\(name)")
    }
    let iris = "\(store.address)/iris.csv"
    let fit = try run(
      [
        "fit", iris, "--target", "species", "--estimator", "decision-tree-classifier", "--test", iris,
        "--output", "iris.model",
      ], store.environment)
    #expect(fit.status == 0 && fit.output.contains(iris), "\(fit.errors)")
    let predict = try run(["predict", "iris.model", iris, "--quiet"], store.environment)
    let expected = try run(["predict", "iris.model", "flowers/iris.csv", "--quiet"], store.environment)
    #expect(predict.status == 0 && predict.output == expected.output && !expected.output.isEmpty)

    // A study knows its data by what is in it, wherever that lies.
    let search = ["--target", "species", "--estimator", "svc", "--param", "c=[1,10]", "--study", "a.sqlite"]
    let first = try run(["search", "flowers/iris.csv"] + search, store.environment)
    #expect(first.status == 0, "\(first.errors)")
    let again = try run(["search", iris] + search, store.environment)
    #expect(again.status == 0 && again.errors.contains("Continuing: 10 of 10 fits"), "\(again.errors)")

    let missing = try run(
      ["fit", "\(store.address)/none.csv", "--target", "-1", "--estimator", "ridge"], store.environment)
    #expect(missing.status == 3)
    #expect(
      missing.errors.contains("\(store.address)/none.csv cannot be loaded: there is no such file"),
      "\(missing.errors)")
    // Errors in the data name the address, not the copy.
    let wrong = try run(["fit", iris, "--target", "-1", "--estimator", "ridge"], store.environment)
    #expect(wrong.status == 3 && wrong.errors.contains("\(iris):2:5: expected a number"), "\(wrong.errors)")
    #expect(try leftovers() == [])
  }

  @Test func whatAWebServerDoesWrongIsSaid() throws {
    let store = try RemoteStore(.web, folder: flowers())
    func fit(_ name: String) throws -> ApusBinary.Result {
      try run(
        ["fit", "\(store.address)/\(name)", "--target", "-1", "--estimator", "ridge"], store.environment)
    }
    let cut = try fit("cut.csv")
    #expect(cut.status == 3 && cut.errors.contains("the connection ended after 8 of 1000 bytes"), "\(cut)")
    let secret = try fit("secret.csv?key=hidden")
    #expect(secret.status == 3 && secret.errors.contains("HTTP Error 403"), "\(secret)")
    #expect(!secret.errors.contains("hidden"))
    #expect(try leftovers() == [])
  }

  /// Addresses may be signed: whoever reads a study or a result must not get what they let one read.
  @Test func signaturesAreNotKept() throws {
    let folder = try flowers()
    try FileManager.default.copyItem(
      at: folder.appendingPathComponent("iris.csv"), to: folder.appendingPathComponent("busy.csv"))
    let store = try RemoteStore(.web, folder: folder)
    // The server is busy at first, and is asked again.
    let result = try run(
      [
        "search", "\(store.address)/busy.csv?signature=topsecret", "--target", "species", "--estimator",
        "svc",
        "--param", "c=[1]", "--study", "a.sqlite", "--results", "a.json", "--output", "a.model",
      ], store.environment)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("apus predict a.model \(store.address)/busy.csv\n"), "\(result.errors)")
    #expect(!result.output.contains("topsecret") && !result.errors.contains("topsecret"))
    for name in try scratch.names() where name.hasPrefix("a.") {
      let bytes = try Data(contentsOf: scratch.folder.appendingPathComponent(name))
      #expect(bytes.range(of: Data("topsecret".utf8)) == nil, "\(name)")
    }
  }

  @Test func strangersAndAbsentBucketsAreRefused() throws {
    let store = try RemoteStore(.s3, folder: flowers())
    let fit = ["--target", "-1", "--estimator", "svc"]
    let absent = try run(["fit", "s3://nowhere/iris.csv"] + fit, store.environment)
    #expect(absent.status == 3 && absent.errors.contains("s3://nowhere/iris.csv cannot be loaded"))
    var strangers = store.environment
    strangers["AWS_ACCESS_KEY_ID"] = nil
    strangers["AWS_SECRET_ACCESS_KEY"] = nil
    strangers["HOME"] = scratch.folder.path
    let refused = try run(["fit", "s3://sweeps/iris.csv"] + fit, strangers)
    #expect(refused.status == 3 && refused.errors.contains("no credentials that allow it"), "\(refused)")
    #expect(refused.errors.contains("AWS_ACCESS_KEY_ID"), "\(refused)")
  }

  @Test func aMissingInterpreterOrLibraryIsNamed() throws {
    let fit = ["--target", "-1", "--estimator", "svc"]
    for python in ["/nowhere/python", "no-such-python"] {
      let result = try run(["fit", "https://example.org/train.csv"] + fit, ["APUS_PYTHON": python])
      #expect(
        result.status == 3 && result.errors.contains("\(python), which loads remote files"), "\(result)")
      #expect(result.errors.contains("APUS_PYTHON"))
    }
    // The same interpreter without its packages.
    let bare = try scratch.write("bare", "#!/bin/sh\nexec '\(RemoteStore.python)' -S \"$@\"\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bare)
    let result = try run(["fit", "s3://sweeps/iris.csv"] + fit, ["APUS_PYTHON": bare])
    #expect(result.status == 3 && result.errors.contains("pip install s3fs"), "\(result)")
    // What comes over HTTP needs no package.
    let store = try RemoteStore(.web, folder: flowers())
    let web = try run(["fit", "\(store.address)/iris.csv"] + fit, ["APUS_PYTHON": bare])
    #expect(web.status == 0, "\(web)")
    #expect(try leftovers() == [])
  }

  /// Progress is shown while a file comes, and the copy is gone however the program ends.
  @Test(arguments: [SIGINT, SIGKILL]) func nothingIsLeftOfALoadThatIsEnded(signal: Int32) throws {
    let store = try RemoteStore(.web, folder: flowers())
    let errors = Pipe()
    let process = try ApusBinary.start(
      ["fit", "\(store.address)/slow.csv", "--target", "-1", "--estimator", "ridge"],
      environment: store.environment.merging(["TMPDIR": temporary.path]) { $1 },
      output: FileHandle.nullDevice, errors: errors)
    let said = Collector(reading: errors.fileHandleForReading)
    #expect(said.wait { $0.contains("Loading \(store.address)/slow.csv: ") && $0.contains(" of 977 KiB") })
    let folders = try leftovers()
    let folder = temporary.appendingPathComponent(try #require(folders.first))
    #expect(folders.count == 1)
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
    #expect(mode == 0o700)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.exitStatus == 128 + signal)
    while !Task.isCancelled, try leftovers() != [] { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try leftovers() == [])
  }
}
