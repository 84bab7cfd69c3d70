/** What `hoop connect` says: the ports that are open, and what becomes of the way to the gateway. */
import { visibleLine } from '../base/visible.ts'
import { shellQuote } from '../tunnel/client-config.ts'
import type { Merged } from '../tunnel/kube-files.ts'
import type { KubeSession } from '../tunnel/kube-session.ts'
import type { Tunnel, TunnelEvent } from '../tunnel/tunnel.ts'
import type { Output } from './output/output.ts'

export function openEvent(tunnel: Tunnel, { targets, file, merged }: KubeSession): object {
  return {
    event: 'open',
    session: tunnel.session.id,
    ...(file !== undefined && { kubeconfig: file, mergedInto: merged?.file ?? null }),
    targets: targets.map(({ target, port, url, command, env }) => ({
      target: target.name,
      protocol: target.protocol,
      port,
      url,
      command,
      env,
    })),
  }
}

export function openText(tunnel: Tunnel, { targets, file }: KubeSession, { style }: Output): string {
  const blocks = targets.map(
    ({ target, url, command }) =>
      `${style('name', visibleLine(target.name))} is open\n  url  ${visibleLine(url)}\n  try  ${style('heading', visibleLine(command))}\n`,
  )
  if (file !== undefined)
    blocks.push(
      `for kubectl in another shell: ${style('heading', `export KUBECONFIG=${visibleLine(shellQuote(file))}`)}\n`,
    )
  return `${blocks.join('')}${style('quiet', `session ${tunnel.session.id}`)}\n`
}

export function mergedText({ file, backup }: Merged): string {
  const kept = backup === undefined ? '' : ` (as it was: ${visibleLine(backup)})`
  return `the contexts are in ${visibleLine(file)} until this ends${kept}`
}

export function report(event: TunnelEvent, output: Output, hasProgram: boolean): void {
  // Which port it is matters to a person who types it, not to a program that is told.
  if (hasProgram && event.event === 'port') return
  if (!output.json) {
    const meaning = event.event === 'back' ? 'good' : 'waiting'
    output.talk(output.talkStyle(meaning, visibleLine(event.message)))
    return
  }
  // stdout belongs to the program, if there is one.
  if (hasProgram) return
  const session = event.session === undefined ? {} : { session: event.session.id }
  output.item({ event: event.event, message: event.message, ...session }).catch(() => undefined)
}
