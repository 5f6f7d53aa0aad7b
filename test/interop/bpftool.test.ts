// bpftool, libbpf's own reader of BTF, and ours, on the types of real kernels: every type and member.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Btf } from '../../src/formats/btf/reader.ts'
import { makeFolder } from '../make/folder.ts'
import { dumpFiles, openRealKernel, type RealKernel } from '../make/kernel-names.ts'
import { describeWithJudge, runJudge } from './judge.ts'

interface ListedType {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly size?: number
  readonly type_id?: number
  readonly nr_elems?: number
  readonly members?: readonly { name: string; type_id: number; bits_offset: number; bitfield_size?: number }[]
  /** Of up to 64 bits. */
  readonly values?: readonly { name: string; val: string }[]
}

const kinds: Readonly<Record<string, string>> = {
  PTR: 'pointer',
  FWD: 'forward',
  FUNC: 'function',
  FUNC_PROTO: 'prototype',
  VAR: 'variable',
  DATASEC: 'section',
  DECL_TAG: 'declaration tag',
  TYPE_TAG: 'type tag',
}
const anonymous = (name: string): string => (name === '(anon)' ? '' : name)

/** Two versions of bpftool print negative values differently. */
const unsigned = (kind: string, value: bigint): string =>
  `${BigInt.asUintN(kind === 'ENUM64' ? 64 : 32, value)}`

/** As bpftool prints it, as far as we read it. */
function ours(btf: Btf, { id, kind, members, values, size, nr_elems }: ListedType) {
  return {
    kind: btf.kind(id),
    name: btf.name(id),
    ...(size !== undefined && kind !== 'DATASEC' ? { size: btf.size(id) } : {}),
    ...(nr_elems !== undefined ? { length: btf.array(id).length } : {}),
    ...(members ? { members: [...btf.members(id)] } : {}),
    ...(values ? { values: [...btf.enumerators(id)].map((e) => [e.name, unsigned(kind, e.value)]) } : {}),
  }
}

function theirs({ kind, name, members, values, size, nr_elems }: ListedType) {
  return {
    kind: kinds[kind] ?? kind.toLowerCase(),
    name: anonymous(name),
    ...(size !== undefined && kind !== 'DATASEC' ? { size } : {}),
    ...(nr_elems !== undefined ? { length: nr_elems } : {}),
    ...(members
      ? {
          members: members.map((member) => ({
            name: anonymous(member.name),
            type: member.type_id,
            bit: member.bits_offset,
            bits: member.bitfield_size,
          })),
        }
      : {}),
    ...(values ? { values: values.map(({ name: n, val }) => [n, unsigned(kind, BigInt(val))]) } : {}),
  }
}

function bytesOf({ kernel, symbols }: RealKernel): Uint8Array {
  const [start, end] = ['__start_BTF', '__stop_BTF'].map((name) => symbols.address(name) as bigint)
  return kernel.memory.bytes(start as bigint, Number((end as bigint) - (start as bigint)))
}

describeWithJudge('bpftool', 'bpftool', () => {
  it.each(dumpFiles)('lists the types of %s as we do', (name, file) => {
    using real = openRealKernel(name, file)
    const path = join(makeFolder(), 'btf')
    writeFileSync(path, bytesOf(real))
    const text = runJudge('bpftool', ['btf', 'dump', '-j', 'file', path]).toString()
    const { types } = JSON.parse(text.replace(/"val":(-?\d+)/g, '"val":"$1"')) as { types: ListedType[] }
    const { btf } = real.types
    expect(types.length).toBe(btf.end - 1)
    // toEqual on a hundred thousand objects takes a minute.
    const wrong = types.filter((type) => JSON.stringify(ours(btf, type)) !== JSON.stringify(theirs(type)))
    expect(wrong.slice(0, 3).map((type) => [ours(btf, type), theirs(type)])).toEqual([])
  })
})
