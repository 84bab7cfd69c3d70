/** A certificate for localhost, made with openssl in a folder that is gone after the test. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  /** PEM files. */
  readonly cert: string
  readonly key: string
  /** What a client has to trust: the certificate signs itself. */
  readonly ca: string
  remove(): void
}

/** undefined, and a loud reason, where there is no openssl; on CI that is an error. */
export function makeCertificate(names = 'DNS:localhost,IP:127.0.0.1'): Certificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-certificate-'))
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=hoop test', '-addext', `subjectAltName=${names}`, '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    if (process.env.CI) throw new Error('the TLS tests need openssl', { cause: error })
    console.warn('skipped: tests with TLS need openssl')
    return undefined
  }
  return {
    cert,
    key,
    ca: readFileSync(cert, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
