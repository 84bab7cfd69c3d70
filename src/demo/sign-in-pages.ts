/** The pages of the demo's identity provider: who are you, is this your code, you can go back. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import { hoopError } from '../contract/error-codes.ts'
import type { DemoPerson } from './people.ts'

/** The page on which a visitor says who they are. */
export async function choosePerson(
  provider: Provider,
  people: readonly DemoPerson[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'POST') {
    const user = new URLSearchParams(await bodyOf(request)).get('user')
    if (people.some((person) => person.user === user)) {
      await provider.interactionFinished(request, response, { login: { accountId: user ?? '' }, consent: {} })
      return
    }
  }
  await provider.interactionDetails(request, response)
  const buttons = people
    .map(
      ({ user, groups }) =>
        `<button name="user" value="${escapeHtml(user)}">${escapeHtml(user)} <small>${escapeHtml(groups.join(', '))}</small></button>`,
    )
    .join('')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page('Who are you?', `<form method="post">${buttons}</form>`))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > 10_000) throw hoopError('usage', 'the form is too large')
  }
  return body
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

export function page(title: string, content: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:18px/1.5 system-ui;max-width:26rem;margin:15vh auto;padding:0 1rem}button{display:block;width:100%;font:inherit;padding:.6rem;margin:.5rem 0}
.code{font:bold 1.6rem ui-monospace,monospace;letter-spacing:.1em}small{opacity:.6}</style><h1>${title}</h1>${content}`
}
