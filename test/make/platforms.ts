// Machines that struct pages can be put into: where each architecture has its RAM, image and memory map,
// and what its kernel says of that.

import { type Abi, abi64be, abi64le } from '../../src/core/struct.ts'
import type { FactList } from './facts.ts'
import { type Geometry, riscvGeometry, s390xGeometry, x86Geometry } from './page-tables.ts'

const GiB = 2 ** 30

export interface Platform {
  readonly name: string
  readonly elfMachine: number
  readonly utsMachine: string
  readonly abi: Abi
  readonly geometry: Geometry
  /** First byte of RAM. */
  readonly ramStart: number
  /** The machine's tables map 2^blockShift bytes an entry. */
  readonly blockShift: number
  /** Virtual addresses of physical 0, in the linear map and in the image. */
  readonly linear: bigint
  readonly image: bigint
  /** Virtual address of the struct page of page 0. */
  readonly vmemmap: bigint
  readonly facts: FactList
}

export const x86Platform: Platform = {
  name: 'x86_64',
  elfMachine: 62,
  utsMachine: 'x86_64',
  abi: abi64le,
  geometry: x86Geometry(4),
  ramStart: 0,
  blockShift: 21,
  linear: 0xffff888000000000n,
  image: 0xffffffff80000000n,
  vmemmap: 0xffffea0000000000n,
  facts: {
    symbols: { init_top_pgt: 0xffffffff81000000n },
    numbers: { phys_base: 0, pgtable_l5_enabled: 0, MAX_PHYSMEM_BITS: 46 },
    lengths: { mem_section: 2048 },
  },
}

const s390xCommon = {
  elfMachine: 22,
  utsMachine: 's390x',
  abi: abi64be,
  ramStart: 0,
  blockShift: 20,
} as const

/** As Linux up to 6.9: RAM and image are where their addresses say. */
const oldS390xPlatform: Platform = {
  ...s390xCommon,
  name: 's390x, one to one',
  geometry: s390xGeometry('region3'),
  linear: 0n,
  image: 0n,
  vmemmap: 0x37200000000n,
  facts: { numbers: { MAX_PHYSMEM_BITS: 46 }, lengths: { mem_section: 2048 }, lines: { KERNELOFFSET: '0' } },
}

/** As Linux 6.10 and later with everything moved: RAM by 2^47, the image up and in physical memory down. */
export const s390xPlatform: Platform = {
  ...s390xCommon,
  name: 's390x',
  geometry: s390xGeometry('region2'),
  linear: 1n << 47n,
  image: 0x1ffe0000000000n,
  vmemmap: 0x1c0000000000n,
  facts: {
    numbers: { MAX_PHYSMEM_BITS: 46 },
    lengths: { mem_section: 2048 },
    lines: { IDENTITYBASE: '800000000000', KERNELOFFSET: '1ffe0000100000', KERNELOFFPHYS: '100000' },
  },
}

/** RAM begins at 2 GiB, as on QEMU's virt. */
export const riscv64Platform: Platform = {
  name: 'riscv64',
  elfMachine: 243,
  utsMachine: 'riscv64',
  abi: abi64le,
  geometry: riscvGeometry(4),
  ramStart: 2 * GiB,
  blockShift: 21,
  linear: 0xffffaf8000000000n - BigInt(2 * GiB),
  image: 0xffffffff00000000n,
  vmemmap: 0xffff8d8000000000n,
  facts: {
    numbers: {
      VA_BITS: 48,
      phys_ram_base: 2 * GiB,
      PAGE_OFFSET: 0xffffaf8000000000n,
      KERNEL_LINK_ADDR: 0xffffffff80000000n,
      va_kernel_pa_offset: 0xffffffff00000000n,
      MAX_PHYSMEM_BITS: 56,
    },
    lengths: { mem_section: 2 ** 21 },
  },
}

export const otherPlatforms = [oldS390xPlatform, s390xPlatform, riscv64Platform] as const
