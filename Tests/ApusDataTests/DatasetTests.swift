import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct DatasetTests {
  @Test func classLabelsAreSortedAsNumbersWhereAllAreNumbers() {
    #expect(Target.classes(["10", "9", "10"]) == .classes(indices: [1, 0, 1], labels: ["9", "10"]))
    #expect(Target.classes(["b", "10", "a"]) == .classes(indices: [2, 0, 1], labels: ["10", "a", "b"]))
  }

  @Test func lengthsThatDoNotFitAreRefused() {
    #expect {
      try Dataset(features: Matrix([[1], [2]]), target: .values([1, 2, 3]))
    } throws: { error in
      (error as? ApusError)?.kind == .shape && "\(error)".contains("3 entries")
        && "\(error)".contains("2 × 1")
    }
  }
}
