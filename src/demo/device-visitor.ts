/** Does at the demo's identity provider what a person does in a browser, so that the tour and the tests need neither. */
import { hoopError } from '../contract/error-codes.ts'

/** Walks the provider's pages as a browser would, with its own cookies. */
export async function confirmInBrowser(issuer: string, link: string, user: string): Promise<void> {
  const cookies = new Map<string, string>()
  const visit = async (url: string, form?: Record<string, string>): Promise<{ url: string; text: string }> => {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = cookie.match(/^([^=]+)=([^;]*)/) ?? []
      cookies.set(name, value)
    }
    const next = response.headers.get('location')
    if (next !== null) return visit(new URL(next, url).href)
    return { url, text: await response.text() }
  }
  const fieldsOf = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    )

  const opened = await visit(link)
  const question = await visit(`${issuer}/device`, fieldsOf(opened.text))
  const who = await visit(`${issuer}/device`, fieldsOf(question.text))
  const end = await visit(who.url, { user })
  if (!end.text.includes('Signed in'))
    throw hoopError('sign-in-failed', `the demo's identity provider did not sign ${user} in`)
}
