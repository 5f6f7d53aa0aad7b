// One damaged dump after the other: header fields that lie, pieces that are missing, doubled or in the
// wrong place, and plain wrong bytes. Which, is decided by the seed and the number of the case alone.

import { numbersOf, readNumber, writeNumber, wrongValues } from '../make/damage.ts'
import type { FuzzFile, FuzzInput } from './inputs.ts'
import { Random } from './random.ts'

export interface FuzzCase {
  /** Of the input. */
  readonly name: string
  /** What was done to it. */
  readonly changes: readonly string[]
  readonly files: readonly Uint8Array[]
}

export function makeCase(inputs: readonly FuzzInput[], seed: number, number: number): FuzzCase {
  const random = new Random(seed, number)
  const input = random.pick(inputs)
  const files = input.files.map(({ bytes }) => bytes)
  const changes: string[] = []
  for (let left = random.pick([1, 1, 1, 2, 3, 5]); left > 0; left--) {
    const i = random.below(files.length)
    const file = { ...(input.files[i] as FuzzFile), bytes: (files[i] as Uint8Array).slice() }
    if (file.bytes.length < 64) continue
    const { what, bytes } = random.pick(mutations)(file, random)
    changes.push(files.length === 1 ? what : `part ${i}: ${what}`)
    files[i] = bytes
  }
  if (files.length > 1 && random.oneIn(8)) {
    const [gone] = files.splice(random.below(files.length), 1)
    changes.push(`a part of ${gone?.length} bytes is missing`)
  }
  return { name: input.name, changes, files }
}

/** Changes `file.bytes`, a copy, or gives others. */
type Mutation = (file: FuzzFile, random: Random) => { readonly what: string; readonly bytes: Uint8Array }

function changeField({ bytes, places }: FuzzFile, random: Random): ReturnType<Mutation> {
  const { table, abi, at } = random.pick(places)
  const field = random.pick(numbersOf(table, abi, at))
  const other = random.pick(numbersOf(table, abi, random.pick(places.filter((p) => p.table === table)).at))
  const isInside = ({ at, bits }: typeof field): boolean => at + bits / 8 <= bytes.length
  if (!isInside(field) || !isInside(other)) return { what: 'nothing', bytes }
  const size = BigInt(bytes.length)
  const value = random.pick([
    ...wrongValues(readNumber(bytes, field), field.bits),
    1n,
    readNumber(bytes, other),
    size,
    size - 1n,
    1n << BigInt(random.below(field.bits)),
    random.big64() >> BigInt(random.below(64)),
  ])
  writeNumber(bytes, field, value)
  return { what: `${field.name} at ${field.at} = 0x${BigInt.asUintN(field.bits, value).toString(16)}`, bytes }
}

function changeBytes({ bytes }: FuzzFile, random: Random): ReturnType<Mutation> {
  const places = Array.from({ length: 1 + random.below(8) }, () => random.below(bytes.length))
  for (const at of places) bytes[at] = random.below(256)
  return { what: `bytes at ${places.join(', ')}`, bytes }
}

/** Where kernel structures are: pointers, counts, flags. */
function changeWord({ bytes }: FuzzFile, random: Random): ReturnType<Mutation> {
  const wordAt = (): number => 8 * random.below(Math.floor(bytes.length / 8))
  const place = { name: 'word', at: wordAt(), bits: 64, littleEndian: true }
  const old = readNumber(bytes, place)
  const value = random.pick([
    ...wrongValues(old, 64),
    readNumber(bytes, { ...place, at: wordAt() }),
    random.big64(),
  ])
  writeNumber(bytes, place, value)
  return { what: `word at ${place.at} = 0x${BigInt.asUintN(64, value).toString(16)}`, bytes }
}

/** A value of VMCOREINFO, or the name in front of it. */
function changeText({ bytes }: FuzzFile, random: Random): ReturnType<Mutation> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const start = buffer.indexOf('OSRELEASE=')
  const text = start < 0 ? '' : buffer.toString('latin1', start, start + 4096)
  const lines = [...text.matchAll(/^([A-Z]+(?:\([\w.]+\))?)=(-?[0-9a-f]+)$/gm)]
  const line = lines[random.below(lines.length)]
  if (line === undefined) return changeBytes({ bytes, places: [] }, random)
  const [whole, key = '', value = ''] = line
  const wrong = random.pick([
    '0',
    '1',
    '7',
    '9'.repeat(20),
    'f'.repeat(20),
    `-${'9'.repeat(20)}`,
    '',
    value.slice(1),
  ])
  const changed = random.oneIn(6)
    ? `X${whole.slice(1)}`
    : `${key}=${wrong.slice(0, value.length).padEnd(value.length)}`
  buffer.write(changed, start + line.index, 'latin1')
  return { what: `${whole} becomes ${changed}`, bytes }
}

const cut: Mutation = ({ bytes }, random) => {
  const length = random.below(bytes.length)
  return { what: `cut at ${length}`, bytes: bytes.subarray(0, length) }
}

const blocks = [16, 64, 512, 4096, 16384] as const

/** Two starts of blocks and how long they are. */
function twoBlocks(bytes: Uint8Array, random: Random): readonly [number, number, number] {
  const size = random.pick(blocks.filter((block) => block <= bytes.length / 2))
  const start = (): number => size * random.below(Math.floor(bytes.length / size))
  return [start(), start(), size]
}

const copyBlock: Mutation = ({ bytes }, random) => {
  const [from, to, size] = twoBlocks(bytes, random)
  bytes.copyWithin(to, from, from + size)
  return { what: `${size} bytes at ${from} copied to ${to}`, bytes }
}

const swapBlocks: Mutation = ({ bytes }, random) => {
  const [one, other, size] = twoBlocks(bytes, random)
  const kept = bytes.slice(one, one + size)
  bytes.copyWithin(one, other, other + size)
  bytes.set(kept, other)
  return { what: `${size} bytes at ${one} and ${other} swapped`, bytes }
}

const fillBlock: Mutation = ({ bytes }, random) => {
  const [at, , size] = twoBlocks(bytes, random)
  const byte = random.pick([0, 0, 0xff, 0x41])
  bytes.fill(byte, at, at + size)
  return { what: `${size} bytes at ${at} filled with ${byte}`, bytes }
}

const insertBlock: Mutation = ({ bytes }, random) => {
  const [from, to, size] = twoBlocks(bytes, random)
  const parts = [bytes.subarray(0, to), bytes.subarray(from, from + size), bytes.subarray(to)]
  return { what: `${size} bytes of ${from} put in at ${to}`, bytes: Buffer.concat(parts) }
}

const removeBlock: Mutation = ({ bytes }, random) => {
  const [at, , size] = twoBlocks(bytes, random)
  return {
    what: `${size} bytes at ${at} taken out`,
    bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]),
  }
}

/** What is there more than once is done more often. */
const mutations: readonly Mutation[] = [
  changeField,
  changeField,
  changeField,
  changeField,
  changeText,
  changeText,
  changeWord,
  changeWord,
  changeBytes,
  cut,
  copyBlock,
  swapBlocks,
  fillBlock,
  insertBlock,
  removeBlock,
]
