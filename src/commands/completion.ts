/** `hoop completion`: a script for the shell. What it offers comes from `hoop __complete`, so that it knows the targets. */
import { Argument, Command } from 'commander'
import type { Runtime } from '../runtime.ts'
import { createOutput } from './output/output.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

export interface CompletionOptions {
  readonly shell: Shell
}

export function completionCommand(runtime: Runtime, run = runCompletion): Command {
  return new Command('completion')
    .description('print a completion script for your shell, target names included')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  bash  $ echo 'source <(hoop completion bash)' >> ~/.bashrc
  zsh   $ echo 'source <(hoop completion zsh)' >> ~/.zshrc
  fish  $ hoop completion fish > ~/.config/fish/completions/hoop.fish`,
    )
    .action((shell: Shell) => run(runtime, { shell }))
}

export async function runCompletion(runtime: Runtime, { shell }: CompletionOptions): Promise<void> {
  await createOutput(runtime, { json: false }).write(scripts[shell])
}

/** Candidates come one a line as `value<tab>meaning`; the words before the cursor and the one under it are handed over. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for hoop
_hoop() {
  local line words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  # Bash breaks words at = and :, which option values may hold.
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ -n $line ]] && COMPREPLY+=("$line")
  done < <(hoop __complete "\${words[@]}" 2>/dev/null)
}
complete -o default -F _hoop hoop
`,
  zsh: `#compdef hoop
_hoop() {
  local -a candidates
  local value meaning
  while IFS=$'\\t' read -r value meaning; do
    [[ -n $value ]] && candidates+=("\${value//:/\\\\:}:$meaning")
  done < <(hoop __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#candidates} )) && _describe 'hoop' candidates || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _hoop "$@"
else
  compdef _hoop hoop
fi
`,
  fish: `# fish completion for hoop
function __hoop_complete
  set -l words (commandline -opc) (commandline -ct)
  hoop __complete $words[2..-1] 2>/dev/null
end
complete -c hoop -f -a '(__hoop_complete)'
complete -c hoop -n '__fish_seen_subcommand_from gateway' -F
`,
}
