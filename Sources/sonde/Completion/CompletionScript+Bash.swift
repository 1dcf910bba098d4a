// SPDX-License-Identifier: Apache-2.0
// The completion script for bash.

extension CompletionScript {
    static func bash(_ program: String, _ places: [Place]) -> String {
        var text = bashStart(program, places)
        text += "    case \"$place:$prev\" in\n"
        for place in places {
            for option in place.command.allOptions where option.placeholder != nil {
                let patterns = optionWords(option).map { quoted(place.name + ":" + $0) }
                let action = bashValues(option.kind, program)
                text += "        \(patterns.joined(separator: "|"))) \(action); return ;;\n"
            }
        }
        text += "    esac\n    if [[ $cur == -* ]]; then\n        case $place in\n"
        for place in places {
            let words = place.command.allOptions.flatMap { optionWords($0) }.joined(separator: " ")
            text += "            \(quoted(place.name))) _\(program)_words \(words) ;;\n"
        }
        text += "        esac\n        return\n    fi\n    case $place in\n"
        for place in places {
            let names = place.command.subcommands.map(\.name)
            var actions = names.isEmpty ? [] : ["_\(program)_words " + names.joined(separator: " ")]
            if let argument = place.command.arguments.first {
                actions.append(bashValues(argument.kind, program))
            }
            guard !actions.isEmpty else { continue }
            text += "        \(quoted(place.name))) \(actions.joined(separator: "; ")) ;;\n"
        }
        return text + "    esac\n}\ncomplete -F _\(program) \(program)\n"
    }

    /// What offers words, names and files, and the loop that finds out which command is typed.
    private static func bashStart(_ program: String, _ places: [Place]) -> String {
        let paths = places.dropFirst().map { quoted($0.name) }.joined(separator: "|")
        return """
            # bash completion for \(program), made by: \(program) completion bash
            _\(program)_words() {
                local word
                for word in "$@"; do
                    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
                done
            }
            _\(program)_services() {
                # Names come from other programs: never expanded here, and quoted for the command line.
                local name
                while IFS= read -r name; do
                    [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
                done < <("$program" services --names 2>/dev/null)
            }
            _\(program)_files() {
                local file
                compopt -o filenames 2>/dev/null
                while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "$1" -- "$cur")
            }
            _\(program)() {
                local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]}
                local prev=${COMP_WORDS[COMP_CWORD-1]} place=\(program) word i
                COMPREPLY=()
                # bash takes "--option=value" apart at the "=".
                if [[ $cur == "=" ]]; then
                    cur=
                elif [[ $prev == "=" ]]; then
                    prev=${COMP_WORDS[COMP_CWORD-2]}
                fi
                for ((i = 1; i < COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}
                    case $word in
                        --)
                            if ((i == COMP_CWORD - 1)); then _\(program)_files -c; else _\(program)_files -f; fi
                            return ;;
                        \(valueOptions(places).joined(separator: "|"))) ((i++)) ;;
                        -*|=) ;;
                        *)
                            case "$place $word" in
                                \(paths)) place="$place $word" ;;
                            esac ;;
                    esac
                done

            """
    }

    private static func bashValues(_ kind: ValueKind, _ program: String) -> String {
        switch kind {
        case .choice(let words): "_\(program)_words " + words.joined(separator: " ")
        case .file: "_\(program)_files -f"
        case .folder: "_\(program)_files -d"
        case .program: "_\(program)_files -c"
        case .selector, .service: "_\(program)_services"
        case .text, .integer, .decimal, .percent, .time, .duration, .lifetime: ":"
        }
    }
}
