// SPDX-License-Identifier: Apache-2.0
// The completion script for zsh.

extension CompletionScript {
    static func zsh(_ program: String, _ places: [Place]) -> String {
        var text = zshStart(program, places)
        text += "    case \"$place:$previous\" in\n"
        for place in places {
            for option in place.command.allOptions where option.placeholder != nil {
                let patterns = optionWords(option).map { quoted(place.name + ":" + $0) }
                let action = zshValues(option.kind, program)
                text += "        \(patterns.joined(separator: "|"))) \(action); return ;;\n"
            }
        }
        text += "    esac\n    if [[ $words[CURRENT] == -* ]]; then\n        case $place in\n"
        for place in places {
            let options = place.command.allOptions
            let words = options.map { "--" + $0.name }
            let lines = options.map { quoted("--\($0.name)  \(firstSentence($0.help))") }
            text += "            \(quoted(place.name))) _\(program)_words "
            text += (words + ["--"] + lines).joined(separator: " ") + " ;;\n"
        }
        text += "        esac\n        return\n    fi\n    case $place in\n"
        for place in places {
            let actions = zshWords(place.command, program)
            guard !actions.isEmpty else { continue }
            text += "        \(quoted(place.name))) \(actions.joined(separator: "; ")) ;;\n"
        }
        // As a file of $fpath the whole file is the function's body; sourced, it registers itself.
        return text + """
                esac
            }
            if [[ $funcstack[1] == _\(program) ]]; then
                _\(program) "$@"
            elif (( $+functions[compdef] )); then
                compdef _\(program) \(program)
            fi

            """
    }

    /// What offers the commands below a command, and its first argument.
    private static func zshWords(_ command: CommandDescription, _ program: String) -> [String] {
        var actions: [String] = []
        if !command.subcommands.isEmpty {
            let names = command.subcommands.map(\.name)
            let lines = command.subcommands.map { quoted("\($0.name)  \($0.summary)") }
            actions.append("_\(program)_words " + (names + ["--"] + lines).joined(separator: " "))
        }
        if let argument = command.arguments.first {
            actions.append(zshValues(argument.kind, program))
        }
        return actions
    }

    /// What offers words and names, and the loop that finds out which command is typed.
    private static func zshStart(_ program: String, _ places: [Place]) -> String {
        let paths = places.dropFirst().map { quoted($0.name) }.joined(separator: "|")
        return """
            #compdef \(program)
            # zsh completion for \(program), made by: \(program) completion zsh
            _\(program)_services() {
                local -a names
                names=("${(@f)$("$words[1]" services --names 2>/dev/null)}")
                compadd -- ${names:#}
            }
            # Takes words and, after "--", as many lines that explain them.
            _\(program)_words() {
                local -a list lines
                local i=${@[(i)--]}
                list=("${@[1,i-1]}") lines=("${@[i+1,-1]}")
                compadd -l -d lines -a list
            }
            _\(program)() {
                local place=\(program) word previous=$words[CURRENT-1]
                integer i
                for ((i = 2; i < CURRENT; i++)); do
                    word=$words[i]
                    case $word in
                        --)
                            if ((i == CURRENT - 1)); then _command_names -e; else _files; fi
                            return ;;
                        \(valueOptions(places).joined(separator: "|"))) ((i++)) ;;
                        -*) ;;
                        *)
                            case "$place $word" in
                                \(paths)) place="$place $word" ;;
                            esac ;;
                    esac
                done
                # "--option=value" is one word here: what stands before the "=" is no part of the value.
                if [[ $words[CURRENT] == --*=* ]]; then
                    previous=${words[CURRENT]%%=*}
                    compset -P '*='
                fi

            """
    }

    /// The text up to its first full stop: the help of an option in one line.
    static func firstSentence(_ text: String) -> String {
        let end = text.indices.first { text[$0...].hasPrefix(". ") }
        if let end { return String(text[..<end]) }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func zshValues(_ kind: ValueKind, _ program: String) -> String {
        switch kind {
        case .choice(let words): "compadd -- " + words.joined(separator: " ")
        case .file: "_files"
        case .folder: "_files -/"
        case .program: "_command_names -e"
        case .selector, .service: "_\(program)_services"
        case .text, .integer, .decimal, .percent, .time, .duration, .lifetime: ":"
        }
    }
}
