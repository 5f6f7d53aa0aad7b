// One page or block of every kind that a kernel of an era has, and what a filter should say of it.

import { levelBits, type PageKind } from '../../src/core/kernel/page-kind.ts'
import type { PageEra } from './page-eras.ts'
import { PageMachine, type PageWords } from './page-machine.ts'
import { type Platform, x86Platform } from './platforms.ts'

/** Addresses of the slab: where struct anon_vma, address_space and the like live. */
const slabAddress = ({ linear, ramStart }: Platform, at: bigint): bigint => linear + BigInt(ramStart) + at
export const anonVma = slabAddress(x86Platform, 0x1234560n)

interface Scene {
  readonly kind: PageKind
  /** The scene's pages begin at a multiple of 1024 and fill at most that. */
  readonly pages: number
  /** Undefined when the era has no such page. */
  readonly write: ((machine: PageMachine, pfn: number) => void) | undefined
}

/** Pages of every kind that `era` knows, by name. */
function scenesOf(era: PageEra, platform: Platform): Record<string, Scene> {
  const anonVma = slabAddress(platform, 0x1234560n)
  const odd = slabAddress(platform, 0x3000001n)
  const { flags, types } = era
  const one = (kind: PageKind, words: PageWords): Scene => ({
    kind,
    pages: 1,
    write: (machine, pfn) => machine.setPage(pfn, words),
  })
  const compound = (kind: PageKind, order: number, words: PageWords, huge = false) => ({
    kind,
    pages: 2 ** order,
    write: (machine: PageMachine, pfn: number) => machine.setCompound(pfn, order, words, huge),
  })
  const free = (order: number): Scene => ({
    kind: 'free',
    pages: 2 ** order,
    write: (machine, pfn) => machine.setFree(pfn, order),
  })
  const typed = (kind: PageKind, type: keyof typeof types, words = {}): Scene => ({
    ...one(kind, { mapcount: types[type] ?? -1, ...words }),
    ...(types[type] === undefined ? { write: undefined } : {}),
  })
  const cached = { flags: [flags.lru], mapping: slabAddress(platform, 0x2000000n) }
  const slabFlags = flags.slab === undefined ? {} : { flags: [flags.slab] }
  return {
    'kernel memory': one('kernel', {}),
    'file cache': one('cache', cached),
    'file cache with buffers': one('cachePrivate', { ...cached, flags: [flags.lru, flags.private] }),
    'large folio of the file cache': compound('cache', 4, cached),
    'swap cache off the LRU': one('cache', { flags: [flags.swapCache, flags.swapBacked] }),
    'PG_swapcache as its other meaning': one('kernel', { flags: [flags.swapCache] }),
    'anonymous memory': one('user', {
      flags: [flags.lru, flags.swapBacked],
      mapping: anonVma | 1n,
      mapcount: 0,
    }),
    'memory merged by KSM': one('user', { flags: [flags.lru], mapping: anonVma | 3n, mapcount: 4 }),
    'transparent huge page': compound('user', 9, { flags: [flags.lru], mapping: anonVma | 1n }),
    hugetlb: compound('user', 9, {}, true),
    'driver memory in one piece': compound('kernel', 3, {}),
    'one free page': free(0),
    'largest free block': free(10),
    'slab whose slot looks anonymous': {
      ...typed('kernel', 'slab', { mapping: odd }),
      ...(flags.slab === undefined ? {} : one('kernel', { ...slabFlags, mapping: odd })),
    },
    'page given back by a balloon': typed('offline', 'offline'),
    'page table whose slot looks anonymous': typed('kernel', 'table', { mapping: odd }),
    'zsmalloc page whose slot looks anonymous': typed('kernel', 'zsmalloc', { mapping: odd }),
    'broken memory': one('hwpoison', { flags: [flags.poisoned] }),
    'broken anonymous memory': one('user', {
      flags: [flags.poisoned, flags.lru],
      mapping: anonVma | 1n,
      mapcount: 0,
    }),
    'unaccepted memory': { ...typed('unaccepted', 'unaccepted'), pages: 1024 },
    'anonymous memory that someone waits for': one('user', {
      flags: [flags.lru, flags.waiters],
      mapping: anonVma | 1n,
      mapcount: 0,
    }),
    'integer that happens to be odd': {
      ...one('kernel', { mapping: 0xffffffffn }),
      // On s390x that may be an address of the kernel.
      ...(platform.utsMachine === 's390x' ? { write: undefined } : {}),
    },
  }
}

/** Whether a filter of `level` leaves a kind out. */
export function isLeftOut(kind: PageKind, level: number): boolean {
  if (kind === 'cache') return (level & (levelBits.cache | levelBits.cachePrivate)) !== 0
  if (kind === 'cachePrivate') return (level & levelBits.cachePrivate) !== 0
  if (kind === 'user') return (level & levelBits.user) !== 0
  if (kind === 'free' || kind === 'unaccepted') return (level & levelBits.free) !== 0
  return kind === 'offline' || kind === 'hwpoison'
}

export interface PlacedScene extends Scene {
  readonly name: string
  readonly pfn: number
}

/** Behind what the machine itself needs. */
const scenesFrom = (36 << 20) / 4096

/** One scene after the other, each naturally aligned, with a kernel page between them. */
export function makeScenes(
  era: PageEra,
  platform: Platform = x86Platform,
): { machine: PageMachine; scenes: readonly PlacedScene[] } {
  const machine = new PageMachine(era, platform)
  const scenes: PlacedScene[] = []
  let pfn = machine.firstPfn + scenesFrom
  for (const [name, scene] of Object.entries(scenesOf(era, platform))) {
    if (scene.write === undefined) continue
    pfn = Math.ceil((pfn + 1) / scene.pages) * scene.pages
    scene.write(machine, pfn)
    scenes.push({ ...scene, name, pfn })
    pfn += scene.pages
  }
  return { machine, scenes }
}
