import { describe, expect, it } from 'vitest'
import { findCType, outerLayer, parseDeclaration, sizeOf } from '../../../src/core/kernel/c-type.ts'
import { knownVariables } from '../../../src/core/kernel/variables.ts'
import { dumpFiles, openRealKernel } from '../../make/kernel-names.ts'

const pointer = { kind: 'pointer' }
const array = (length?: number) => ({ kind: 'array', length })

describe('a C declaration', () => {
  it.each([
    ['int counter', { name: 'counter', base: 'int', layers: [] }],
    ['struct s1 mystruct;', { name: 'mystruct', base: 'struct s1', layers: [] }],
    ['static const char *name', { name: 'name', base: 'char', layers: [pointer] }],
    ['char buffer[50]', { name: 'buffer', base: 'char', layers: [array(50)] }],
    [
      'unsigned  long *table[2][3]',
      { name: 'table', base: 'unsigned long', layers: [array(2), array(3), pointer] },
    ],
    ['struct foo __rcu * * p', { name: 'p', base: 'struct foo', layers: [pointer, pointer] }],
    ['char *names[]', { name: 'names', base: 'char', layers: [array(), pointer] }],
  ])('%s', (text, declaration) => {
    expect(parseDeclaration(text)).toEqual(declaration)
  })

  it.each(['', 'int', 'struct s1 *', 'int (*f)(void)', 'int a = 3', 'int a, b', '*p'])(
    'is not: %s',
    (text) => {
      expect(parseDeclaration(text)).toBeUndefined()
    },
  )
})

describe.each(dumpFiles)('%s', (name, file) => {
  it('has types for declarations, with their sizes', () => {
    using real = openRealKernel(name, file)
    const { btf } = real.types
    const sizes = [
      'int i',
      'char c',
      'unsigned long l',
      'u64 x',
      'bool b',
      'void *p',
      'char *list[4]',
      'short s[3]',
    ].map((text) => {
      const type = findCType(btf, parseDeclaration(text) ?? { base: '', layers: [] })
      return type && sizeOf(btf, type)
    })
    expect(sizes).toEqual([4, 1, 8, 8, 1, 8, 32, 6])
  })

  it('has the types of the variables that are known by name', () => {
    using real = openRealKernel(name, file)
    const { btf } = real.types
    const unknown = [...knownVariables.values()].filter((variable) => findCType(btf, variable) === undefined)
    expect(unknown.map((variable) => variable.name)).toEqual([])
    const task = findCType(btf, { base: 'struct task_struct', layers: [] })
    expect(task && outerLayer(btf, task)).toBeUndefined()
  })
})
