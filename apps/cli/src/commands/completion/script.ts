import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";

// Each hands the words to `coffer complete` as they were typed. Nothing of them is evaluated: pressing Tab after `$(…)` must not run what stands there.

const BASH = `# bash completion for coffer
_coffer() {
  local IFS=$'\\n'
  COMPREPLY=($(coffer complete bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _coffer coffer
`;

const ZSH = `#compdef coffer
_coffer() {
  local -a whole open
  local line entry
  for line in "\${(@f)$(coffer complete zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    entry="\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"
    if [[ \${line%%$'\\t'*} == *= ]]; then open+=("$entry"); else whole+=("$entry"); fi
  done
  (( \${#whole} + \${#open} )) || { _files; return }
  (( \${#whole} )) && _describe -t words 'word' whole
  (( \${#open} )) && _describe -t options 'option' open -S ''
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _coffer coffer
`;

const FISH = `# fish completion for coffer
complete -c coffer -f -a '(coffer complete fish -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export async function run(call: Call, context: Context): Promise<void> {
  await context.writeOut(SCRIPTS[call.arguments.get("SHELL") ?? ""] ?? "");
}
