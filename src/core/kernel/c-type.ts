// Types of variables. BTF describes the types of a kernel, but hardly a variable has one there, and not
// every pointer or array that a variable is made of. So a type is one of BTF's with layers around it, and
// can be written as C declares it: `struct s1 *table[100]`.

import { type Btf, compound, type TypeId } from '../../formats/btf/reader.ts'

export interface CType {
  readonly base: TypeId
  /** What is around the base, outermost first. */
  readonly layers: readonly Layer[]
}

/** Number of elements of an array, undefined when it is not known. */
export type Layer =
  | { readonly kind: 'pointer' }
  | { readonly kind: 'array'; readonly length: number | undefined }

const pointerSize = 8
const pointer: Layer = { kind: 'pointer' }

/** The outermost layer, whether BTF has it or not, and the type inside; undefined for other types. */
export function outerLayer(btf: Btf, { base, layers }: CType): { layer: Layer; inner: CType } | undefined {
  const [layer, ...rest] = layers
  if (layer !== undefined) return { layer, inner: { base, layers: rest } }
  const id = btf.resolve(base)
  const kind = btf.kind(id)
  if (kind === 'pointer') return { layer: pointer, inner: { base: btf.target(id), layers: [] } }
  if (kind !== 'array') return undefined
  const { element, length } = btf.array(id)
  return { layer: { kind: 'array', length }, inner: { base: element, layers: [] } }
}

/** Bytes; undefined for void, functions, and arrays of unknown length. */
export function sizeOf(btf: Btf, { base, layers }: CType): number | undefined {
  let count = 1
  for (const layer of layers) {
    if (layer.kind === 'pointer') return pointerSize * count
    if (layer.length === undefined) return undefined
    count *= layer.length
  }
  const size = btf.size(base)
  return size === undefined ? undefined : size * count
}

export const isCompound = (btf: Btf, { base, layers }: CType): boolean =>
  layers.length === 0 && compound.has(btf.kind(btf.resolve(base)))

/** The name of the struct, int or whatever it is, without what is around it. */
export const baseName = (btf: Btf, { base }: CType): string => btf.name(btf.resolve(base))

const modifiers: ReadonlySet<string> = new Set([
  'const',
  'volatile',
  'static',
  'extern',
  '__rcu',
  '__percpu',
  '__user',
])
const tags = ['struct', 'union', 'enum'] as const

export interface Declaration {
  readonly name: string
  /** `struct s1`, `unsigned long` */
  readonly base: string
  readonly layers: readonly Layer[]
}

/** `struct s1 *table[100];` Undefined when it is none; functions and pointers to arrays are not known. */
export function parseDeclaration(text: string): Declaration | undefined {
  const match = /^([\w ]+?) ?(\*[ *]*| )([A-Za-z_]\w*) ?((?:\[\d*\] ?)*);?$/.exec(
    text.trim().replace(/\s+/g, ' '),
  )
  const [, words = '', stars = '', name = '', brackets = ''] = match ?? []
  const base = words
    .split(' ')
    .filter((word) => !modifiers.has(word))
    .join(' ')
  if (base === '') return undefined
  const arrays = [...brackets.matchAll(/\[(\d*)\]/g)].map(
    ([, length]): Layer => ({ kind: 'array', length: length === '' ? undefined : Number(length) }),
  )
  const pointers = Array.from(stars.matchAll(/\*/g), () => pointer)
  return { name, base, layers: [...arrays, ...pointers] }
}

/** The declared type; undefined when the kernel has no type of that name. */
export function findCType(btf: Btf, { base, layers }: Omit<Declaration, 'name'>): CType | undefined {
  if (base === 'void') return { base: 0, layers }
  const [tag, ...rest] = base.split(' ')
  const kind = tags.find((known) => known === tag)
  const found =
    kind === undefined
      ? [base, cNames[base] ?? ''].flatMap((name) => btf.find(name, ['int', 'typedef', 'float']))
      : btf.find(rest.join(' '), kind === 'enum' ? ['enum', 'enum64'] : [kind])
  const [id] = [...found].sort((a, b) => (btf.size(b) ?? 0) - (btf.size(a) ?? 0))
  return id === undefined ? undefined : { base: id, layers }
}

/** As gcc names what people write. */
const cNames: Readonly<Record<string, string>> = {
  long: 'long int',
  unsigned: 'unsigned int',
  'unsigned long': 'long unsigned int',
  short: 'short int',
  'unsigned short': 'short unsigned int',
  'long long': 'long long int',
  'unsigned long long': 'long long unsigned int',
  bool: '_Bool',
}
