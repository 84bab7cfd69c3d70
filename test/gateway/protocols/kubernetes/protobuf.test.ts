/** Objects that came as protobuf. What kubectl really sends is read in kubectl.test.ts; here is what must not be read. */
import { describe, expect, it } from 'vitest'
import { readProtobuf } from '../../../../src/gateway/protocols/kubernetes/protobuf/object.ts'

type Value = string | number | Buffer

/** One field on the wire: a number as a varint, all else with its length before it. */
function field(number: number, value: Value): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)])
  const bytes = Buffer.from(value as string)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left % 128) + 128)
  }
}

const message = (...fields: Buffer[]) => Buffer.concat(fields)

function object(kind: string, raw: Buffer, apiVersion = 'v1', ...more: Buffer[]): Buffer {
  const what = message(field(1, apiVersion), field(2, kind))
  return message(Buffer.from('k8s\0'), field(1, what), field(2, raw), ...more)
}

const metadata = field(1, message(field(1, 'db'), field(3, 'prod')))
const entry = (key: string, value: string) => field(2, message(field(1, key), field(2, value)))

describe('an object as protobuf', () => {
  it('is read as the JSON that it stands for', () => {
    const secret = object('Secret', message(metadata, entry('password', 'hunter2'), field(3, 'Opaque'), field(5, 1)))
    expect(readProtobuf(secret)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'prod' },
      data: { password: btoa('hunter2') },
      type: 'Opaque',
      immutable: true,
    })
  })

  it.each([
    ['begins like something else', Buffer.from('k8z\0')],
    ['is of a kind that is not known', object('Widget', metadata)],
    ['is of a version that is not known', object('Secret', metadata, 'v2')],
    ['has a field that is not known', object('Secret', message(metadata, field(99, 'x')))],
    ['has a field that is not known, deep inside', object('Secret', field(1, message(field(1, 'a'), field(88, 1))))],
    ['says its name twice', object('Secret', field(1, message(field(1, 'a'), field(1, 'b'))))],
    ['says its metadata twice', object('Secret', message(metadata, metadata))],
    ['has one key twice', object('Secret', message(entry('a', '1'), entry('a', '2')))],
    [
      'says its kind twice',
      message(object('Secret', metadata), field(1, message(field(1, 'v1'), field(2, 'ConfigMap')))),
    ],
    ['says that it is encoded', object('Secret', metadata, 'v1', field(3, 'gzip'))],
    ['has a number where a text stands', object('Secret', field(1, message(field(1, 7))))],
    ['has a text where a number stands', object('Secret', field(5, 'yes'))],
    ['has a name that is not UTF-8', object('Secret', field(1, message(field(1, Buffer.from([0xff])))))],
    ['has a field that nobody has a reason to send', object('Namespace', field(3, message(field(1, 'Active'))))],
  ])('is not read where it %s', (_, bytes) => {
    expect(readProtobuf(bytes)).toBeUndefined()
  })

  it('is not read where it is cut off, and never throws', () => {
    const whole = object('Secret', message(metadata, entry('password', 'hunter2')))
    for (let length = 0; length < whole.length; length += 1)
      expect(readProtobuf(whole.subarray(0, length))).toBeOneOf([undefined, { apiVersion: 'v1', kind: 'Secret' }])
  })
})
