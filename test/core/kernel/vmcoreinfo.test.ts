import { describe, expect, it } from 'vitest'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'

const info = new Vmcoreinfo(`OSRELEASE=7.2.13-fadump
PAGESIZE=65536
SYMBOL(init_uts_ns)=c000000000f04a10
SYMBOL(none)=0
SYMBOL(ones)=ffffffffffffffff
SIZE(page)=56
OFFSET(page.flags)=0
OFFSET(page.flags)=8
LENGTH(zone.free_area)=9
NUMBER(phys_base)=-299892736
NUMBER(PHYS_OFFSET)=0xfff1000040000000
NUMBER(KERNELPACMASK)=ff
KERNELOFFSET=1a000000
CRASHTIME=1795447228
OFFSET(list_head.next`)

describe('VMCOREINFO', () => {
  it('reads symbols as hexadecimal and the rest as decimal or 0x', () => {
    expect(info.symbol('init_uts_ns')).toBe(0xc000000000f04a10n)
    expect(info.size('page')).toBe(56)
    expect(info.length('zone.free_area')).toBe(9)
    expect(info.number('phys_base')).toBe(-299892736n)
    expect(info.number('PHYS_OFFSET')).toBe(0xfff1000040000000n)
    expect(info.number('KERNELPACMASK')).toBe(0xffn)
    expect(info.kernelOffset).toBe(0x1a000000n)
    expect(info.crashTime).toBe(1795447228)
    expect(info.pageSize).toBe(65536)
    expect(info.release).toBe('7.2.13-fadump')
  })

  it('lets the first of two equal keys win', () => {
    expect(info.offset('page.flags')).toBe(0)
  })

  it('takes symbols of value zero or all ones for missing', () => {
    expect(info.symbol('none')).toBeUndefined()
    expect(info.symbol('ones')).toBeUndefined()
  })

  it('survives a cut last line and missing keys', () => {
    expect(info.offset('list_head.next')).toBeUndefined()
    expect(info.number('nothing')).toBeUndefined()
  })

  it.each(['PAGESIZE=0', 'PAGESIZE=-4096', 'PAGESIZE=5000', 'PAGESIZE=1e9', 'PAGESIZE=524288'])(
    'has no page size in %s',
    (line) => {
      expect(new Vmcoreinfo(line).pageSize).toBeUndefined()
    },
  )
})
