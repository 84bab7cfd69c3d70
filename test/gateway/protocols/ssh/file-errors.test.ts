/** The target's stderr beside files. */
import { describe, expect, it } from 'vitest'
import type { Checkpoint, Permit } from '../../../../src/gateway/checkpoint.ts'
import { compileMasks } from '../../../../src/gateway/policy/masks.ts'
import type { Subject } from '../../../../src/gateway/policy/rules.ts'
import { createFileErrors, watchPermits } from '../../../../src/gateway/protocols/ssh/channels/file-errors.ts'
import { createRecordingCheckpoint } from '../../../support/conversation.ts'
import { permitFor } from '../../../support/permits.ts'
import { shellCommand } from '../../../../src/gateway/protocols/ssh/commands.ts'

const subject = {
  target: { name: 'ssh-prod', protocol: 'ssh', labels: {} },
  person: { user: 'ana@acme', subject: '1', groups: [] },
  agent: null,
} satisfies Subject
const masks = compileMasks(
  [{ name: 'contact', match: {}, detectors: ['email'], style: 'redact' }],
  subject,
  Buffer.from('a key of the test'),
)
const masked: Permit = { ...permitFor('cmd_1'), masks, recordMasks: masks }
const said = Buffer.from('cannot stat /home/ana@acme.dev\n')

/** All that is shown of what comes, and of what is held back. */
function shownOf(errors: ReturnType<typeof createFileErrors>, shown: Uint8Array[], ...pieces: Buffer[]): string {
  for (const piece of pieces) shown.push(errors.change(piece))
  errors.end()
  return Buffer.concat(shown).toString()
}

describe('what a program that moves files says on stderr', () => {
  it('is masked as the latest permit says, however it is cut', () => {
    for (let cut = 0; cut < said.length; cut += 1) {
      const shown: Uint8Array[] = []
      const errors = createFileErrors(
        () => masked,
        (bytes) => shown.push(bytes),
      )
      const text = shownOf(errors, shown, said.subarray(0, cut), said.subarray(cut))
      expect(text).toMatch(/^cannot stat /)
      expect(text).not.toContain('ana@acme.dev')
    }
  })

  it('is as it was said where nothing is masked', () => {
    const shown: Uint8Array[] = []
    const errors = createFileErrors(
      () => permitFor('cmd_1'),
      (bytes) => shown.push(bytes),
    )
    expect(shownOf(errors, shown, said)).toBe(said.toString())
  })

  it('is not shown before a command was permitted, and then as that one says', async () => {
    const checkpoint: Checkpoint = createRecordingCheckpoint()
    const watched = watchPermits({ ...checkpoint, clear: async () => ({ permits: [masked] }) })
    const shown: Uint8Array[] = []
    const errors = createFileErrors(watched.permit, (bytes) => shown.push(bytes))
    shown.push(errors.change(Buffer.from('before\n')))
    await watched.checkpoint.clear([shellCommand])
    const text = shownOf(errors, shown, said)
    expect(text).not.toContain('before')
    expect(text).toMatch(/^cannot stat /)
    expect(text).not.toContain('ana@acme.dev')
  })
})
