// Checks for values read from JSON: each takes anything and gives the typed value or throws a
// FormatError that names the place (`memory[2].end`). A table of checks must fit its interface, so the
// compiler notices a field that one of them lacks. Unknown fields are refused: nothing is lost silently.

import { FormatError } from '../../core/errors.ts'

/** Where the value stands, for the message. */
export interface Place {
  readonly file: string
  readonly path: string
}

export type Check<T> = (value: unknown, place: Place) => T

export const wrong = (place: Place, expected: string, value: unknown): FormatError =>
  new FormatError({
    file: place.file,
    field: `machine state, ${place.path === '' ? 'the whole' : place.path}`,
    expected,
    found: show(value),
  })

/** Its own fields only: JSON.stringify has no room on the stack for what is nested a million times. */
function show(value: unknown): string {
  const flat = JSON.stringify(value, (_, item) =>
    item !== value && typeof item === 'object' && item !== null ? '…' : item,
  )
  return (flat ?? 'nothing').slice(0, 80)
}

const inside = (place: Place, step: string): Place => ({ ...place, path: `${place.path}${step}` })

/** A whole number of [min, max]. */
export const whole =
  (min = 0, max = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value, place) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw wrong(place, `a whole number from ${min} to ${max}`, value)
  }

export const flag: Check<boolean> = (value, place) => {
  if (typeof value === 'boolean') return value
  throw wrong(place, 'true or false', value)
}

export const text: Check<string> = (value, place) => {
  if (typeof value === 'string') return value
  throw wrong(place, 'text', value)
}

export const matching =
  (pattern: RegExp, expected: string): Check<string> =>
  (value, place) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw wrong(place, expected, value)
  }

export const oneOf =
  <const T extends readonly string[]>(...names: T): Check<T[number]> =>
  (value, place) => {
    if (typeof value === 'string' && names.includes(value)) return value
    throw wrong(place, names.join(' or '), value)
  }

/** JSON has no undefined: the field is absent. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, place) =>
    value === undefined ? undefined : check(value, place)

export const list =
  <T>(check: Check<T>, max: number): Check<readonly T[]> =>
  (value, place) => {
    if (!Array.isArray(value)) throw wrong(place, 'a list', value)
    if (value.length > max) throw wrong(place, `at most ${max} elements`, value.length)
    return value.map((item, i) => check(item, inside(place, `[${i}]`)))
  }

/** Names → values of one kind. */
export const record =
  <T>(check: Check<T>): Check<Readonly<Record<string, T>>> =>
  (value, place) =>
    Object.fromEntries(
      Object.entries(plain(value, place)).map(([name, item]) => [name, check(item, step(place, name))]),
    )

export const fields =
  <T extends object>(checks: { readonly [K in keyof T]-?: Check<T[K]> }): Check<T> =>
  (value, place) => {
    const given = plain(value, place)
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(checks, name))
    if (unknown !== undefined) throw wrong(step(place, unknown), 'no such field', given[unknown])
    const entries = Object.entries<Check<unknown>>(checks as Record<string, Check<unknown>>)
    return Object.fromEntries(
      entries.map(([name, check]) => [name, check(given[name], step(place, name))]),
    ) as T
  }

const step = (place: Place, name: string): Place => inside(place, place.path === '' ? name : `.${name}`)

function plain(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw wrong(place, 'an object', value)
}
