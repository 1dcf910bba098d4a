// SPDX-License-Identifier: Apache-2.0
// Where the stored properties of classes and actors lie in their objects.

extension SwiftLayouts {
    /// The fields of an object, those of the superclass first.
    struct Instance {
        var fields: [TypeLayout.Field] = []
        /// The bytes up to the end of the last field; `nil` when that is not known.
        var end: UInt64? = 16
        var isActor = false
        /// Why some fields are missing.
        var incomplete: String?
    }

    /// How many superclasses a class may have.
    private static let maxSuperclasses = 64

    /// The fields of a class's objects.
    func instance(of nominal: SwiftNominal, _ arguments: [[SwiftType]]) -> Instance {
        // From the class up to its root, then laid out the other way round.
        var chain: [(SwiftNominal, [[SwiftType]], ReflectionTables.Descriptor)] = []
        var instance = Instance()
        var next: SwiftType? = .nominal(nominal, arguments: arguments)
        while let type = next {
            guard chain.count < Self.maxSuperclasses,
                case .nominal(let current, let arguments) = type
            else {
                instance.incomplete = "the superclass is not known"
                instance.end = nil
                break
            }
            do throws(LayoutProblem) {
                let descriptor = try facts.descriptor(of: current)
                chain.append((current, arguments, descriptor))
                next = descriptor.superclass?.substituting(arguments.filter { !$0.isEmpty })
            } catch {
                instance.incomplete = "\(current.name): \(error.reason)"
                instance.end = nil
                break
            }
        }
        for (current, arguments, descriptor) in chain.reversed() {
            append(descriptor, of: current, arguments, to: &instance)
        }
        return instance
    }

    private func append(
        _ descriptor: ReflectionTables.Descriptor, of nominal: SwiftNominal,
        _ arguments: [[SwiftType]], to instance: inout Instance
    ) {
        for record in descriptor.records {
            let stated = facts.fieldOffset(of: record.name, in: nominal)
            var ownership = TypeLayout.Ownership.strong
            do throws(LayoutProblem) {
                let type = try type(of: record, arguments)
                if case .reference(let stored, _) = type { ownership = stored }
                if case .builtin("D") = type { instance.isActor = true }
                if case .builtin("d") = type { instance.isActor = true }
                let layout = try layout(of: type)
                guard !layout.isDependent else {
                    throw LayoutProblem(reason: "its type is a generic parameter")
                }
                let mask = layout.alignment &- 1
                let computed = instance.end.map { ($0 &+ mask) & ~mask }
                guard let offset = stated ?? computed else {
                    throw LayoutProblem(reason: "its offset is only known at run time")
                }
                instance.end = offset &+ layout.size
                // Those that the compiler adds are of no interest to people.
                if case .builtin = type { continue }
                instance.fields.append(
                    TypeLayout.Field(
                        name: record.name, offset: offset, type: id(type), ownership: ownership))
            } catch {
                instance.end = nil
                if let stated, let type = try? type(of: record, arguments) {
                    instance.fields.append(
                        TypeLayout.Field(
                            name: record.name, offset: stated, type: lazyID(type),
                            ownership: ownership))
                } else if instance.incomplete == nil {
                    instance.incomplete = "\(nominal.name).\(record.name): \(error.reason)"
                }
            }
        }
    }
}
