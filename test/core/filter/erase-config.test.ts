import { describe, expect, it } from 'vitest'
import { parseEraseConfig } from '../../../src/core/filter/erase-config.ts'

const parse = (text: string) => parseEraseConfig(text, 'my.conf').sections

describe('a makedumpfile.conf', () => {
  it('has commands of the kernel before the first section, and comments', () => {
    expect(
      parse('# what is secret\nerase cred_jar.name size 10 # the name\n\terase vmlist.addr nullify\n'),
    ).toEqual([
      {
        module: 'vmlinux',
        line: 1,
        declarations: new Map(),
        commands: [
          { kind: 'erase', line: 2, expression: 'cred_jar.name', amount: { by: 'number', bytes: 10 } },
          { kind: 'erase', line: 3, expression: 'vmlist.addr', amount: { by: 'nullify' } },
        ],
      },
    ])
  })

  it('has sections of modules', () => {
    const sections = parse('[vmlinux]\nerase modules\n[z90crypt]\nerase ap_device_list\n[empty]\n')
    expect(sections.map(({ module, line, commands }) => [module, line, commands.length])).toEqual([
      ['vmlinux', 1, 1],
      ['z90crypt', 3, 1],
    ])
  })

  it.each([
    ['1K', { by: 'number', bytes: 1024 }],
    ['2m', { by: 'number', bytes: 2 * 1024 * 1024 }],
    ['0', { by: 'number', bytes: 0 }],
    ['s.length', { by: 'variable', expression: 's.length' }],
  ])('has a size of %s', (text, amount) => {
    expect(parse(`erase a.b size ${text}`)[0]?.commands).toMatchObject([{ amount }])
  })

  it('has loops over lists, chains and arrays', () => {
    const text = `for m in modules.next within module:list
      erase m.holders_dir.name
    endfor
    for cj in cred_jar via slabp_cache erase cj.name erase cj.key size cj.size endfor
    for lc in lowcore_ptr
    endfor
    for x in head within item
    endfor`
    expect(parse(text)[0]?.commands).toMatchObject([
      {
        variable: 'm',
        list: 'modules.next',
        within: { struct: 'module', member: 'list' },
        body: [{ line: 2 }],
      },
      {
        variable: 'cj',
        list: 'cred_jar',
        via: 'slabp_cache',
        within: undefined,
        body: [{}, { amount: { by: 'variable' } }],
      },
      { variable: 'lc', list: 'lowcore_ptr', via: undefined, body: [] },
      { variable: 'x', within: { struct: 'item', member: 'list' } },
    ])
  })

  it('has declarations, which makedumpfile needs no more than DWARF', () => {
    const [section] = parse('declare struct s1 *table[3]; # of ours\nerase table')
    expect(section?.declarations.get('table')).toMatchObject({ base: 'struct s1' })
    expect(section?.commands).toMatchObject([{ expression: 'table', line: 2 }])
  })

  it.each([
    ['erase', 'line 1: expected what to erase, found the end of the section'],
    ['erase a\nwipe b', 'line 2: expected erase, for or declare, found wipe'],
    ['erase a size', 'line 1: expected a number of bytes or a variable'],
    ['erase a size 10X', 'line 1: expected a number of bytes or a variable, found 10X'],
    ['erase size 3', 'line 1: expected what to erase, found size'],
    ['erase a..b', 'line 1: expected what to erase, found a..b'],
    ['for x of list', 'line 1: expected in, found of'],
    ['for x in list\nerase y\nendfor', 'line 2: y is not a part of x'],
    ['for x in list\nerase x', 'line 2: expected erase or endfor, found the end of the section'],
    ['for x in list within a:b:c\nendfor', 'line 1: expected struct:member, found a:b:c'],
    ['[my module]', 'line 1: expected [vmlinux] or the [name] of a module'],
    ['declare int f(void)', 'line 1: not a declaration'],
  ])('is refused: %j', (text, message) => {
    expect(() => parse(text)).toThrow(`my.conf, ${message}`)
  })
})
