// SPDX-License-Identifier: Apache-2.0
// The completion script for fish.

extension CompletionScript {
    static func fish(_ program: String, _ places: [Place]) -> String {
        let values = valueOptions(places).joined(separator: " ")
        let paths = places.dropFirst().map { quoted($0.name) }.joined(separator: " ")
        var text = """
            # fish completion for \(program), made by: \(program) completion fish
            function __\(program)_place
                set -l place \(program)
                set -l skip 0
                for word in (commandline -opc)[2..-1]
                    if test $skip -eq 1
                        set skip 0
                    else if test "$word" = --
                        echo program
                        return
                    else if contains -- $word \(values)
                        set skip 1
                    else if contains -- "$place $word" \(paths)
                        set place "$place $word"
                    end
                end
                echo $place
            end
            function __\(program)_at
                test (__\(program)_place) = "$argv[1]"
            end
            function __\(program)_services
                set -l program (commandline -opc)[1]
                command -q $program; and $program services --names 2>/dev/null
            end
            complete -c \(program) -f
            complete -c \(program) -n '__\(program)_at program' -F

            """
        for place in places {
            let start = "complete -c \(program) -n \"__\(program)_at '\(place.name)'\""
            for below in place.command.subcommands {
                text += "\(start) -a \(below.name) -d \(fishQuoted(below.summary))\n"
            }
            if let argument = place.command.arguments.first {
                text += fishValues(argument.kind, program).map { "\(start) \($0)\n" } ?? ""
            }
            for option in place.command.allOptions {
                let letter = option.letter.map { " -s \($0)" } ?? ""
                text += "\(start) -l \(option.name)\(letter)"
                if option.placeholder != nil {
                    text += " -r " + (fishValues(option.kind, program) ?? "-f")
                }
                text += " -d \(fishQuoted(firstSentence(option.help)))\n"
            }
        }
        return text
    }

    /// Text between single quotes, as fish reads it.
    private static func fishQuoted(_ text: String) -> String {
        var result = "'"
        for character in text {
            if character == "'" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result + "'"
    }

    private static func fishValues(_ kind: ValueKind, _ program: String) -> String? {
        switch kind {
        case .choice(let words): "-f -a '\(words.joined(separator: " "))'"
        case .file: "-F"
        case .folder: "-f -a '(__fish_complete_directories)'"
        case .program: "-f -a '(__fish_complete_command)'"
        case .selector, .service: "-f -a '(__\(program)_services)'"
        case .text, .integer, .decimal, .percent, .time, .duration, .lifetime: nil
        }
    }
}
