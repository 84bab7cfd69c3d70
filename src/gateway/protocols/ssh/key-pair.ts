/** New key pairs of type ed25519 in OpenSSH's own format: a gateway's host key, and what tests and demo need. */
import ssh2 from 'ssh2'

export interface KeyPair {
  readonly private: string
  /** `ssh-ed25519 AAAA… comment` */
  readonly public: string
}

export function generateKeyPair(comment = 'hoop'): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    // ssh2 loses a zero at the beginning of a public key: one pair in 256 is of no use to anybody.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}
