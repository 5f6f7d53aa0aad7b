// VMCOREINFO of a kernel that left none: what its symbols and types tell, in the words of the note that
// it would have written. What only a running kernel knows (where it was put, phys_base) is not there.
// Source: Linux kernel/vmcore_info.c; the keys are those that dump tools read.

import { UsageError } from '../errors.ts'
import type { SymbolTable } from './symbols.ts'
import type { KernelTypes } from './types.ts'

export interface KernelBuild {
  /** As uname -r prints it. */
  readonly release: string
  /** Bytes; left out of the text when it is not known. */
  readonly pageSize: number | undefined
  readonly symbols: Pick<SymbolTable, 'find'>
  readonly types: KernelTypes
}

/** Text of the note; addresses are as the symbols have them. @throws {UsageError} the file is no kernel's */
export function makeVmcoreinfo({ release, pageSize, symbols, types }: KernelBuild): string {
  const lines = [
    `OSRELEASE=${release}`,
    ...(pageSize === undefined ? [] : [`PAGESIZE=${pageSize}`]),
    ...symbolNames.flatMap((name) => {
      const found = symbols.find(name)
      return found.length === 1 ? [`SYMBOL(${name})=${found[0]?.address.toString(16)}`] : []
    }),
    ...structs.flatMap((struct) => sizeLine(types, struct)),
    ...members.flatMap((member) => offsetLine(types, member)),
    ...arrays.flatMap((member) => lengthLine(types, member)),
    ...numberLines(types),
  ]
  if (!lines.some((line) => line.startsWith('SIZE(page)='))) {
    throw new UsageError('these are not the types of a kernel: there is no struct page')
  }
  return `${lines.join('\n')}\n`
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

const symbolNames = words(`
  init_uts_ns node_online_map swapper_pg_dir init_top_pgt init_level4_pgt level4_kernel_pgt _stext
  vmap_area_list mem_map contig_page_data mem_section node_data
  prb printk_rb_static clear_seq log_buf log_buf_len log_first_idx clear_idx log_next_idx
  kallsyms_names kallsyms_num_syms kallsyms_token_table kallsyms_token_index kallsyms_offsets
  kallsyms_relative_base
  vmemmap_list mmu_vmemmap_psize mmu_psize_defs cur_cpu_spec`)

const structs = words(`
  page pglist_data zone free_area list_head nodemask_t mem_section
  printk_ringbuffer prb_desc_ring prb_desc prb_data_blk_lpos printk_info dev_printk_info prb_data_ring
  atomic_long_t latched_seq printk_log vmemmap_backing mmu_psize_def`)

const members = words(`
  uts_namespace.name mem_section.section_mem_map
  page.flags page._refcount page.mapping page.lru page._mapcount page.private page.compound_head
  page.compound_info page.compound_dtor page.compound_order folio._folio_dtor folio._folio_order
  pglist_data.node_zones pglist_data.nr_zones pglist_data.node_mem_map pglist_data.node_start_pfn
  pglist_data.node_spanned_pages pglist_data.node_id
  zone.free_area zone.vm_stat zone.spanned_pages free_area.free_list list_head.next list_head.prev
  vmap_area.va_start vmap_area.list
  printk_ringbuffer.desc_ring printk_ringbuffer.text_data_ring printk_ringbuffer.fail
  prb_desc_ring.count_bits prb_desc_ring.descs prb_desc_ring.infos prb_desc_ring.head_id
  prb_desc_ring.tail_id prb_desc.state_var prb_desc.text_blk_lpos prb_data_blk_lpos.begin
  prb_data_blk_lpos.next printk_info.seq printk_info.ts_nsec printk_info.text_len printk_info.caller_id
  printk_info.dev_info dev_printk_info.subsystem dev_printk_info.device prb_data_ring.size_bits
  prb_data_ring.data prb_data_ring.head_lpos prb_data_ring.tail_lpos atomic_long_t.counter latched_seq.val
  printk_log.ts_nsec printk_log.len printk_log.text_len printk_log.dict_len printk_log.caller_id
  vmemmap_backing.list vmemmap_backing.phys vmemmap_backing.virt_addr mmu_psize_def.shift
  cpu_spec.cpu_features cpu_spec.mmu_features`)

const arrays = ['zone.free_area', 'free_area.free_list']

/** Enumerators that are exported by their own name. */
const enumerators: Readonly<Record<string, readonly string[]>> = {
  zone_stat_item: ['NR_FREE_PAGES'],
  pageflags: [
    'PG_lru',
    'PG_private',
    'PG_swapcache',
    'PG_swapbacked',
    'PG_slab',
    'PG_hwpoison',
    'PG_hugetlb',
  ],
  compound_dtor_id: ['HUGETLB_PAGE_DTOR'],
}

/** Types of a page whose _mapcount says what it is. */
const pageTypes = ['buddy', 'offline', 'slab', 'hugetlb', 'unaccepted']

const split = (member: string): [string, string] => member.split('.') as [string, string]

function sizeLine(types: KernelTypes, name: string): string[] {
  const id = types.struct(name)
  const size = id === undefined ? undefined : types.btf.size(id)
  return size === undefined ? [] : [`SIZE(${name})=${size}`]
}

function offsetLine(types: KernelTypes, member: string): string[] {
  const place = types.member(...split(member))
  return place === undefined ? [] : [`OFFSET(${member})=${Math.floor(place.bit / 8)}`]
}

function lengthLine(types: KernelTypes, member: string): string[] {
  const place = types.member(...split(member))
  if (place === undefined) return []
  const type = types.btf.resolve(place.type)
  return types.btf.kind(type) === 'array' ? [`LENGTH(${member})=${types.btf.array(type).length}`] : []
}

function numberLines({ btf }: KernelTypes): string[] {
  const valuesOf = (name: string): ReadonlyMap<string, bigint> =>
    new Map(
      btf
        .find(name, ['enum', 'enum64'])
        .flatMap((id) => Array.from(btf.enumerators(id), (one) => [one.name, one.value] as const)),
    )
  const numbers = Object.entries(enumerators).flatMap(([name, wanted]) => {
    const values = valuesOf(name)
    return wanted.flatMap((one) => (values.has(one) ? [[one, values.get(one)] as const] : []))
  })
  const head = valuesOf('pageflags').get('PG_head')
  const types = valuesOf('pagetype')
  const pages = pageTypes.flatMap((name) => {
    const value = mapcountOf(types, name)
    return value === undefined ? [] : [[`PAGE_${name.toUpperCase()}_MAPCOUNT_VALUE`, value] as const]
  })
  const mask = head === undefined ? [] : [['PG_head_mask', 1n << head] as const]
  return [...numbers, ...mask, ...pages].map(([name, value]) => `NUMBER(${name})=${value}`)
}

/** The top byte since Linux 6.12; in 6.11 a bit that is cleared. Before, types were no enumerators. */
function mapcountOf(types: ReadonlyMap<string, bigint>, name: string): bigint | undefined {
  const top = types.get(`PGTY_${name}`)
  const bit = types.get(`PG_${name}`)
  const value = top !== undefined ? top << 24n : bit !== undefined ? ~bit : undefined
  return value === undefined ? undefined : BigInt.asIntN(32, value)
}
