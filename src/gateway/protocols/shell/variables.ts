/** Variables by what they do to the programs behind them. */

/** Only how things look. */
const harmless =
  /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|COLUMNS|ROWS|NO_COLOR|CLICOLOR|FORCE_COLOR|DEBIAN_FRONTEND|QUOTING_STYLE|BLOCK_SIZE|LINES)$/

/** They choose which program is found, how words are cut, or what runs with a program: nothing is known behind them. */
const hides =
  /^(?:PATH|IFS|ENV|BASH_.*|BASHOPTS|SHELLOPTS|SHELL|PS[0-4]|PROMPT_COMMAND|CDPATH|FPATH|HOME|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|ZDOTDIR|[a-z]*path|argv|aliases|commands|functions|options|modules|prompt|status|.*(?:PAGER|EDITOR|VISUAL|BROWSER|ASKPASS|OPTIONS?|OPTS|ARGS|FLAGS|PRELOAD|STARTUP|COMMAND|_SSH|_RSH|INITRC|_RC))$|^(?:GIT|PYTHON|PERL|RUBY|NODE|JAVA|LESS|SSH|SUDO|RSYNC|TAR|MAN|TERM|XDG|SYSTEMD|DOCKER|KUBE)/

export type VariableRisk = 'none' | 'unknown' | 'hides'

/** `exported`: programs are given it. A shell's own variable in small letters is nobody's business. */
export function riskOf(name: string, exported: boolean): VariableRisk {
  if (harmless.test(name)) return 'none'
  if (hides.test(name)) return 'hides'
  return !exported && /^[a-z_][a-z0-9_]*$/.test(name) ? 'none' : 'unknown'
}
