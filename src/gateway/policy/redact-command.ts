/**
 * A command as it may be written down: parameters and literals that a detector recognises are masked, and passwords never
 * stand there, whether or not a detector is configured. Pure.
 */
import type { Command, Parameter } from '../../contract/command.ts'
import { dots } from './mask-styles.ts'
import type { Masks } from './masking.ts'
import { passwordParameters } from './passwords.ts'
import { redactRequest } from './redact-request.ts'
import { detect, redactText } from './redact-text.ts'

/** The very same command when there is nothing to hide. */
export function redactCommand(command: Command, masks: Masks): Command {
  return command.protocol === 'http' || command.protocol === 'kubernetes'
    ? redactRequest(command, masks)
    : redactStatement(command, masks)
}

function redactStatement(command: Command, masks: Masks): Command {
  const secret = passwordParameters(command.text)
  const text = redactText(command.text, masks)
  let parameters: Parameter[] | undefined
  for (const [index, parameter] of command.parameters.entries()) {
    const redacted = redactParameter(parameter, masks, secret.has(index + 1))
    if (redacted === parameter) continue
    parameters ??= [...command.parameters]
    parameters[index] = redacted
  }
  if (text === command.text && parameters === undefined) return command
  return { ...command, text, parameters: parameters ?? command.parameters }
}

function redactParameter(parameter: Parameter, masks: Masks, secret: boolean): Parameter {
  if (parameter.value === null) return parameter
  const value = secret ? dots : redactedValue(parameter.value, masks)
  return value === parameter.value ? parameter : { ...parameter, value }
}

function redactedValue(value: string, masks: Masks): string | null {
  const detected = detect(value, masks)
  if (detected !== value || !/^\\x(?:[0-9a-f]{2})+$/i.test(value)) return detected
  // Bytes that nobody can read, written as hexadecimal, may still be the bytes of something recognisable.
  const readable = Buffer.from(value.slice(2), 'hex').toString('latin1')
  return detect(readable, masks) === readable ? value : dots
}
