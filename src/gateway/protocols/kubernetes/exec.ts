/** What would run inside a pod, read by the grammar that SSH's command lines are read by. Pure. */
import type { Action } from '../../../contract/command.ts'
import type { ShellReader } from '../shell/reader.ts'
import type { Reading } from '../shell/reading.ts'
import type { ResourceCall } from './api-call.ts'
import { quoted } from './change.ts'
import { isStream } from './meaning.ts'
import { inputModeOf, type RemoteCommandAsked, type StreamsAsked } from './streams/asked.ts'

export interface Running {
  readonly argv: readonly string[]
  readonly reading: Reading
  /** For people. */
  readonly lines: readonly string[]
}

/** `kubectl exec`: what the shell's grammar makes of it. */
export function readExec(call: ResourceCall, shell: ShellReader): Running {
  const asked = remoteCommandIn(call, 'exec')
  const { argv, tty } = asked
  const reading = shell.readArguments(argv, { terminal: tty })
  // What such a shell is told is judged line by line, as it comes (streams/).
  const isJudgedLater = inputModeOf(asked) !== 'data'
  return {
    argv,
    reading: isJudgedLater ? { ...reading, facts: { ...reading.facts, dynamic: false } } : reading,
    lines: [`runs ${argv.map(quoted).join(' ')}${whereLine(call, asked)}`],
  }
}

/** What goes to a program that runs already, nobody knows before it is typed. */
export function attachLines(call: ResourceCall): readonly string[] {
  return [`goes on with what runs${whereLine(call, remoteCommandIn(call, 'attach'))}`]
}

/** What a stream is for; undefined: it is none. */
export function streamsAskedBy(call: ResourceCall): StreamsAsked | undefined {
  if (!isStream(call)) return undefined
  const { subresource: kind } = call
  if (kind === 'exec' || kind === 'attach') return remoteCommandIn(call, kind)
  return { kind: 'portforward', ports: call.query.all('ports').flatMap((ports) => ports.split(',').map(Number)) }
}

/** The program's words stand in the query, one by one. */
function remoteCommandIn({ namespace, name, query }: ResourceCall, kind: 'exec' | 'attach'): RemoteCommandAsked {
  const argv = kind === 'exec' ? query.all('command') : []
  const title = [`${kind} ${namespace}/${name}`, ...(argv.length === 0 ? [] : [argv.map(quoted).join(' ')])].join(': ')
  return { kind, argv, tty: isOn(query.first('tty')), stdin: isOn(query.first('stdin')), title }
}

function whereLine({ query }: ResourceCall, { tty, stdin }: RemoteCommandAsked): string {
  const container = query.first('container')
  const parts = [
    ...(container === undefined ? [] : [`in container ${container}`]),
    ...(tty ? ['on a terminal'] : []),
    ...(stdin ? ['with input'] : []),
  ]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

/** As the API server reads a switch: all but `false` and `0`, where it is given at all. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|0)$/i.test(value)
}

/** What a kubelet does on paths of its own, which whoever may use `nodes/proxy` can ask for, past every rule about pods. */
const kubeletPaths: Readonly<Record<string, string>> = {
  run: 'exec',
  exec: 'exec',
  attach: 'attach',
  portforward: 'portforward',
  containerlogs: 'log',
  checkpoint: 'checkpoint',
}

/** `/api/v1/nodes/n1/proxy/run/prod/web/app?cmd=ls` → what it is called where it is asked for in the open. */
export function throughKubelet(call: ResourceCall, shell: ShellReader): readonly Action[] {
  const [path = '', namespace = '*', pod = '*'] = call.rest
  const subresource = kubeletPaths[path.toLowerCase()]
  if (subresource === undefined) return []
  const verb = subresource === 'log' ? 'get pods/log' : `create pods/${subresource}`
  const action: Action = {
    verb,
    kind: subresource === 'log' ? 'read' : 'admin',
    objects: [`${namespace}/${pod}`],
    unbounded: false,
  }
  if (subresource !== 'exec') return [action]
  const words = [...call.query.all('command'), ...call.query.all('cmd').flatMap((line) => line.split(' '))]
  return [{ ...action, arguments: words }, ...shell.readArguments(words).actions]
}
