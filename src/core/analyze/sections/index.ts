// The sections of a report, in the order a person asks. To add one: write the file, add a line here, add
// a view of it to render/text (the compiler asks for it) and its schema to
// docs/schema/report.schema.json, add a test.

import { cpusSection } from './cpus.ts'
import { dumpSection } from './dump.ts'
import { logSection } from './log.ts'
import { machineSection } from './machine.ts'
import { memorySection } from './memory.ts'
import { panicSection } from './panic.ts'

export const sectionList = [
  panicSection,
  machineSection,
  cpusSection,
  memorySection,
  dumpSection,
  logSection,
] as const

type AnySection = (typeof sectionList)[number]

/** Answers by the name of their section. */
export type Answers = { readonly [S in AnySection as S['name']]: ReturnType<S['read']> }

export type SectionName = AnySection['name']

export const sectionNames: readonly SectionName[] = sectionList.map((section) => section.name)
