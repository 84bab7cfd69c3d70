/** Opens the person's browser, where there is one in front of them. */

/** Over SSH, or on Linux without a display, a browser would open where nobody looks. */
export function canOpenBrowser(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): boolean {
  if (env.SSH_CONNECTION || env.SSH_TTY || env.CI) return false
  if (platform === 'darwin' || platform === 'win32') return true
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME)
}

/** Only web addresses: what the identity provider names is handed to the desktop, which would start any scheme's program. */
export async function openBrowser(address: string): Promise<void> {
  const { protocol } = new URL(address)
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`not a web address: ${protocol}`)
  const { default: open } = await import('open')
  const program = await open(address)
  await new Promise<void>((resolve, reject) => {
    program.once('error', reject)
    setTimeout(resolve, 300).unref()
    program.once('exit', (code) =>
      code === 0 || code === null ? resolve() : reject(new Error(`it ended with ${code}`)),
    )
  })
}
